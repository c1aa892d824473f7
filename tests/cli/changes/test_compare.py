"""The comments on five usual changes, as a reviewer reads them: `GOLDEN_UPDATE=1` writes them anew."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from cli.changes.compare import compare_stacks
from cli.changes.markdown import render_comment
from cli.changes.words import LIMIT
from tests.support.compared import Edit, compare_edited, render_shipped

COMMENTS = Path(__file__).parents[1] / "comments"
RAW = "<details><summary>Raw difference"
SYSTEM, STACK, IMAGES = "configs/systems/plue.yaml", "Pulumi.dev.yaml", "configs/images.yaml"


def replace(old: str, new: str) -> Edit:
    """Replaces a text."""
    return lambda text: text.replace(old, new, 1)


def append(more: str) -> Edit:
    """Adds lines at the end."""
    return lambda text: f"{text.rstrip()}\n{more}"


CHANGES: Mapping[str, tuple[str, Mapping[str, Edit]]] = {
    "threshold": ("dev", {SYSTEM: replace("HighErrorRatio: { threshold: 0.05", "HighErrorRatio: { threshold: 0.1")}),
    "service": (
        "dev",
        {SYSTEM: replace("services:\n", "services:\n  billing: { title: Billing, port: 8090, packs: [go] }\n")},
    ),
    "image": ("dev", {IMAGES: lambda text: text.replace("v3.15.0", "v3.15.1")}),
    "retention": (
        "prod",
        {"Pulumi.prod.yaml": lambda text: text.replace("retention: 30d", "retention: 14d").replace("4GiB", "6GiB")},
    ),
    "route": (
        "dev",
        {
            STACK: append(
                "  observability:alertmanager:\n"
                "    receivers:\n"
                "      - { name: team, webhook: { url: http://hooks.example.com/team } }\n"
                "      - { name: night, webhook: { url: http://hooks.example.com/night } }\n"
                "    routes:\n"
                "      - { receiver: night, matchers: ['severity=\"critical\"'], repeatInterval: 30m }\n"
            )
        },
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_comments_are_as_reviewed(name: str, tmp_path: Path) -> None:
    """Each kind of change gives exactly its stored comment, whose raw difference is folded behind it."""
    text = render_comment(compare_edited(tmp_path, *CHANGES[name]))
    assert len(text.encode()) <= LIMIT
    shown, fold, rest = text.partition(RAW)
    assert fold and "```diff\n@@" in rest and rest.rstrip().endswith("</details>")
    path = COMMENTS / f"{name}.md"
    if os.environ.get("GOLDEN_UPDATE"):
        path.write_text(shown, encoding="utf-8")
    assert shown == path.read_text(encoding="utf-8")


def test_nothing_differs_from_itself() -> None:
    """A stack compared with itself has no change, and its comment is one sentence."""
    for stack in ("dev", "prod"):
        rendered = render_shipped(stack)
        assert not compare_stacks(rendered.documents, rendered.documents, (rendered.capacity, rendered.capacity))


def test_everything_is_seen() -> None:
    """A stack against another one, and against nothing, gives changes of each area and never an error."""
    dev, prod = render_shipped("dev"), render_shipped("prod")
    for before, after in ((dev.documents, prod.documents), (prod.documents, dev.documents), (dev.documents, {})):
        assert len({change.area for change in compare_stacks(before, after)}) > 4
