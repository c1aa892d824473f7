"""`observability doctor`: everything that is wrong, in the order in which it is mended."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cli import doctor, engine, render
from cli.table import Report
from cli.verify import Health, describe_mend
from model.errors import ConfigError, Problem

WELL = Health("prometheus", "healthy", "", 64)
TARGET = {"labels": {"job": "api", "service": "api"}, "scrapeUrl": "http://api:1/metrics"}


def alert(name: str, severity: str, state: str = "firing") -> dict[str, Any]:
    """An alert as Prometheus' API has it."""
    labels = {"alertname": name, "severity": severity, "service": "api"}
    return {"labels": labels, "state": state, "annotations": {"summary": f"{name} here", "description": "why"}}


class FakeHost:
    """A place where Loki has stopped."""

    def __init__(self, *alerts: dict[str, Any], obstacles: tuple[str, ...] = ()) -> None:
        self.alerts, self.obstacles = alerts, obstacles

    def check_preflight(self, _plan: object) -> list[str]:
        """See `cli.hosts.Host`."""
        return [*self.obstacles]

    def read_last_log_lines(self) -> list[tuple[str, str]]:
        """See `cli.hosts.Host`."""
        return [("dev-loki", "starting\nno space left on device\n")]

    def ask_prometheus(self, path: str) -> Any:
        """See `cli.hosts.Host`."""
        assert path == "alerts"
        return {"alerts": [*self.alerts]}


@pytest.fixture
def examine(monkeypatch: pytest.MonkeyPatch) -> Any:
    """What is wrong with a stack that has this report, host and files."""

    def made(report: Report, host: FakeHost, mistakes: tuple[Problem, ...] = ()) -> list[doctor.Trouble]:
        def plan(_path: Path, _stack: str) -> Any:
            if mistakes:
                raise ConfigError(mistakes)
            return SimpleNamespace(settings=SimpleNamespace(target="docker"))

        monkeypatch.setattr(render, "plan_file", plan)
        monkeypatch.setattr(render, "plan_workspace", lambda _: plan(Path(), "dev"))
        monkeypatch.setattr(doctor, "open_workspace", lambda *_: SimpleNamespace(directory=Path()))
        monkeypatch.setattr(doctor, "find_location", lambda *_: (None, ""))
        monkeypatch.setattr(doctor, "open_host", lambda *_: host)
        monkeypatch.setattr(doctor, "build_report", lambda *_: report)
        monkeypatch.setattr(engine, "build_tool_env", dict)
        return [*doctor.diagnose_stack("dev").troubles]

    return made


def test_a_stack_that_is_well_has_nothing(examine: Any) -> None:
    """The alert that always fires is none, nor is one that only waits."""
    report = Report("dev", [WELL], [{**TARGET, "health": "up"}])
    assert examine(report, FakeHost(alert("Watchdog", "none"), alert("TargetDown", "critical", "pending"))) == []


def test_what_explains_the_others_comes_first(examine: Any) -> None:
    """Files, engine, workloads, targets, what is unseen, alerts by severity."""
    down = {**TARGET, "health": "down", "lastError": "connection refused"}
    report = Report(
        "dev",
        [WELL, Health("loki", "exited", "", 64)],
        [down],
        ["Loki has no line", "the container dev-loki is exited"],
    )
    host = FakeHost(alert("SlowRequests", "warning"), alert("TargetDown", "critical"), obstacles=("cgroups are off",))
    troubles = examine(report, host, ())
    assert [each.where for each in troubles] == ["docker", "workload", "target", "unseen", "alert", "alert"]
    assert troubles[1].what == "loki is exited; it last said: no space left on device"
    assert troubles[1].remedy == describe_mend("dev"), "as `make verify` has it"
    assert troubles[2].what == "api at http://api:1/metrics is not scraped: connection refused"
    assert troubles[4].what == "TargetDown of api (critical): TargetDown here"
    assert troubles[4].remedy == "docs/runbooks/TargetDown.md"


def test_a_mistake_in_a_file_hides_nothing_of_what_runs(examine: Any) -> None:
    """It is said once, and the stack that was deployed before is looked at all the same."""
    report = Report("dev", [Health("loki", "exited", "", 64)], [])
    troubles = examine(report, FakeHost(), (Problem("Pulumi.dev.yaml: loki", "unknown key"),))
    assert [each.where for each in troubles] == ["file", "workload"]
    assert "Pulumi.dev.yaml: loki" in troubles[0].what


def test_an_engine_that_does_not_answer_is_the_trouble(examine: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its own words, and no traceback."""

    def refuse(*_: object) -> None:
        raise SystemExit("no Docker engine answers at unix:///var/run/docker.sock")

    examine(Report("dev", [WELL], []), FakeHost())
    monkeypatch.setattr(doctor, "open_host", refuse)
    (trouble,) = doctor.diagnose_stack("dev").troubles
    assert trouble.where == "engine" and "no Docker engine answers" in trouble.what


@pytest.mark.parametrize("as_json", [False, True])
def test_people_and_programs_read_the_same(
    as_json: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A numbered list, or one document; the exit code says whether anything is wrong."""
    troubles = [doctor.Trouble("workload", "loki is exited [x]", "start it")]
    monkeypatch.setattr(doctor, "diagnose_stack", lambda _: doctor.Diagnosis(troubles, ["pending: x"]))
    code = doctor.run_command(SimpleNamespace(stack="dev", json=as_json))  # type: ignore[arg-type]
    said = capsys.readouterr().out
    assert code == 1
    if as_json:
        (trouble,) = json.loads(said)["troubles"]
        assert trouble == {"where": "workload", "what": "loki is exited [x]", "remedy": "start it"}
    else:
        assert "1. workload loki is exited [x]" in said and "start it" in said and "note pending: x" in said
    troubles.clear()
    assert doctor.run_command(SimpleNamespace(stack="dev", json=as_json)) == 0  # type: ignore[arg-type]
