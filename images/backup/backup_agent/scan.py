"""Which files of the data are backed up, in the order in which they are read."""

from __future__ import annotations

import fnmatch
import os
import stat
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from backup_agent.errors import Failed
from backup_agent.manifest import DirectoryEntry, LinkEntry

COMPANIONS = ("", "-wal", "-shm", "-journal")
"""Endings of the files of a SQLite database: https://www.sqlite.org/tempfiles.html."""

LOST = "lost+found"


class Vanished(Exception):
    """What was listed is gone or another one now: the set has to be read again."""


@dataclass
class Listing:
    """What lies below the data: files, directories, links; paths are relative to it."""

    files: list[str] = field(default_factory=list)
    directories: list[DirectoryEntry] = field(default_factory=list)
    links: list[LinkEntry] = field(default_factory=list)


def build_filter(exclude: Sequence[str], sqlite: Sequence[str], before: Sequence[str]) -> Callable[[str], bool]:
    """Whether a path is left out: a pattern matches it, SQLite copies it, or a part that was read before has it."""
    # the last one is a file system's own: https://man7.org/linux/man-pages/man8/mklost+found.8.html
    left_out = {f"{name}{ending}" for name in sqlite for ending in COMPANIONS} | {*before, LOST}
    return lambda path: path in left_out or any(fnmatch.fnmatchcase(path, pattern) for pattern in exclude)


def scan_part(data: Path, part: str, skips: Callable[[str], bool]) -> Listing:
    """Everything below `part`, a path below the data or "" for all of it, sorted by path.

    Raises:
        Vanished: something is gone while it is listed.
        Failed: something cannot be read.
    """
    listing = Listing()
    if part and (skips(part) or not os.path.lexists(data / part)):
        return listing
    try:
        if part:
            _add(listing, data, part, skips)
        else:
            _add_children(listing, data, "", skips)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise Vanished(f"{os.path.relpath(error.filename, data)} is gone") from None
    except OSError as error:
        raise Failed(f"{error.filename} cannot be read: {error.strerror}") from None
    return listing


def _add(listing: Listing, data: Path, path: str, skips: Callable[[str], bool]) -> None:
    if skips(path):
        return
    state = (data / path).lstat()
    if stat.S_ISLNK(state.st_mode):
        listing.links.append(LinkEntry(path=path, target=str((data / path).readlink())))
    elif stat.S_ISDIR(state.st_mode):
        listing.directories.append(DirectoryEntry(path=path, mode=stat.S_IMODE(state.st_mode)))
        _add_children(listing, data, path, skips)
    elif stat.S_ISREG(state.st_mode):  # sockets and pipes hold no data
        listing.files.append(path)


def _add_children(listing: Listing, data: Path, path: str, skips: Callable[[str], bool]) -> None:
    for name in sorted(each.name for each in (data / path).iterdir()):
        _add(listing, data, f"{path}/{name}" if path else name, skips)
