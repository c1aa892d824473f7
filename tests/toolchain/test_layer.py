"""Layers are deterministic and hold what they are told to."""

from __future__ import annotations

import os
import tarfile
from pathlib import Path

from toolchain.layer import Entry, Layer, compute_file_digest


def build(source: Path, *, reverse: bool = False) -> Layer:
    """A small layer, its entries added in either order."""
    entries = {
        "/usr/bin/tool": Entry(mode=0o755 if source.stat().st_mode & 0o100 else 0o644, source=source),
        "/bin/sh": Entry(target="busybox"),
        "etc/passwd": Entry(content=b"root:x:0:0\n"),
        "/data": Entry(mode=0o1777, owner=65534),
    }
    layer = Layer()
    for path in sorted(entries, reverse=reverse):
        layer.add(path, entries[path])
    return layer


def test_equal_contents_give_equal_bytes(tmp_path: Path) -> None:
    """Neither the order of adding nor a file's times change the layer's digest."""
    source = tmp_path / "tool"
    source.write_text("program")
    source.chmod(0o755)
    first = build(source).write(tmp_path / "a.tar")
    os.utime(source, (1, 1))
    assert build(source, reverse=True).write(tmp_path / "b.tar") == first == compute_file_digest(tmp_path / "a.tar")


def test_changed_contents_change_the_digest(tmp_path: Path) -> None:
    """Another byte or another mode is another layer."""
    source = tmp_path / "tool"
    source.write_text("program")
    digests = {build(source).write(tmp_path / "a.tar")}
    source.write_text("PROGRAM")
    digests.add(build(source).write(tmp_path / "a.tar"))
    source.chmod(0o755)
    digests.add(build(source).write(tmp_path / "a.tar"))
    assert len(digests) == 3


def test_entries(tmp_path: Path) -> None:
    """Parents come before their children, times are zero, owners and modes are as given."""
    source = tmp_path / "tool"
    source.write_text("program")
    build(source).write(tmp_path / "a.tar")
    with tarfile.open(tmp_path / "a.tar") as tar:
        members = {m.name: m for m in tar.getmembers()}
        names = tar.getnames()
    assert names == sorted(names)
    assert names.index("usr/bin") < names.index("usr/bin/tool")
    assert {m.mtime for m in members.values()} == {0}
    assert (members["data"].mode, members["data"].uid, members["data"].gid) == (0o1777, 65534, 65534)
    assert members["bin/sh"].linkname == "busybox"
    assert members["usr/bin/tool"].mode == 0o644
