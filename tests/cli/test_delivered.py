"""Documents as processes see them are compared by their digests."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from cli.delivered import BY_HAND, SCRIPT, compare_documents, describe_delivery, list_spoilt, parse_digests
from model.deviation import UP
from model.plan import Plan
from model.workload import ConfigDir

FILES = {"prometheus.yml": "a", "rules/api.yml": "b"}


def build_plan(files: dict[str, str] | None = None) -> Plan:
    """A plan with a workload that has documents, and one that has none."""
    config = ConfigDir(path="/etc/prometheus", files=FILES if files is None else files)
    workloads = [SimpleNamespace(name="prometheus", config=config), SimpleNamespace(name="api", config=None)]
    return cast(Plan, SimpleNamespace(list_workloads=lambda: workloads))


def print_digests(files: dict[str, str]) -> str:
    """What sha256sum prints of files."""
    return "".join(f"{hashlib.sha256(text.encode()).hexdigest()}  {path}\n" for path, text in files.items())


@pytest.mark.parametrize(
    ("there", "expected"),
    [
        (FILES, []),
        ({**FILES, "prometheus.yml": "x"}, [("prometheus.yml", "content", UP)]),
        ({"prometheus.yml": "a"}, [("rules/api.yml", "presence", UP)]),
        ({**FILES, "rules/x.yml": "x"}, [("rules/x.yml", "presence", UP)]),
        ({**FILES, "x.yml": "x"}, [("x.yml", "presence", BY_HAND)]),
    ],
    ids=["as declared", "edited", "removed", "added to a folder", "added beside"],
)
def test_every_change_is_named(there: dict[str, str], expected: list[tuple[str, str, str]]) -> None:
    """What a delivery puts right, and what it leaves."""
    calls: list[tuple[str, Sequence[str]]] = []

    def run(workload: str, command: Sequence[str]) -> list[tuple[str, str]]:
        calls.append((workload, command))
        return [("dev-prometheus", print_digests(there))]

    compared = compare_documents(build_plan(), run, at_once=2)
    said = compared["prometheus"].deviations
    assert [
        (item.name.removeprefix("dev-prometheus:/etc/prometheus/"), item.what, item.repair) for item in said
    ] == expected
    assert not compared["prometheus"].unread and [*compared] == ["prometheus"]
    assert calls == [("prometheus", ["/tools/busybox", "sh", "-c", SCRIPT, "/etc/prometheus"])]
    assert list_spoilt(compared) == (["prometheus"] if any(repair == UP for *_, repair in expected) else [])


@pytest.mark.parametrize("answer", [[], RuntimeError("it is exited")])
def test_who_cannot_be_asked_is_said(answer: Any) -> None:
    """Documents of a process that does not run are neither right nor wrong."""

    def run(workload: str, command: Sequence[str]) -> list[tuple[str, str]]:
        if isinstance(answer, RuntimeError):
            raise answer
        return []

    drift = compare_documents(build_plan(), run, at_once=1)["prometheus"]
    assert not drift.deviations and "were not compared" in drift.unread[0] and len(drift.unread) == 1


def test_the_script_sees_what_a_process_opens(tmp_path: Path) -> None:
    """Through the links of a delivery, and without revisions; a file in the place of a link is what counts."""
    revision = tmp_path / ".rev-1"
    (revision / "rules").mkdir(parents=True)
    (revision / "rules" / "a b.yml").write_text("b")
    (revision / "prometheus.yml").write_text("a")
    (tmp_path / "..data").symlink_to(".rev-1")
    (tmp_path / "rules").symlink_to("..data/rules")
    (tmp_path / "prometheus.yml").write_text("edited")
    script = SCRIPT.replace("/tools/busybox ", "")
    done = subprocess.run(["sh", "-c", script, tmp_path], capture_output=True, text=True, check=True)
    expected = {"prometheus.yml": "edited", "rules/a b.yml": "b"}
    assert parse_digests(done.stdout) == parse_digests(print_digests(expected))
    (tmp_path / "empty").mkdir()
    done = subprocess.run(["sh", "-c", script, tmp_path / "empty"], capture_output=True, text=True, check=True)
    assert done.stdout == ""


def test_a_change_of_people_is_told_from_one_behind_them() -> None:
    """What was delivered is not what the files say now: they have changed; else what is there has."""
    config = ConfigDir(path="/etc/loki", files={"loki.yaml": "a"})
    plan: Any = SimpleNamespace(list_workloads=lambda: [SimpleNamespace(name="loki", config=config)])
    now = config.compute_revision()
    assert describe_delivery(plan, "loki", "0123456789ab").startswith("delivers what your files say now")
    assert describe_delivery(plan, "loki", now).startswith("delivers again: documents of loki are not as")
    assert describe_delivery(plan, "loki", "").startswith("delivers again"), "nobody knows"
