"""What people changed in Grafana's database, and silences that last."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest

from cli.alertmanagers import Instance
from cli.edited import OF_GRAFANA, OF_SILENCE, compare_grafana, compare_silences, has_database
from model.deviation import UP, Drift
from model.plan import Plan
from model.workload import ConfigDir

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
BOARD = {
    "uid": "host", "title": "Host",
    "panels": [
        {"type": "timeseries", "title": "CPU", "targets": [{"expr": "up"}]},
        {"type": "row", "title": "More", "panels": [{"type": "stat", "title": "Memory", "targets": [{"expr": "a"}]}]},
    ],
}  # fmt: skip
SOURCES = """
datasources:
- {uid: prometheus, name: Prometheus, type: prometheus, url: "http://prometheus:9090"}
"""


def build_plan(image: str = "grafana") -> Plan:
    """A plan with a dashboard and a data source."""
    config = ConfigDir(path="/etc/grafana", files={"datasources/datasources.yaml": SOURCES})
    workload = SimpleNamespace(name="grafana", image=image, config=config)
    boards = (SimpleNamespace(uid="host", model=BOARD),)
    telemetry = SimpleNamespace(dashboards=boards)
    return cast(Plan, SimpleNamespace(list_workloads=lambda: [workload], telemetry=telemetry))


class Grafana:
    """Answers of Grafana's API; it adds what each version of it adds."""

    def __init__(self) -> None:
        self.search: list[dict[str, Any]] = [{"uid": "host", "title": "Host"}]
        model = {**copy.deepcopy(BOARD), "id": 3, "version": 7, "schemaVersion": 42}
        self.board: dict[str, Any] = {"meta": {"provisioned": True}, "dashboard": model}
        self.sources: list[dict[str, Any]] = [
            {"uid": "prometheus", "name": "Prometheus", "type": "prometheus", "url": "http://prometheus:9090", "id": 1}
        ]

    def ask(self, path: str) -> Any:
        """A GET."""
        if path.startswith("/api/search?"):
            return self.search
        return self.sources if path == "/api/datasources" else self.board


CHANGES: dict[str, tuple[Callable[[Grafana], object], tuple[str, str, str, str]]] = {
    "a dashboard more": (
        lambda g: g.search.append({"uid": "mine", "title": "Mine"}), ("dashboard", "mine", "presence", OF_GRAFANA),
    ),
    "a dashboard less": (lambda g: g.search.clear(), ("dashboard", "host", "presence", UP)),
    "one of the database": (
        lambda g: g.board["meta"].update(provisioned=False), ("dashboard", "host", "origin", OF_GRAFANA),
    ),
    "another title": (lambda g: g.board["dashboard"].update(title="x"), ("dashboard", "host", "title", UP)),
    "another query": (
        lambda g: g.board["dashboard"]["panels"][0]["targets"][0].update(expr="down"),
        ("dashboard", "host", "panel CPU", UP),
    ),
    "a query in a row": (
        lambda g: g.board["dashboard"]["panels"][1]["panels"][0].update(targets=[]),
        ("dashboard", "host", "panel Memory", UP),
    ),
    "a panel more": (
        lambda g: g.board["dashboard"]["panels"].append({"title": "x"}), ("dashboard", "host", "panel x", UP),
    ),
    "a data source more": (
        lambda g: g.sources.append({"uid": "x", "name": "x", "type": "mysql", "url": "db"}),
        ("data source", "x", "presence", OF_GRAFANA),
    ),
    "a data source less": (lambda g: g.sources.clear(), ("data source", "prometheus", "presence", UP)),
    "another address": (lambda g: g.sources[0].update(url="http://x"), ("data source", "prometheus", "url", UP)),
}  # fmt: skip


def test_what_is_provisioned_is_silent() -> None:
    """Whatever Grafana adds to a dashboard by itself is no difference."""
    assert compare_grafana(build_plan(), Grafana().ask, 2) == Drift()


@pytest.mark.parametrize(("change", "expected"), CHANGES.values(), ids=CHANGES)
def test_every_edit_is_named(change: Callable[[Grafana], object], expected: tuple[str, str, str, str]) -> None:
    """With what puts it right."""
    grafana = Grafana()
    change(grafana)
    said = compare_grafana(build_plan(), grafana.ask, 1).deviations
    assert [(item.kind, item.name, item.what, item.repair) for item in said] == [expected]


def test_the_viewer_has_no_database() -> None:
    """Nothing can be edited in it, so nothing is queried."""
    assert has_database(build_plan()) and not has_database(build_plan("dashboard-viewer"))


class Alertmanager:
    """An instance with silences, or one that does not answer."""

    def __init__(self, *silences: dict[str, Any], answers: bool = True) -> None:
        self.silences, self.answers = silences, answers

    def ask(self, path: str, body: str | None = None) -> str:
        """The silences."""
        if not self.answers:
            raise RuntimeError("it is exited")
        return json.dumps(self.silences)

    def read_log(self, since: float) -> str:
        """Nothing."""
        return ""


def silence(begin: timedelta, end: timedelta, state: str = "active") -> dict[str, Any]:
    """A silence from and until so long from now."""
    return {
        "id": "s1", "status": {"state": state}, "createdBy": "ann",
        "startsAt": (NOW + begin).isoformat().replace("+00:00", ".123Z"), "endsAt": (NOW + end).isoformat(),
        "matchers": [
            {"name": "alertname", "value": "TargetDown", "isRegex": False, "isEqual": True},
            {"name": "service", "value": "a.*", "isRegex": True, "isEqual": False},
        ],
    }  # fmt: skip


HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("item", "long"),
    [
        (silence(-HOUR, HOUR), False),
        (silence(-HOUR, 30 * HOUR), True),
        (silence(-30 * HOUR, HOUR), True),
        (silence(-30 * HOUR, HOUR, "expired"), False),
        (silence(HOUR, 3 * HOUR, "pending"), False),
    ],
)
def test_a_silence_of_more_than_a_day_is_named(item: dict[str, Any], long: bool) -> None:
    """By what it hides, its times and who made it; one that has ended is none."""
    said = compare_silences([Alertmanager(answers=False), Alertmanager(item)], NOW).deviations
    assert [each.repair for each in said] == ([OF_SILENCE] if long else [])
    if long:
        assert said[0].running.startswith("alertname=TargetDown, service!~a.* from 2026-11-")
        assert said[0].running.endswith("by ann")


@pytest.mark.parametrize("instances", [[], [Alertmanager(answers=False)]])
def test_silences_that_nobody_says_are_not_none(instances: list[Instance]) -> None:
    """Where no Alertmanager answers, nothing is known."""
    with pytest.raises(RuntimeError):
        compare_silences(instances, NOW)
