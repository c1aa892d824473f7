"""Seeing that a backup can be read: every content is downloaded and its hash compared."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from backup_agent.destination import Destination, opening
from backup_agent.document import Document
from backup_agent.errors import Failed, Refused
from backup_agent.lock import locking
from backup_agent.manifest import Manifest
from backup_agent.rclone import shorten_errors
from backup_agent.state import change_state, read_state

BATCH = 5000
LATEST = "latest"
_ENDINGS = ("failed to authenticate decrypted block", "file is too short to be encrypted", "not an encrypted file")
"""What rclone says of a content that is not as it was written: https://rclone.org/crypt/#file-encryption."""
Say = Callable[[str], None]


@dataclass(frozen=True)
class Verified:
    """A backup that can be read; `bytes` are those of its files, `seconds` what it took."""

    id: str
    bytes: int
    files: int
    seconds: float


def choose_backup(destination: Destination, name: str) -> Manifest:
    """The manifest of a backup by its id, or of the newest one by `latest`.

    Raises:
        Refused: there is no such backup, or it is of a newer format.
    """
    ids = destination.list_ids()
    if not ids:
        raise Refused(
            f"the {destination.where} has no backup of {destination.workload} of the stack {destination.stack}"
        )
    chosen = ids[-1] if name == LATEST else name
    if chosen not in ids:
        raise Refused(f"there is no backup {name}; there are {', '.join(reversed(ids[-10:]))}")
    return destination.read_manifest(chosen)


def verify_backup(document: Document, name: str, say: Say, wait: float = 0) -> Verified:
    """Download every content of a backup, and compare its hash. Nothing of it stays.

    Raises:
        Refused: there is no such backup, or other work is under way for longer than `wait` seconds.
        Failed: a content is missing or is not what was backed up.
    """
    busy = "a backup or verification of this workload is under way"
    with locking(Path(document.scratch) / "lock", wait, say, busy) as lock:
        began = time.time()
        try:
            with opening(document, (lock,)) as destination:
                manifest = choose_backup(destination, name)
                _compare(document, destination, manifest, say)
        except Exception:
            change_state(document.scratch, verify_successful=False)
            raise
        ended = time.time()
        change_state(document.scratch, verify_successful=True, verified_at=ended)
        return Verified(manifest.id, manifest.bytes, len(manifest.files), round(ended - began, 3))


def _compare(document: Document, destination: Destination, manifest: Manifest, say: Say) -> None:
    there = destination.list_blobs()
    wrong = {name for name, size in manifest.list_blobs().items() if name in there and there[name] != size}
    missing = {name for name in manifest.list_blobs() if name not in there}
    names, words = sorted(manifest.list_blobs().keys() - wrong - missing), ""
    for start in range(0, len(names), BATCH):
        batch = names[start : start + BATCH]
        hashes, problem = destination.hash_blobs(batch)
        words = problem or words
        wrong |= {name for name in batch if name in hashes and hashes[name] != name}
        wrong |= {
            name for name in batch if any(f"{name}: " in line and is_damage(line) for line in problem.splitlines())
        }
        unread = [name for name in batch if name not in hashes and name not in wrong]
        if unread:
            raise Failed(f"the {destination.where}: {len(unread)} contents could not be read: {shorten_errors(words)}")
        say(f"compared {min(start + BATCH, len(names))} of {len(names)} contents")
    if wrong or missing:
        known = set(read_state(document.scratch).damaged)
        change_state(document.scratch, damaged=tuple(sorted(known | wrong)))
        raise Failed(describe_damage(manifest, missing, wrong))


def is_damage(line: str) -> bool:
    """Whether rclone says of a content that it is not as it was written."""
    return any(ending in line for ending in _ENDINGS)


def describe_damage(manifest: Manifest, missing: set[str], wrong: set[str]) -> str:
    """What of a backup cannot be had, in words, with the first files that it concerns."""
    parts = []
    for names, what in ((missing, "missing"), (wrong, "damaged")):
        paths = sorted(file.path for file in manifest.files if file.sha256 in names)
        if paths:
            more = f" and {len(paths) - 3} more" if len(paths) > 3 else ""
            parts.append(f"{len(paths)} of its {len(manifest.files)} files {what}: {', '.join(paths[:3])}{more}")
    return f"the backup {manifest.id} is not whole: {'; '.join(parts)}"
