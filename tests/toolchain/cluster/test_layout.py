"""Where the cluster lies."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from toolchain.cluster.layout import Layout, read_layout, write_file


def test_layout_survives_its_file(layout: Layout, tmp_path: Path) -> None:
    """The process that runs the cluster reads the very layout that was written for it."""
    layout.write(tmp_path / "layout.json")
    assert read_layout(tmp_path / "layout.json") == layout


def test_each_directory_has_its_own_cgroup(layout: Layout, tmp_path: Path) -> None:
    """Two clusters on one machine do not share the parent of their pods."""
    assert layout.cgroup != replace(layout, directory=tmp_path / "other").cgroup


def test_put_keeps_secrets_to_their_owner(tmp_path: Path) -> None:
    """A file has its mode from its first byte on, and a new text replaces the old one whole."""
    write_file(tmp_path / "token", "first, a long one")
    write_file(tmp_path / "token", "second")
    assert (tmp_path / "token").read_text() == "second"
    assert (tmp_path / "token").stat().st_mode & 0o777 == 0o600
    assert [p.name for p in tmp_path.iterdir() if p.is_file()] == ["token"]
