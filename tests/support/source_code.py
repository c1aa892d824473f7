"""The source code of the project, read by the tests of its architecture."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tests.support.systems import ROOT

MAY_IMPORT: dict[str, tuple[str, ...]] = {
    "model": (),
    "packs": ("model",),
    "components": ("model", "packs", "targets.base"),
    "targets": ("model",),
    "stack": ("model", "packs", "components", "targets"),
    "cli": ("model", "packs", "components", "targets", "stack"),
    "bench": ("model", "packs", "components", "targets", "stack", "cli"),
    "toolchain": (),
    "instrumentation": (),
}
"""Which of our folders the code of each one may import, beside itself: the table of CONTRIBUTING.md."""
FOLDERS = tuple(name for name in MAY_IMPORT if name not in ("toolchain", "instrumentation"))
SHARED_EXPORTERS = ("exporters.base", "exporters.containers")
SHARED = ("base", "discovery", "documents", "drawing", "entry", "lines", "otelcol", *SHARED_EXPORTERS)
"""Modules and folders of components/ that are not components, and that all of them may use."""
EXPORTERS = "exporters"


def sources(*folders: str) -> list[Path]:
    """Every Python file of the folders."""
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


@cache
def tree(path: Path) -> ast.Module:
    """The syntax tree of a file."""
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


@cache
def imports(path: Path) -> frozenset[str]:
    """Every module a file imports, with `from a import b` as both a and a.b."""
    found: set[str] = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return frozenset(found)


def roots(path: Path) -> set[str]:
    """The top-level packages a file imports."""
    return {name.partition(".")[0] for name in imports(path)}


def module_of(path: Path) -> str:
    """A file of components/ as a module below it: `exporters.node.alerts`."""
    return ".".join(path.relative_to(ROOT / "components").with_suffix("").parts)


def inside(module: str, *others: str) -> bool:
    """Whether a module is one of the others, or stands in one that is a folder."""
    return any(module == other or module.startswith(f"{other}.") for other in others)


@cache
def component_files() -> list[Path]:
    """Every file of a component: the only one, or those of its folder."""
    files = [path for path in sources("components") if path.stem != "__init__"]
    return [path for path in files if not inside(module_of(path), *SHARED)]


def home(path: Path) -> str:
    """The component that a file belongs to, by its module or folder: `loki`, `exporters.node`."""
    parts = module_of(path).split(".")
    return ".".join(parts[: 2 if parts[0] == EXPORTERS else 1])


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function and method of a file."""
    return (node for node in ast.walk(tree(path)) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)))


def named(path: Path) -> str:
    """A file as it is called from the project's folder."""
    return str(path.relative_to(ROOT))
