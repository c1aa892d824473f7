"""What the destination has: a list for people, and the values that metrics have of it."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

from backup_agent.destination import Destination, opening
from backup_agent.document import Document
from backup_agent.errors import BackupError, Failed
from backup_agent.manifest import Manifest, parse_time
from backup_agent.state import change_state, read_state


@dataclass(frozen=True)
class Listed:
    """One complete backup: size and number of its files, and when it was complete (RFC 3339)."""

    id: str
    bytes: int
    files: int
    ended: str


def list_backups(document: Document, from_stack: str = "") -> tuple[list[Listed], list[str]]:
    """The complete backups, newest first, and in words those whose manifest cannot be read.

    They are those of the document's stack, or of another one.

    Raises:
        Failed: the destination does not answer, or the passphrase is another one.
    """
    listed, problems = [], []
    # manifests can be large, and the usual place for such files is memory; a one-shot container has no scratch
    place = document.scratch if Path(document.scratch).is_dir() else None
    with (
        tempfile.TemporaryDirectory(prefix="list-", dir=place) as folder,
        opening(document, stack=from_stack) as destination,
    ):
        for name in reversed(destination.fetch_manifests(Path(folder))):
            try:
                each = destination.load_manifest(Path(folder), name)
                listed.append(Listed(each.id, each.bytes, len(each.files), each.ended))
            except BackupError as error:
                problems.append(str(error))
    return listed, problems


def refresh_state(document: Document) -> str:
    """Write to the state what the destination has; gives in words why it could not be read, "" where it could."""
    try:
        with opening(document) as destination:
            ids = destination.list_ids()
            _write(document, destination, ids)
    except BackupError as error:
        change_state(document.scratch, destination_up=False)
        return str(error)
    except Exception:
        change_state(document.scratch, destination_up=False)
        raise
    return ""


def _write(document: Document, destination: Destination, ids: list[str]) -> None:
    before = read_state(document.scratch)
    change_state(document.scratch, destination_up=True)
    if not ids and before.copies and before.destination == destination.where:
        # the next backup is refused for it: what was there stays known until somebody has looked
        change_state(document.scratch, newest_at=0)
        raise Failed(f"the {destination.where} had {before.copies} backups and has none")
    newest = destination.read_manifest(ids[-1]) if ids else None
    values: dict[str, object] = {"copies": len(ids), "newest_at": parse_time(newest.ended) if newest else 0}
    if newest:
        values |= _describe(newest, before.success_at)
    change_state(document.scratch, destination=destination.where, **values)


def _describe(newest: Manifest, success_at: float) -> dict[str, object]:
    """What a backup of another life of this agent says."""
    return {
        "success_at": max(success_at, parse_time(newest.ended)),
        "size": newest.bytes,
        "files": len(newest.files),
    }
