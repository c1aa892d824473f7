"""Upgrades: one after the other, checked each, and taken back where one does not do well."""

from __future__ import annotations

import argparse
import subprocess
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cli import engine, lifecycle, render, stored, upgrade
from cli.upgrade import Course, check_upgrades, upgrade_stack
from cli.verify import Health, Report
from cli.versions import Upgrade
from model.errors import ConfigError
from model.images import UpgradeNote
from stack.assemble import load_images
from tests.support.systems import ROOT, plan_shop

UP = {"health": "up", "scrapeUrl": "http://api"}
DOWN = {"health": "down", "scrapeUrl": "http://db"}
WELL = Report("dev", [Health("loki", "healthy", "", 0)], [UP])
SICK = Report("dev", [Health("loki", "unhealthy", "", 0)], [UP])
NO_WAY_BACK = UpgradeNote(version="13", summary="x", reversible=False, source="https://g.example")
LOKI = Upgrade(name="loki", before="3.7.7", after="3.7.8", stores=("loki",))
PROXY = Upgrade(name="haproxy", before="2.6", after="2.8")
GRAFANA = Upgrade(name="grafana", before="12", after="13", stores=("grafana",), notes=(NO_WAY_BACK,))
STORED = {"samples of job api": 10.0}


class Runs:
    """Runs whose reports, or failures, and stored numbers are given; remembers what each held.

    Attributes:
        held: what `versions` said in each run, and what it says at the end.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch, folder: Path, *reports: Any, answers: Any = ()) -> None:
        self.reports, self.answers = [*reports], [*answers]
        self.held: list[Mapping[str, str]] = []
        host = SimpleNamespace(read_last_log_lines=lambda: [("dev-loki", "what it said")])
        monkeypatch.setattr(upgrade, "open_workspace", lambda stack, env: stack)
        monkeypatch.setattr(engine, "build_tool_env", lambda: {})
        monkeypatch.setattr(upgrade, "hold_versions", lambda space, held: self.held.append(dict(held)))
        monkeypatch.setattr(lifecycle, "connect_stack", lambda stack: ("space", plan_shop(folder), host))
        monkeypatch.setattr(lifecycle, "roll_out", self._roll_out)
        monkeypatch.setattr(stored, "read_stored", lambda plan, host, moment: self._read())
        monkeypatch.setattr(upgrade, "ANSWERS", 0)

    def _roll_out(self, space: Any, plan: Any, host: Any, phases: Any) -> Any:
        report = self.reports.pop(0)
        if isinstance(report, Exception):
            raise report
        return report

    def _read(self) -> Any:
        return self.answers.pop(0) if self.answers else STORED


@pytest.fixture(autouse=True)
def _wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upgrade.console, "width", 400)
    monkeypatch.setattr(lifecycle.console, "width", 400)


def start(*upgrades: Upgrade) -> tuple[Course, int]:
    """An upgrade of these, and its exit code."""
    course = Course("dev", {each.name: each.before for each in upgrades})
    return course, upgrade_stack(course, upgrades)


def test_one_after_the_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """First all as it is; then each release leaves the others held."""
    runs = Runs(monkeypatch, tmp_path, WELL, WELL, WELL)
    assert start(PROXY, LOKI)[1] == 0
    assert runs.held == [{"haproxy": "2.6", "loki": "3.7.7"}, {"loki": "3.7.7"}, {}]


def test_a_stack_that_is_not_well_is_not_upgraded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is deployed as it is, with all versions held, and no more."""
    runs = Runs(monkeypatch, tmp_path, SICK)
    assert start(LOKI)[1] == 1
    assert runs.held == [{"loki": "3.7.7"}]
    said = capsys.readouterr().out
    assert "nothing was upgraded, as the stack is not well" in said and "loki is unhealthy" in said


@pytest.mark.parametrize(
    "failure", [SICK, subprocess.CalledProcessError(1, ["pulumi"]), Report("dev", WELL.workloads, [])]
)
def test_what_does_not_do_well_is_taken_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], failure: Any
) -> None:
    """An unhealthy part, a run that fails, a stack without targets; what would come after it stays where it is."""
    runs = Runs(monkeypatch, tmp_path, WELL, failure, WELL)
    course, code = start(LOKI, GRAFANA)
    assert code == 1 and runs.held[-1] == course.held == {"loki": "3.7.7", "grafana": "12"}
    said = capsys.readouterr().out
    assert "loki 3.7.8 does not do well" in said and "dev-loki last said:" in said
    assert "loki is back at 3.7.7, healthy, with all that was stored." in said
    assert "holds it there, and what would have come after it: grafana, loki." in said


def test_lost_data_is_a_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A part that is healthy and has lost what it stored is taken back like one that is not."""
    runs = Runs(monkeypatch, tmp_path, WELL, WELL, WELL, answers=[STORED, {"samples of job api": 1}, STORED])
    assert start(LOKI)[1] == 1
    assert runs.held[-1] == {"loki": "3.7.7"}
    assert "samples of job api: 10 before, 1 now" in capsys.readouterr().out


def test_what_was_down_before_is_no_obstacle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Somebody's service that is down does not hold an upgrade up; one that goes down with it does."""
    down = Report("dev", WELL.workloads, [UP, DOWN])
    assert Runs(monkeypatch, tmp_path, down, down) and start(LOKI)[1] == 0
    assert Runs(monkeypatch, tmp_path, WELL, down, WELL) and start(LOKI)[1] == 1
    assert "http://db is down" in capsys.readouterr().out


def test_without_a_way_back_nothing_is_taken_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The version before may not read what the new one wrote: people are told how the backup comes back."""
    runs = Runs(monkeypatch, tmp_path, WELL, SICK)
    assert start(GRAFANA)[1] == 1
    assert runs.held[-1] == {"grafana": "12"} and runs.reports == []
    said = capsys.readouterr().out
    assert "12 may not read what 13 has written" in said and "make restore STACK=dev FROM=latest" in said


def test_a_way_back_that_fails_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nobody may believe that it is well again."""
    assert Runs(monkeypatch, tmp_path, WELL, SICK, SICK) and start(LOKI)[1] == 1
    said = capsys.readouterr().out
    assert "loki is back at 3.7.7, and it is not well" in said and "healthy, with all" not in said


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


def call(monkeypatch: pytest.MonkeyPatch, folder: Path, upgrades: list[Upgrade], **options: Any) -> int:
    """`observability upgrade` of a stack with these upgrades."""
    monkeypatch.setattr(upgrade, "prepare_upgrades", lambda stack: ("space", plan_shop(folder), None, upgrades))
    given = {"stack": "dev", "only": "", "list": False, "without_backup": False} | options
    return upgrade.run_command(argparse.Namespace(**given))


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
    assert runs.held == [{"loki": "3.7.7", "grafana": "12"}, {"grafana": "12"}]


def test_people_s_own_tags_are_those_that_are_wanted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What an earlier upgrade holds is upgraded, to what the stack's own file says where it says something."""
    plan = plan_shop(
        tmp_path, {}, {"demo": "false", "versions": '{"loki": "3.7.7", "prometheus": "v3.14.0", "traefik": "v1"}'}
    )
    references = ("grafana/loki:3.7.7", "prom/prometheus:v3.14.0", "prom/alertmanager:v0.31.0", "traefik:v1")
    said = {"traefik": "v2"}
    images = [{"type": "docker:index/remoteImage:RemoteImage", "inputs": {"name": name}} for name in references]
    space = SimpleNamespace(export_state=lambda: {"deployment": {"resources": images}}, backend="", stack="dev")
    monkeypatch.setattr(render, "plan_file", lambda path, stack: None)
    monkeypatch.setattr(lifecycle, "fetch_prerequisites", lambda first: {})
    monkeypatch.setattr(lifecycle, "connect_stack", lambda stack, overlay: (space, plan, "host"))
    monkeypatch.setattr(
        upgrade, "read_held", lambda stack: {"held": {"prometheus": "v3.14.0", "traefik": "v1"}, "said": said}
    )
    *_, upgrades = upgrade.prepare_upgrades("dev")
    assert {each.name: (each.before, each.after) for each in upgrades} == {
        "alertmanager": ("v0.31.0", load_images(ROOT)["alertmanager"].tag),
        "prometheus": ("v3.14.0", load_images(ROOT)["prometheus"].tag),
        "traefik": ("v1", "v2"),
    }
