"""The raw difference of two folders, document by document, as git writes it."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

from cli.changes import containers, dashboards, notifications, objects, rules, targets

_ORDER = (containers.FOLDER, objects.FOLDER, rules.FOLDER, targets.FOLDER, notifications.DOCUMENT)
"""Beginnings of the documents that come first; dashboards come last."""
_OPTIONS = (
    "--no-index",
    "--no-color",
    "--no-ext-diff",
    "--no-textconv",
    "--no-renames",
    "--src-prefix=",
    "--dst-prefix=",
)
_FAILED = 128
"""From here on git's exit codes are errors."""


def read_differences(before: Path, after: Path) -> dict[str, str]:
    """A unified diff by the path of each document that differs; both folders have one parent.

    Raises:
        subprocess.CalledProcessError: git cannot compare them.
    """
    command = ["git", "-c", "core.quotePath=false", "diff", *_OPTIONS, "--", before.name, after.name]
    done = subprocess.run(command, cwd=before.parent, capture_output=True, text=True, check=False, errors="replace")
    if done.returncode >= _FAILED:
        done.check_returncode()
    parts = re.split(r"^diff --git .*\n", done.stdout, flags=re.MULTILINE)[1:]
    named = {_find_path(part, (before.name, after.name)): _drop_head(part) for part in parts}
    return {path: named[path] for path in sorted(named, key=_rank_path) if not path.endswith(objects.CONFIG)}


def _find_path(part: str, roots: tuple[str, str]) -> str:
    """The document's path, from the lines `---` and `+++`, of which one is /dev/null where it is new or gone."""
    for line in re.findall(r"^(?:---|\+\+\+) (.*?)\t?$", part, re.MULTILINE)[:2]:
        root, _, path = str(line).partition("/")
        if root in roots:
            return path
    return "?"


def _drop_head(part: str) -> str:
    """A diff from its first hunk on; of a file without lines, nothing."""
    start = re.search(r"^@@", part, re.MULTILINE)
    return part[start.start() :] if start else ""


def _rank_path(path: str) -> tuple[int, str]:
    first = next((place for place, start in enumerate(_ORDER) if path.startswith(start)), len(_ORDER))
    return first + path.startswith(dashboards.FOLDER), path


def merge_differences(by_stack: Mapping[str, Mapping[str, str]]) -> dict[tuple[str, str], list[str]]:
    """The stacks that have a diff in common, by its path and text, in the order of importance."""
    made: dict[tuple[str, str], list[str]] = {}
    for stack, differences in by_stack.items():
        for path, text in differences.items():
            made.setdefault((path, text), []).append(stack)
    return dict(sorted(made.items(), key=lambda item: _rank_path(item[0][0])))
