"""Every document of every shipped stack is as it was reviewed: `make golden` rewrites them, the diff is the review.

What is stored of each stack, and in which form, is in tests/support/golden.py.
"""

from __future__ import annotations

import difflib
import os
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from cli.render import render_documents
from model.plan import Plan
from model.workload import Workload
from targets.docker import check as docker_check
from targets.kubernetes import check as kubernetes_check
from tests.support.fields import FULL as FULL_WORKLOAD
from tests.support.fields import leaves, variants
from tests.support.golden import FULL, ROOT, SAME, STACKS, differing, golden, plan_as, readable

GOLDEN = ROOT / "tests" / "golden"
TABLES = {"docker": docker_check.FIELDS, "kubernetes": kubernetes_check.FIELDS}
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
    files = golden(stack)
    if os.environ.get("GOLDEN_UPDATE"):
        rewrite(GOLDEN / stack, files)
    found = differences(stored(GOLDEN / stack), files)
    assert not found, "\n".join([*found, "if this is meant: make golden"])


def test_one_stack_of_each_target_is_stored_in_full() -> None:
    """It has every document; another stack has what differs, and a list of what does not."""
    for target, stack in FULL.items():
        plan = plan_as(stack, stack)
        assert plan.settings.target == target
        assert len(stored(GOLDEN / stack)) == len(render_documents(plan))
    assert {path.parent.name for path in GOLDEN.glob(f"*/{SAME}")} == set(STACKS) - set(FULL.values())


@pytest.mark.exhaustive
@pytest.mark.parametrize("stack", STACKS)
def test_a_stacks_name_decides_on_no_document(stack: str) -> None:
    """So that it can be compared with another one under that one's name."""
    plan = plan_as(stack, stack)
    assert render_documents(plan).keys() == render_documents(plan_as(stack, FULL[plan.settings.target])).keys()


def test_what_differs_is_stored_and_nothing_else() -> None:
    """An equal document is a line, a changed one a diff, a new one a diff against its like, or itself without one."""
    before = {"a/x.yml": "1\n2\n3\n", "b/y.yml": "1\n", "docker/api.yaml": "".join(f"{n} api\n" for n in range(40))}
    after = {
        "a/x.yml": "1\n2\n4\n",
        "b/y.yml": "1\n",
        "docker/web.yaml": "".join(f"{n} web\n" for n in range(39)) + "x\n",
        "c/z.txt": "n\n",
    }
    found = differing(before, after, "dev")
    assert found.keys() == {SAME, "a/x.yml.diff", "docker/web.yaml.diff", "c/z.txt"}
    assert found[SAME] == "as in dev:\n  b/y.yml\nnot here:\n  docker/api.yaml\n"
    assert found["a/x.yml.diff"].splitlines()[3:] == [" 2", "-3", "+4"]
    assert [line for line in found["docker/web.yaml.diff"].splitlines()[3:] if line[0] in "+-"] == ["-39 web", "+x"]


@cache
def base_plan(stack: str) -> Plan:
    """The plan of a stack, once for all tests; with an Ingress and a foreign network, of which some fields speak."""
    plan = plan_as(stack, stack)
    cluster = plan.settings.kubernetes.model_copy(update={"ingress_class": "traefik"})
    engine = plan.settings.docker.model_copy(update={"external_networks": ("shop",)})
    return replace(plan, settings=plan.settings.model_copy(update={"kubernetes": cluster, "docker": engine}))


def golden_of(stack: str, workload: Workload) -> dict[str, str]:
    """What would be stored of a stack in full that runs this workload alone."""
    plan = base_plan(stack)
    names = (FULL_WORKLOAD.image, workload.image)
    images = {**plan.images, **{name: plan.images["busybox"].model_copy(update={"repository": name}) for name in names}}
    return readable(replace(plan, images=images, workloads={"x": (workload,)}))


CHANGES = {
    path: [name for name in FULL if "expressed" in TABLES[name].find_kinds(path)] for path in dict.fromkeys(leaves())
}
"""The targets that express each field of a Workload."""


@pytest.mark.parametrize("path", [path for path, targets in CHANGES.items() if targets])
def test_a_change_of_a_workload_changes_a_golden_file(path: str) -> None:
    """Whatever a target expresses is seen in a review of it: probe, mounts, limits, reload, access and all others."""
    for name in CHANGES[path]:
        for before, after in variants(path):
            assert golden_of(FULL[name], before) != golden_of(FULL[name], after), f"{name} expresses it"


def test_every_golden_folder_belongs_to_a_stack() -> None:
    """A stack that is gone leaves no golden files behind."""
    assert {path.name for path in GOLDEN.iterdir() if path.is_dir()} == set(STACKS)


def test_rendering_twice_gives_the_same() -> None:
    """Documents depend on their inputs alone, not on the order of a set or the time of day."""
    first, second = (render_documents(plan_as("dev", "dev")) for _ in range(2))
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
