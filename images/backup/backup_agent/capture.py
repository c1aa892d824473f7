"""Reading the data once: the hash of every file, and copies of those that may still be written."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from backup_agent.document import Document
from backup_agent.errors import Failed, describe_write_error
from backup_agent.manifest import DirectoryEntry, FileEntry, LinkEntry
from backup_agent.scan import Vanished, build_filter, scan_part
from backup_agent.sqlite_copy import copy_database

QUIET_SECONDS = 600
"""A file that nobody has written for so long is read where it lies; writers here write each minute at least."""
_CHUNK = 1024 * 1024
_ATTEMPTS = 3

Signature = tuple[int, int, int, int]


def describe_state(state: os.stat_result) -> Signature:
    """What changes with a file's content: inode, size, times of change of content and of properties."""
    return (state.st_ino, state.st_size, state.st_mtime_ns, state.st_ctime_ns)


@dataclass
class Captured:
    """One reading of the data.

    Attributes:
        files: entries by path, and so directories and links.
        copies: files in scratch by the hash of their content.
        places: for each content that is read where it lies a path, and the state in which it has been hashed.
    """

    files: dict[str, FileEntry] = field(default_factory=dict)
    directories: dict[str, DirectoryEntry] = field(default_factory=dict)
    links: dict[str, LinkEntry] = field(default_factory=dict)
    copies: dict[str, Path] = field(default_factory=dict)
    places: dict[str, tuple[Path, Signature]] = field(default_factory=dict)


class Reader:
    """Reads the data of a document. What is known of earlier readings is not read again while it has not changed."""

    def __init__(self, document: Document, copies: Path, known: Mapping[str, FileEntry]) -> None:
        """`known` are the entries of the newest backup by path; `copies` is a directory in scratch."""
        self._document, self._copies, self._known = document, copies, known
        self._data = Path(document.data)
        self._hashed: dict[str, tuple[Signature, str]] = {}
        self._number = 0

    def read(self) -> Captured:
        """Read everything in the document's order.

        Raises:
            Vanished: the set has changed meanwhile.
            Failed: something cannot be read, or scratch is full.
        """
        captured = Captured()
        before: list[str] = []
        try:
            shutil.rmtree(self._copies, ignore_errors=True)
            self._copies.mkdir(parents=True)
        except OSError as error:
            raise describe_write_error(error, self._document.scratch) from None
        for name in self._document.sqlite:
            self._read_database(captured, name)
        for part in (*self._document.order, ""):
            skips = build_filter(self._document.exclude, self._document.sqlite, before)
            listing = scan_part(self._data, part, skips)
            captured.directories |= {each.path: each for each in listing.directories}
            captured.links |= {each.path: each for each in listing.links}
            for path in listing.files:
                self._read_file(captured, path)
            before.append(part)
        return captured

    # -- one file ----------------------------------------------------------------------------------------------------

    def _read_file(self, captured: Captured, path: str) -> None:
        try:
            with open(self._data / path, "rb", opener=_open_plain) as file:
                state = os.fstat(file.fileno())
                if time.time() - state.st_mtime < QUIET_SECONDS:
                    digest, size = self._copy(captured, path, file.fileno())
                else:
                    digest, size = self._hash_quiet(captured, path, file.fileno(), state), state.st_size
        except FileNotFoundError:
            raise Vanished(f"{path} is gone") from None
        except OSError as error:
            raise Failed(f"{self._data / path} cannot be read: {error.strerror}") from None
        captured.files[path] = _build_entry(path, size, state, digest)

    def _hash_quiet(self, captured: Captured, path: str, file: int, state: os.stat_result) -> str:
        signature = describe_state(state)
        known, hashed = self._known.get(path), self._hashed.get(path)
        if hashed and hashed[0] == signature:
            digest = hashed[1]
        elif known and (known.size, known.mtime_ns) == (state.st_size, state.st_mtime_ns):
            digest = known.sha256
        else:
            digest = _hash_start(file, state.st_size)
            if describe_state(os.fstat(file)) != signature:
                raise Vanished(f"{path} has changed while it was read")
        self._hashed[path] = (signature, digest)
        captured.places.setdefault(digest, (self._data / path, signature))
        return digest

    def _copy(self, captured: Captured, path: str, file: int) -> tuple[str, int]:
        """Copy what a file that may be written holds at one moment; what is appended meanwhile is left out."""
        target = self._choose_copy()
        for _ in range(_ATTEMPTS):
            before = os.fstat(file)
            digest = _copy_start(file, before.st_size, target)
            after = os.fstat(file)
            unchanged = describe_state(after) == describe_state(before)
            if digest and (unchanged or _hash_start(file, before.st_size) == digest):
                captured.copies[digest] = target
                return digest, before.st_size
        raise Vanished(f"{path} has changed while it was read")

    def _choose_copy(self) -> Path:
        self._number += 1
        return self._copies / f"{self._number}"

    def _read_database(self, captured: Captured, name: str) -> None:
        source = self._data / name
        if not source.exists():
            if name in self._known:
                raise Failed(f"the database {source} is gone, and the newest backup has it")
            return
        target = self._choose_copy()
        try:
            state = source.stat()
            copy_database(source, target)
            with target.open("rb") as file:
                size = os.fstat(file.fileno()).st_size
                digest = _hash_start(file.fileno(), size)
        except OSError as error:
            raise describe_write_error(error, str(self._copies.parent)) from None
        captured.files[name] = _build_entry(name, size, state, digest)
        captured.copies[digest] = target


def _open_plain(path: str, flags: int) -> int:
    # a file that has become a pipe would block, one that has become a link would lead elsewhere
    return os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK)


def _build_entry(path: str, size: int, state: os.stat_result, digest: str) -> FileEntry:
    mode = stat.S_IMODE(state.st_mode)
    return FileEntry(path=path, size=size, mode=mode, mtime_ns=state.st_mtime_ns, sha256=digest)


def _hash_start(file: int, size: int) -> str:
    """SHA-256 of a file's first `size` bytes; "" where it has fewer."""
    total, offset = hashlib.sha256(), 0
    while offset < size:
        if not (chunk := os.pread(file, min(_CHUNK, size - offset), offset)):
            return ""
        total.update(chunk)
        offset += len(chunk)
    return total.hexdigest()


def _copy_start(file: int, size: int, target: Path) -> str:
    """The same, and write these bytes to a file in scratch."""
    total, offset = hashlib.sha256(), 0
    try:
        with target.open("wb") as copy:
            while offset < size:
                if not (chunk := os.pread(file, min(_CHUNK, size - offset), offset)):
                    return ""
                total.update(chunk)
                copy.write(chunk)
                offset += len(chunk)
    except OSError as error:
        raise describe_write_error(error, str(target.parent.parent)) from None
    return total.hexdigest()
