"""The order in which a tool is looked for: what is on PATH, else the official download, else a build."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from toolchain.cache import Cache, Inputs
from toolchain.fetch import Unavailable, empty_directory
from toolchain.progress import Progress


@dataclass(frozen=True)
class Tool:
    """One thing to have, and the three ways to it; each maker fills the directory it is given."""

    name: str
    inputs: Inputs
    on_path: Callable[[], Path | None]
    """The directory of a compatible one that is installed already."""
    download: Callable[[Path], None]
    """Fills the directory or raises Unavailable."""
    build: Callable[[Path], None]
    """Fills the directory or raises ToolchainError."""


def find_tool(tool: Tool, cache: Cache) -> Path | None:
    """The tool's directory if it is there already: on PATH, else in the cache."""
    if directory := tool.on_path():
        return directory
    path = cache.find_path(tool.name, tool.inputs)
    return path if path.is_dir() else None


def ensure_tool(tool: Tool, cache: Cache, progress: Progress) -> Path:
    """Give the tool's directory, getting it the first way that works. Raises ToolchainError when none does."""
    if present := find_tool(tool, cache):
        return present

    def make(directory: Path) -> None:
        try:
            with progress.step(f"{tool.name}: official download"):
                tool.download(directory)
        except Unavailable as reason:
            progress.say(f"{tool.name}: not downloaded ({reason}); building it from its Go module")
            empty_directory(directory)
            tool.build(directory)

    return cache.ensure(tool.name, tool.inputs, make)
