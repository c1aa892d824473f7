"""Filling an empty directory from a backup. Until all is there it has a marker, so half a restore is never one."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from backup_agent.backup import MARKER
from backup_agent.destination import Destination, opening
from backup_agent.document import Document
from backup_agent.errors import Failed, Refused, describe_write_error
from backup_agent.lock import locking
from backup_agent.manifest import FileEntry, Manifest
from backup_agent.scan import build_filter
from backup_agent.verify import choose_backup, describe_damage, is_damage

BATCH_BYTES, BATCH_FILES = 1024**3, 5000
_CONTENTS = ".restore-contents"
"""Where contents are until their hash has been compared."""
WAIT_SECONDS = 60
"""For what a restore that was killed has left running: a download that ends by itself."""
Say = Callable[[str], None]


class Marker(BaseModel):
    """Which backup a directory is being filled from."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    stack: str
    workload: str
    id: str


@dataclass(frozen=True)
class Restored:
    """What is there now."""

    id: str
    bytes: int
    files: int


def restore_backup(document: Document, name: str, into: Path, say: Say, from_stack: str = "") -> Restored:
    """Fill an empty directory, or go on where a restore of the same backup was ended.

    Raises:
        Refused: the directory is not empty, or there is no such backup; nothing was touched.
        Failed: something is missing or damaged, or cannot be written; the marker stays.
    """
    before = read_marker(into, document)
    with opening(document, stack=from_stack) as destination:
        manifest = choose_backup(destination, name)
    _check_space(manifest, into, before)
    with locking(into / MARKER, WAIT_SECONDS, say, f"another restore into {into} is under way") as lock:
        try:
            _mark(into, manifest, document)
            with opening(document, (lock,), from_stack) as destination:
                _Fill(manifest, into, destination, say).fill()
            shutil.rmtree(into / _CONTENTS, ignore_errors=True)
            os.sync()  # all of it outlives a power failure before the marker goes
            (into / MARKER).unlink()
        except OSError as error:
            raise describe_write_error(error, str(into)) from None
    return Restored(manifest.id, manifest.bytes, len(manifest.files))


def _check_space(manifest: Manifest, into: Path, before: Marker | None) -> None:
    free = shutil.disk_usage(into).free
    if before is None and free < manifest.bytes:
        raise Refused(f"{into} has room for {free} bytes, and the backup {manifest.id} has {manifest.bytes}")


def _mark(into: Path, manifest: Manifest, document: Document) -> None:
    """Say in the directory what it is being filled from, unless it says so already."""
    marker = Marker(stack=manifest.stack, workload=manifest.workload, id=manifest.id)
    # once more with the lock, as another restore may have come between
    if (before := read_marker(into, document)) is None:
        (into / MARKER).write_text(marker.model_dump_json(), encoding="utf-8")
    elif before != marker:
        raise Refused(
            f"{into} is being filled from the backup {before.id} of {before.workload} of {before.stack}: end that "
            "restore first, or empty the directory"
        )


def read_marker(into: Path, document: Document) -> Marker | None:
    """The marker of a restore that has not ended; None for an empty directory, also with a marker that says nothing.

    What the document says is no data is nothing here either.

    Raises:
        Refused: the directory is absent, or has something without such a marker.
    """
    if not into.is_dir():
        raise Refused(f"{into} is no directory")
    path = into / MARKER
    text = path.read_bytes() if path.exists() else b""
    skips = build_filter((*document.exclude, MARKER), (), ())
    others = sorted(each.name for each in into.iterdir() if not skips(each.name))
    if not text and others:
        raise Refused(f"{into} is not empty, it has {', '.join(others[:5])}: only an empty directory is filled")
    try:
        return Marker.model_validate_json(text) if text else None
    except ValidationError:
        raise Refused(f"{path} is no marker of a restore: empty the directory") from None


class _Fill:
    """Fills a directory that has its marker."""

    def __init__(self, manifest: Manifest, into: Path, destination: Destination, say: Say) -> None:
        self._manifest, self._into, self._destination, self._say = manifest, into, destination, say
        self._contents = into / _CONTENTS

    def fill(self) -> None:
        for each in sorted(self._manifest.directories, key=lambda each: each.path):
            (self._into / each.path).mkdir(parents=True, exist_ok=True)
        self._contents.mkdir(exist_ok=True)
        left = [file for file in self._manifest.files if not _is_there(self._into / file.path, file)]
        total, done = sum(file.size for file in left), 0
        for batch in _build_batches(left):
            self._fetch(batch)
            done += sum(file.size for file in batch)
            self._say(f"restored {done} of {total} bytes")
        for link in self._manifest.links:
            self._link(link.path, link.target)
        for each in sorted(self._manifest.directories, key=lambda each: each.path, reverse=True):
            (self._into / each.path).chmod(each.mode)  # afterwards, as one may be read-only

    def _fetch(self, files: list[FileEntry]) -> None:
        by_hash: dict[str, list[FileEntry]] = {}
        for file in files:
            by_hash.setdefault(file.sha256, []).append(file)
        wanted = [name for name in by_hash if _hash_file(self._contents / name) != name]
        for name in wanted:
            (self._contents / name).unlink(missing_ok=True)
        problem = self._destination.download(wanted, self._contents) if wanted else ""
        absent: set[str] = set()
        for name, same in by_hash.items():
            if _hash_file(self._contents / name) == name:
                self._place(name, same)
            else:
                absent.add(name)
        if absent:
            raise Failed(self._explain(absent, problem))

    def _explain(self, absent: set[str], problem: str) -> str:
        """Why contents could not be had: they are not there, they are damaged, or there was no way to get them."""
        there = self._destination.list_blobs()
        missing = {name for name in absent if name not in there}
        if problem and not missing and not is_damage(problem):
            return f"{self._into} could not be filled: {problem}"
        return describe_damage(self._manifest, missing, absent - missing)

    def _place(self, name: str, files: list[FileEntry]) -> None:
        """Give a content that has been compared its names."""
        for file in files[1:]:
            copy = self._contents / f"{name}.copy"
            shutil.copyfile(self._contents / name, copy)
            self._give(copy, file)
        self._give(self._contents / name, files[0])

    def _give(self, content: Path, file: FileEntry) -> None:
        target = self._into / file.path
        target.parent.mkdir(parents=True, exist_ok=True)
        content.chmod(file.mode)
        os.utime(content, ns=(file.mtime_ns, file.mtime_ns))
        content.replace(target)

    def _link(self, path: str, target: str) -> None:
        place = self._into / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.unlink(missing_ok=True)
        place.symlink_to(target)


def _is_there(path: Path, file: FileEntry) -> bool:
    """Whether a restore before this one has given the file its name."""
    return (
        not path.is_symlink()
        and path.is_file()
        and path.stat().st_size == file.size
        and _hash_file(path) == file.sha256
    )


def _hash_file(path: Path) -> str:
    """SHA-256 of a file; "" where there is none."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return ""


def _build_batches(files: list[FileEntry]) -> list[list[FileEntry]]:
    """Files in batches of bounded size, those of the same content in one."""
    batches: list[list[FileEntry]] = []
    size, before = 0, ""
    for file in sorted(files, key=lambda each: each.sha256):
        full = not batches or size + file.size > BATCH_BYTES or len(batches[-1]) >= BATCH_FILES
        if full and file.sha256 != before:
            batches.append([])
            size = 0
        batches[-1].append(file)
        size, before = size + file.size, file.sha256
    return batches
