"""Stacks that are changed and compared, as `diff` does it with commits."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from cli.capacity import describe_capacity
from cli.changes import raw
from cli.changes.compare import compare_stacks
from cli.changes.markdown import Comparison
from cli.render import plan_file, render_documents
from tests.support.systems import ROOT

Edit = Callable[[str], str]


@dataclass(frozen=True)
class Rendered:
    """A stack's documents, and what it needs."""

    documents: Mapping[str, str]
    capacity: Mapping[str, Any]


def render_edited(folder: Path, stack: str, edits: Mapping[str, Edit]) -> Rendered:
    """A shipped stack after its files were edited, in a checkout of its own below `folder`."""
    root = folder / "checkout"
    shutil.copytree(ROOT / "configs", root / "configs")
    shutil.copy(ROOT / f"Pulumi.{stack}.yaml", root)
    for name, edit in edits.items():
        text = (root / name).read_text(encoding="utf-8")
        edited = edit(text)
        assert edited != text, f"{name}: nothing to edit"
        (root / name).write_text(edited, encoding="utf-8")
    plan = plan_file(root / f"Pulumi.{stack}.yaml", stack, root=root)
    return Rendered(render_documents(plan), describe_capacity(plan))


@cache
def render_shipped(stack: str) -> Rendered:
    """A shipped stack as it is."""
    plan = plan_file(ROOT / f"Pulumi.{stack}.yaml", stack)
    return Rendered(render_documents(plan), describe_capacity(plan))


def compare_edited(folder: Path, stack: str, edits: Mapping[str, Edit]) -> Comparison:
    """What the edits of a shipped stack change."""
    before, after = render_shipped(stack), render_edited(folder, stack, edits)
    changes = compare_stacks(before.documents, after.documents, (before.capacity, after.capacity))
    differences = read_raw(folder, before.documents, after.documents)
    merged = raw.merge_differences({stack: differences})
    return Comparison("1a2b3c4d5e6f", {stack: changes}, differences=merged)


def read_raw(folder: Path, before: Mapping[str, str], after: Mapping[str, str]) -> dict[str, str]:
    """The raw difference of documents."""
    for side, documents in (("before", before), ("after", after)):
        for name, text in documents.items():
            path = folder / "raw" / side / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    return raw.read_differences(folder / "raw" / "before", folder / "raw" / "after")
