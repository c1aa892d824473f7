"""A container layer as a tar file, equal byte for byte for equal contents: sorted, no times, no host owners."""

from __future__ import annotations

import hashlib
import io
import tarfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath


@dataclass(frozen=True)
class Entry:
    """One path of the layer: a file (from `source` or `content`), a link (to `target`) or else a directory."""

    mode: int = 0o755
    owner: int = 0
    """The uid, and the gid too."""
    source: Path | None = None
    content: bytes | None = None
    target: str | None = None


class Layer:
    """The entries of one layer by their absolute path; parents are added as they are needed."""

    def __init__(self) -> None:
        self._entries: dict[str, Entry] = {}

    def __contains__(self, path: str) -> bool:
        return _make_relative(path) in self._entries

    def add(self, path: str, entry: Entry) -> None:
        """Put `entry` at `path`, replacing what was there."""
        name = _make_relative(path)
        for parent in PurePosixPath(name).parents:
            if str(parent) != ".":
                self._entries.setdefault(str(parent), Entry())
        self._entries[name] = entry

    def add_directory(self, path: str, *, mode: int = 0o755, owner: int = 0) -> None:
        """Add a directory."""
        self.add(path, Entry(mode=mode, owner=owner))

    def add_file(self, path: str, source: Path) -> None:
        """Add the file `source`; it is executable here if it is there. A link is followed."""
        executable = source.stat().st_mode & 0o100
        self.add(path, Entry(mode=0o755 if executable else 0o644, source=source))

    def add_text(self, path: str, content: str, *, mode: int = 0o644) -> None:
        """Add a file with the text `content`."""
        self.add(path, Entry(mode=mode, content=content.encode()))

    def add_link(self, path: str, target: str) -> None:
        """Add a symbolic link."""
        self.add(path, Entry(mode=0o777, target=target))

    def write(self, out: Path) -> str:
        """Write the tar to `out` and give its digest, sha256:<hex>."""
        with tarfile.open(out, "w", format=tarfile.GNU_FORMAT) as tar:
            for name in sorted(self._entries):
                _write_entry(tar, name, self._entries[name])
        return compute_file_digest(out)


def _make_relative(path: str) -> str:
    return str(PurePosixPath(path.lstrip("/")))


def _write_entry(tar: tarfile.TarFile, name: str, entry: Entry) -> None:
    info = tarfile.TarInfo(name)
    info.mode, info.uid, info.gid, info.mtime = entry.mode, entry.owner, entry.owner, 0
    if entry.target is not None:
        info.type, info.linkname = tarfile.SYMTYPE, entry.target
        tar.addfile(info)
    elif entry.content is not None:
        info.size = len(entry.content)
        tar.addfile(info, io.BytesIO(entry.content))
    elif entry.source is not None:
        info.size = entry.source.stat().st_size
        with entry.source.open("rb") as data:
            tar.addfile(info, data)
    else:
        info.type = tarfile.DIRTYPE
        tar.addfile(info)


def compute_file_digest(path: Path) -> str:
    """The digest of a file's contents as registries write it: sha256:<hex>."""
    with path.open("rb") as data:
        return "sha256:" + hashlib.file_digest(data, "sha256").hexdigest()
