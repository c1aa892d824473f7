"""Which files are read, and in which order."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from backup_agent.scan import Vanished, build_filter, scan_part
from tests.support.backups import Stand


def test_parts_are_read_in_order(stand: Stand) -> None:
    """What is read first is not read again, and neither is what is excluded or SQLite's."""
    for path in ("grafana.db", "grafana.db-wal", "chunks_head/1", "top", "lost+found/x", "a.tmp/b", "a/b.tmp/c"):
        stand.write(path, path)
    skips = build_filter(["lock", "*.tmp"], ["grafana.db"], ["wal", "chunks_head"])
    listing = scan_part(stand.data, "", skips)
    assert listing.files == ["01ABC/chunks/000001", "01ABC/index", "top"]
    assert [each.path for each in listing.directories] == ["01ABC", "01ABC/chunks", "a"]
    first = scan_part(stand.data, "wal", build_filter([], [], []))
    assert first.files == ["wal/00000001"] and [each.path for each in first.directories] == ["wal"]
    assert scan_part(stand.data, "none", build_filter([], [], [])).files == []


def test_links_are_no_files(stand: Stand) -> None:
    """A link is recorded as one and never followed; a pipe holds no data."""
    (stand.data / "link").symlink_to("/etc")
    os.mkfifo(stand.data / "pipe")
    listing = scan_part(stand.data, "", build_filter([], [], []))
    assert [(each.path, each.target) for each in listing.links] == [("link", "/etc")]
    assert "pipe" not in listing.files and "link" not in listing.files


def test_a_directory_that_goes_is_noticed(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a block is never taken for one."""
    real = Path.iterdir

    def remove_first(path: Path) -> object:
        if path.name == "chunks":
            stand.data.joinpath("01ABC").rename(stand.data / "01ABC.tmp")
        return real(path)

    monkeypatch.setattr(Path, "iterdir", remove_first)
    with pytest.raises(Vanished, match="01ABC/chunks is gone"):
        scan_part(stand.data, "", build_filter([], [], []))
