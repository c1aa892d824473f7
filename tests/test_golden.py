"""Every document of every shipped stack is as it was reviewed: `make golden` rewrites them, the diff is the review."""

from __future__ import annotations

import difflib
import os
from pathlib import Path

import pytest

from ops.render import documents, plan_file

ROOT = Path(__file__).resolve().parents[1]
GOLDEN = ROOT / "tests" / "golden"
STACKS = sorted(path.name.removeprefix("Pulumi.").removesuffix(".yaml") for path in ROOT.glob("Pulumi.*.yaml"))
_SHOWN = 40
"""Lines of a difference that a failure repeats."""


def stored(folder: Path) -> dict[str, str]:
    """The files below a folder by their relative path."""
    return {
        str(path.relative_to(folder)): path.read_text(encoding="utf-8") for path in folder.rglob("*") if path.is_file()
    }


def rewrite(folder: Path, files: dict[str, str]) -> None:
    """Makes a folder hold exactly `files`."""
    for name in stored(folder).keys() - files.keys():
        (folder / name).unlink()
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def differences(before: dict[str, str], after: dict[str, str]) -> list[str]:
    """What differs, as readable text: documents that are new or gone, and a unified diff of each changed one."""
    found = [f"{name}: is new" for name in sorted(after.keys() - before.keys())]
    found += [f"{name}: is gone" for name in sorted(before.keys() - after.keys())]
    for name in sorted(name for name in after.keys() & before.keys() if after[name] != before[name]):
        lines = difflib.unified_diff(before[name].splitlines(), after[name].splitlines(), "golden", "now", lineterm="")
        found += [f"{name}: differs", *list(lines)[:_SHOWN]]
    return found


@pytest.mark.parametrize("stack", STACKS)
def test_documents_are_as_reviewed(stack: str) -> None:
    """Rendering a stack gives exactly its golden files: none changed, none new, none gone."""
    files = documents(plan_file(ROOT / f"Pulumi.{stack}.yaml", stack))
    if os.environ.get("GOLDEN_UPDATE"):
        rewrite(GOLDEN / stack, files)
    found = differences(stored(GOLDEN / stack), files)
    assert not found, "\n".join([*found, "if this is meant: make golden"])


def test_every_golden_folder_belongs_to_a_stack() -> None:
    """A stack that is gone leaves no golden files behind."""
    assert {path.name for path in GOLDEN.iterdir() if path.is_dir()} == set(STACKS)


def test_rendering_twice_gives_the_same() -> None:
    """Documents depend on their inputs alone, not on the order of a set or the time of day."""
    first, second = (documents(plan_file(ROOT / "Pulumi.dev.yaml", "dev")) for _ in range(2))
    assert first == second


def test_a_difference_names_document_and_line() -> None:
    """A failure says which document is new, gone or changed, and where."""
    found = differences({"a": "x\ny\n", "b": ""}, {"a": "x\nz\n", "c": ""})
    assert found[:3] == ["c: is new", "b: is gone", "a: differs"]
    assert {"-y", "+z"} <= set(found)


def test_update_removes_what_is_gone(tmp_path: Path) -> None:
    """GOLDEN_UPDATE leaves nothing of a document that is no longer rendered."""
    rewrite(tmp_path, {"a/x": "1", "b": "2"})
    rewrite(tmp_path, {"a/x": "3"})
    assert stored(tmp_path) == {"a/x": "3"}
