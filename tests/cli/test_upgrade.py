"""Upgrades: one after the other, checked each, and taken back where one does not do well."""

from __future__ import annotations

import argparse
import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cli import engine, lifecycle, render, stored, upgrade
from cli.pulled import build_refusal
from cli.record import Record, Underway
from cli.runs import LockedError
from cli.table import Report
from cli.upgrade import Course, check_upgrades, upgrade_stack
from cli.verify import Health
from cli.versions import Upgrade
from model.errors import ConfigError
from model.images import UpgradeNote
from stack.assemble import load_images
from tests.components.backup.test_component import plan as plan_with_backups
from tests.support.systems import ROOT, plan_shop

UP = {"health": "up", "scrapeUrl": "http://api", "labels": {"service": "api", "job": "api"}}
DOWN = {"health": "down", "scrapeUrl": "http://db", "labels": {"service": "db", "job": "postgres"}}
MOVED = DOWN | {"health": "unknown", "scrapeUrl": "http://10.0.0.9"}
WELL = Report("dev", [Health("loki", "healthy", "", 0)], [UP])
SICK = Report("dev", [Health("loki", "unhealthy", "", 0)], [UP])
NO_WAY_BACK = UpgradeNote(version="13", summary="x", reversible=False, source="https://g.example")
LOKI = Upgrade(name="loki", before="3.7.7", after="3.7.8", stores=("loki",))
PROXY = Upgrade(name="haproxy", before="2.6", after="2.8")
GRAFANA = Upgrade(name="grafana", before="12", after="13", stores=("grafana",), notes=(NO_WAY_BACK,))
STORED = {"samples of job api": 10.0}
REFUSED = RuntimeError("no Loki runs")


class Runs:
    """Runs whose reports, or failures, and stored numbers are given; remembers what each held.

    Attributes:
        held: what `versions` said in each run, and what it says at the end.
        underway: the step that was stored with each, by the image's name.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch, folder: Path, *reports: Any, answers: Any = ()) -> None:
        self.reports, self.answers = [*reports], [*answers]
        self.held: list[Mapping[str, str]] = []
        self.underway: list[str] = []
        host = SimpleNamespace(read_last_log_lines=lambda: [("dev-loki", "what it said")])
        monkeypatch.setattr(upgrade, "open_workspace", lambda stack, env: stack)
        monkeypatch.setattr(engine, "build_tool_env", lambda: {})
        monkeypatch.setattr(upgrade, "hold_versions", self._hold)
        monkeypatch.setattr(lifecycle, "connect_stack", lambda stack: ("space", plan_shop(folder), host))
        monkeypatch.setattr(lifecycle, "roll_out", self._roll_out)
        monkeypatch.setattr(stored, "read_stored", lambda plan, host, moment: self._read())
        monkeypatch.setattr(upgrade, "ANSWERS", 0)

    def _hold(self, space: Any, held: Mapping[str, str], underway: Underway | None = None) -> None:
        self.held.append(dict(held))
        self.underway.append(underway.name if underway else "")

    def _roll_out(self, space: Any, plan: Any, host: Any, phases: Any) -> Any:
        report = self.reports.pop(0)
        if isinstance(report, BaseException):
            raise report
        return report

    def _read(self) -> Any:
        answer = self.answers.pop(0) if self.answers else STORED
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture(autouse=True)
def _wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upgrade.console, "width", 400)
    monkeypatch.setattr(lifecycle.console, "width", 400)


def start(folder: Path, *upgrades: Upgrade) -> tuple[Course, int]:
    """An upgrade of these, and its exit code."""
    course = Course("dev", {each.name: each.before for each in upgrades})
    return course, upgrade_stack(course, upgrades, plan_shop(folder))


def test_one_after_the_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """First all as it is; then each release leaves the others held, and is underway until it was looked at."""
    runs = Runs(monkeypatch, tmp_path, WELL, WELL, WELL)
    assert start(tmp_path, PROXY, LOKI)[1] == 0
    last = {"loki": "3.7.7"}
    assert runs.held == [{"haproxy": "2.6", "loki": "3.7.7"}, last, last, {}, {}]
    assert runs.underway == ["", "haproxy", "", "loki", ""]


@pytest.mark.parametrize(
    ("report", "answer", "words"),
    [
        (SICK, STORED, "loki is unhealthy"),
        (Report("dev", [], [UP]), STORED, "no part of the stack runs"),
        (WELL, REFUSED, "what is stored is not known: no Loki runs"),
        (WELL, {"lines of job a": 1.0}, "Prometheus has stored nothing yet that could be compared"),
    ],
)
def test_a_stack_that_is_not_well_is_not_upgraded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, report: Report, answer: Any, words: str
) -> None:
    """It is deployed as it is, with all versions held, and no more: nothing could be compared with it."""
    runs = Runs(monkeypatch, tmp_path, report, answers=[answer])
    with upgrade.console.capture() as said:
        assert start(tmp_path, LOKI)[1] == 1
    assert runs.held == [{"loki": "3.7.7"}]
    assert "nothing was upgraded, as the stack is not well" in said.get() and words in said.get()


@pytest.mark.parametrize(
    "failure", [SICK, subprocess.CalledProcessError(1, ["pulumi"]), Report("dev", WELL.workloads, [])]
)
def test_what_does_not_do_well_is_taken_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], failure: Any
) -> None:
    """An unhealthy part, a run that fails, a stack without targets; what would come after it stays where it is."""
    runs = Runs(monkeypatch, tmp_path, WELL, failure, WELL)
    course, code = start(tmp_path, LOKI, GRAFANA)
    assert code == 1 and runs.held[-1] == course.held == {"loki": "3.7.7", "grafana": "12"}
    assert runs.underway[-1] == ""
    said = capsys.readouterr().out
    assert "loki 3.7.8 does not do well" in said and "dev-loki last said:" in said
    assert "loki is back at 3.7.7, healthy, with all that was compared." in said
    assert "holds it there, and what would have come after it: grafana, loki." in said


def test_lost_data_is_a_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A part that is healthy and has lost what it stored is taken back like one that is not."""
    runs = Runs(monkeypatch, tmp_path, WELL, WELL, WELL, answers=[STORED, {"samples of job api": 1}, STORED])
    assert start(tmp_path, LOKI)[1] == 1
    assert runs.held[-1] == {"loki": "3.7.7"}
    assert "samples of job api: 10 before, 1 now" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("before", "after", "code"),
    [
        (Report("dev", WELL.workloads, [UP, DOWN]), Report("dev", WELL.workloads, [UP, MOVED]), 0),
        (WELL, Report("dev", WELL.workloads, [UP, DOWN]), 1),
        (
            Report("dev", WELL.workloads, [UP], ["no metrics of 3 of 12 containers"]),
            Report("dev", WELL.workloads, [UP], ["no metrics of 2 of 12 containers"]),
            0,
        ),
    ],
)
def test_only_what_is_worse_is_a_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: Report, after: Report, code: int
) -> None:
    """What was down before holds nothing up, wherever it is now, nor does less of a trouble; what goes down does."""
    Runs(monkeypatch, tmp_path, before, after, WELL)
    assert start(tmp_path, LOKI)[1] == code


def test_without_a_way_back_nothing_is_taken_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The version before may not read what the new one wrote: that one is held, so that no run goes back over it."""
    runs = Runs(monkeypatch, tmp_path, WELL, SICK)
    assert start(tmp_path, GRAFANA)[1] == 1
    assert runs.held[-1] == {"grafana": "13"} and runs.reports == [] and runs.underway[-1] == ""
    said = capsys.readouterr().out
    assert "12 may not read what 13 has written, so 13 stays." in said
    assert "There is no backup of before to go back to." in said and "make restore" not in said


def test_people_read_the_whole_way_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With backups: the version to hold, the volume to remove, the parts that are left as they are."""
    plan = plan_with_backups(tmp_path)
    upgrade.print_way_back("dev", GRAFANA, plan)
    said = capsys.readouterr().out
    assert "observability:versions: {grafana: 12}" in said and "remove the data volumes of grafana alone" in said
    assert "FROM=ID WITHOUT=" in said and "grafana" not in said.split("WITHOUT=")[1].split()[0].split(",")


def test_a_way_back_that_fails_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nobody may believe that it is well again."""
    assert Runs(monkeypatch, tmp_path, WELL, SICK, SICK) and start(tmp_path, LOKI)[1] == 1
    said = capsys.readouterr().out
    assert "loki is back at 3.7.7, and it is not well" in said and "healthy, with all" not in said


def test_a_step_that_is_cut_short_is_looked_at_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it is compared with was stored before it; the next run takes it back where it does not do well."""
    runs = Runs(monkeypatch, tmp_path, WELL, KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        start(tmp_path, LOKI)
    assert runs.underway[-1] == "loki" and runs.held[-1] == {}
    runs = Runs(monkeypatch, tmp_path, SICK, WELL)
    step = Underway(name="loki", before="3.7.7", known={}, stored=STORED, moment=5)
    prepared = SimpleNamespace(build_interrupted=lambda: (LOKI, step), plan=plan_shop(tmp_path))
    monkeypatch.setattr(upgrade, "prepare_stack", lambda stack, change: prepared)
    monkeypatch.setattr(upgrade, "read_record", lambda stack: Record(held={"grafana": "12"}, underway=step))
    monkeypatch.setenv("OBSERVABILITY_STATE", str(tmp_path / "state"))
    assert upgrade.run_command(options()) == 1
    assert runs.held == [{"grafana": "12"}, {"grafana": "12", "loki": "3.7.7"}]


@pytest.mark.parametrize(
    ("upgrades", "only", "given", "words"),
    [
        ([LOKI], ["lokki"], {"saved": True}, "'lokki' is no image that has another version; did you mean 'loki'?"),
        ([LOKI], [], {}, "loki store data, and the stack makes no backups"),
        (
            [Upgrade(name="loki", before="3.8.0", after="3.7.8", stores=("loki",))],
            [],
            {"saved": True},
            "loki 3.8.0 is newer than 3.7.8, which may not read its data; hold it: observability:versions: {loki: 3.8",
        ),
    ],
)
def test_what_stands_in_the_way_is_said(
    upgrades: list[Upgrade], only: list[str], given: dict[str, bool], words: str
) -> None:
    """A slip of the pen, data without a backup, a way back over data."""
    (problem,) = check_upgrades("dev", upgrades, only, **{"saved": False, "without_backup": False} | given)
    assert words in str(problem)


@pytest.mark.parametrize(
    ("upgrades", "only", "given"),
    [
        ([LOKI], [], {"saved": True}),
        ([LOKI], [], {"without_backup": True}),
        ([LOKI, PROXY], ["haproxy"], {}),
        ([Upgrade(name="haproxy", before="3", after="2")], [], {}),
    ],
)
def test_what_does_not_is_let_through(upgrades: list[Upgrade], only: list[str], given: dict[str, bool]) -> None:
    """With a backup or without need of one; a part without data may go back."""
    assert check_upgrades("dev", upgrades, only, **{"saved": False, "without_backup": False} | given) == []


def options(**given: Any) -> argparse.Namespace:
    """What people give on the command line."""
    return argparse.Namespace(**{"stack": "dev", "only": "", "list": False, "without_backup": False} | given)


def call(monkeypatch: pytest.MonkeyPatch, folder: Path, upgrades: list[Upgrade], **given: Any) -> int:
    """`observability upgrade` of a stack with these upgrades."""
    prepared = SimpleNamespace(
        space="space", plan=plan_shop(folder), build_upgrades=lambda: upgrades, build_interrupted=lambda: None
    )
    monkeypatch.setattr(upgrade, "prepare_stack", lambda stack, change: prepared)
    monkeypatch.setenv("OBSERVABILITY_STATE", str(folder / "state"))
    return upgrade.run_command(options(**given))


def test_a_list_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """--list prints what there is; where there is nothing, that is said, and nothing is held any longer."""
    runs = Runs(monkeypatch, tmp_path)
    assert call(monkeypatch, tmp_path, [LOKI], list=True) == call(monkeypatch, tmp_path, [], list=True) == 0
    assert "3.7.8" in capsys.readouterr().out and runs.held == []
    assert call(monkeypatch, tmp_path, []) == 0 and runs.held == [{}]
    assert "every image of stack dev has the version of configs/images.yaml" in capsys.readouterr().out


def test_data_is_not_risked_without_a_word(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stack without backups is upgraded only where people say that it may be; all others stay held."""
    runs = Runs(monkeypatch, tmp_path, WELL, WELL)
    with pytest.raises(ConfigError, match="WITHOUT_BACKUP=1"):
        call(monkeypatch, tmp_path, [LOKI, GRAFANA])
    assert runs.held == []
    assert call(monkeypatch, tmp_path, [LOKI, GRAFANA], only="loki", without_backup=True) == 0
    assert runs.held[0] == {"loki": "3.7.7", "grafana": "12"} and runs.held[-1] == {"grafana": "12"}


def test_one_upgrade_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between two steps Pulumi holds no lock."""
    monkeypatch.setenv("OBSERVABILITY_STATE", str(tmp_path / "state"))
    with (
        upgrade.lock_course("dev"),
        pytest.raises(LockedError, match="stack dev is being upgraded by another run"),
        upgrade.lock_course("dev"),
    ):
        pass
    with upgrade.lock_course("dev"):
        pass


class Deployed:
    """A shop that runs certain images."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, *references: str, **tags: str) -> None:
        images = [{"type": "docker:index/remoteImage:RemoteImage", "inputs": {"name": name}} for name in references]
        plan = plan_shop(folder, {}, {"demo": "false", "versions": json.dumps(tags)})
        state = {"deployment": {"resources": images}}
        space = SimpleNamespace(backend="", stack="dev", export_state=lambda: state)
        monkeypatch.setattr(render, "plan_file", lambda path, stack: None)
        monkeypatch.setattr(lifecycle, "fetch_prerequisites", lambda first: pytest.fail("something was got"))
        monkeypatch.setattr(lifecycle, "connect_stack", lambda stack, overlay: (space, plan, "host"))
        monkeypatch.setattr(upgrade, "read_wanted", lambda space: tags)


def test_people_s_own_tags_are_those_that_are_wanted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the stack's own file says is the version that is wanted; all others go to the checkout's."""
    references = ("grafana/loki:3.7.7", "prom/alertmanager:v0.31.0", "traefik:v1")
    Deployed(tmp_path, monkeypatch, *references, loki="3.7.7", traefik="v2")
    upgrades = upgrade.prepare_stack("dev", change=False).build_upgrades()
    assert {each.name: (each.before, each.after) for each in upgrades} == {
        "alertmanager": ("v0.31.0", load_images(ROOT)["alertmanager"].tag),
        "traefik": ("v1", "v2"),
    }


def test_what_is_not_deployed_is_not_up_to_date(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is refused, as a stack of another machine would be."""
    Deployed(tmp_path, monkeypatch)
    with pytest.raises(ConfigError, match="stack dev: nothing of it is deployed; do that first: make up STACK=dev"):
        upgrade.prepare_stack("dev", change=False)


def test_a_version_that_cannot_be_pulled_is_taken_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the registry's answer; the image of before is there."""
    runs = Runs(monkeypatch, tmp_path, WELL, build_refusal("dev", {"grafana/loki:3.7.8": "no such host"}, {}), WELL)
    _, code = start(tmp_path, LOKI)
    assert code == 1 and runs.held[-1] == {"loki": "3.7.7"}
    assert "grafana/loki:3.7.8 cannot be pulled (no such host)" in capsys.readouterr().out
