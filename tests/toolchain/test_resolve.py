"""The order PATH, download, build."""

from __future__ import annotations

from pathlib import Path

import pytest

from toolchain.context import Context
from toolchain.errors import ToolchainError
from toolchain.fetch import Unavailable
from toolchain.resolve import Tool, ensure_tool, find_tool


class Ways:
    """Three fake ways to a tool that note which of them were asked."""

    def __init__(self, *, path: Path | None = None, downloads: bool = False, builds: bool = True) -> None:
        self.asked: list[str] = []
        self._path, self._downloads, self._builds = path, downloads, builds

    def tool(self) -> Tool:
        """The tool that these ways lead to."""
        return Tool("tool", {"version": "1"}, self._on_path, self._download, self._build)

    def _on_path(self) -> Path | None:
        return self._path

    def _download(self, directory: Path) -> None:
        self.asked.append("download")
        (directory / "partial").write_text("left over")
        if not self._downloads:
            raise Unavailable("nothing answers")

    def _build(self, directory: Path) -> None:
        self.asked.append("build")
        if not self._builds:
            raise ToolchainError("go build ended with status 1")
        (directory / "built").write_text("")


def test_path_wins(context: Context, tmp_path: Path) -> None:
    """A compatible tool on PATH is used as it is; nothing is fetched."""
    ways = Ways(path=tmp_path)
    assert ensure_tool(ways.tool(), context.cache, context.progress) == tmp_path
    assert ways.asked == []


def test_download_before_build(context: Context) -> None:
    """A download that works spares the build."""
    ways = Ways(downloads=True)
    ensure_tool(ways.tool(), context.cache, context.progress)
    assert ways.asked == ["download"]


def test_build_after_failed_download(context: Context) -> None:
    """Where the download is out of reach the tool is built, without what the attempt left."""
    ways = Ways()
    made = ensure_tool(ways.tool(), context.cache, context.progress)
    assert ways.asked == ["download", "build"]
    assert sorted(p.name for p in made.iterdir()) == ["built", "recipe.json"]


def test_present_after_resolve(context: Context) -> None:
    """Once resolved, the tool is present and no way is asked again."""
    ways = Ways()
    assert find_tool(ways.tool(), context.cache) is None
    made = ensure_tool(ways.tool(), context.cache, context.progress)
    assert find_tool(ways.tool(), context.cache) == made == ensure_tool(ways.tool(), context.cache, context.progress)
    assert ways.asked == ["download", "build"]


def test_no_way_left(context: Context) -> None:
    """When the build fails too, its error is what a person sees, and nothing half made stays."""
    with pytest.raises(ToolchainError, match="status 1"):
        ensure_tool(Ways(builds=False).tool(), context.cache, context.progress)
    assert list((context.cache.root / "artefacts").iterdir()) == []
