"""Configuration changes in place: live at once, nothing restarted, and refused changes change nothing."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import pytest

from tests.support.running import RunningStack
from tests.support.waiting import eventually

LIMIT = 10.0
"""Seconds from the end of the run to the new configuration being in force."""
NO_FILE = "/prometheus/queries.log"
"""A name of Prometheus' data directory that a folder has, so that no file can be opened under it."""


@pytest.fixture(autouse=True)
def _nothing_restarts(stack: RunningStack) -> Iterator[None]:
    """Container IDs and start times are the same after the test, and no scrape was missed during it."""
    before, began = stack.identities(), time.time()
    yield
    assert stack.identities() == before
    window = int(time.time() - began) + 10
    for series in stack.prom(f'up{{service="api"}}[{window}s]'):
        times = [float(at) for at, _ in series["values"]]
        gaps = [later - earlier for earlier, later in pairwise(times)]
        assert max(gaps, default=0) < 7.5, f"a scrape every 5 s was missed: {gaps}"


def _live(stack: RunningStack, what: str, probe: Callable[[], object]) -> None:
    run = stack.up()
    began = time.monotonic()
    eventually(probe, timeout=LIMIT, what=what)
    print(f"{what}: make up {run.seconds:.1f} s, live {time.monotonic() - began:.1f} s after it (limit {LIMIT:g} s)")


def test_scrape_target(stack: RunningStack) -> None:
    """A changed label of a target stands on its new samples, also by the first edit since Prometheus started."""
    stack.edit_system(lambda system: system["services"]["web"].update(labels={"team": "in-place"}))
    _live(stack, "scrape target", lambda: stack.prom('up{service="web", team="in-place"}'))


def test_rule(stack: RunningStack) -> None:
    """A new alert is evaluated."""

    def add(system: dict[str, Any]) -> None:
        system["alerts"].append(
            {
                "name": "InPlaceProbe",
                "expr": "vector(1)",
                "severity": "info",
                "summary": "s",
                "description": "d",
                "example": {"fires": {"up": "1"}, "silent": {"up": "1"}},
            }
        )

    stack.edit_system(add)
    _live(stack, "rule", lambda: stack.prom('ALERTS{alertname="InPlaceProbe"}'))


def test_dashboard(stack: RunningStack) -> None:
    """A new title of a dashboard is served."""

    def rename(system: dict[str, Any]) -> None:
        system["dashboards"][0]["title"] = "Plue Overview, renamed"

    stack.edit_system(rename)
    password = stack.run("password").text.split("grafana-admin-password: ", 1)[1].split()[0]
    url = f"http://admin:{password}@127.0.0.1:3000/api/dashboards/uid/plue-overview"
    _live(stack, "dashboard", lambda: "renamed" in stack.get("grafana", url)["dashboard"]["title"])


def test_route(stack: RunningStack) -> None:
    """A new route leads to its service."""
    route = {"name": "probe", "prefix": "/probe", "url": "http://api:4000", "strip": True, "login": False}
    stack.edit_settings(lambda config: config["traefik"].update(routes=[route]))
    _live(stack, "route", lambda: stack.http("traefik", 8080, "GET", "/probe/demo/healthz") is not None)


def test_loki_limit(stack: RunningStack) -> None:
    """A changed limit of Loki refuses what it forbids."""
    stack.edit_settings(lambda config: config["loki"].update(maxEntriesLimitPerQuery=7))

    def refused() -> bool:
        try:
            stack.get("loki", "http://127.0.0.1:3100/loki/api/v1/query_range?query=%7Bjob%3D%22x%22%7D&limit=100")
        except RuntimeError as error:
            return "400" in str(error)
        return False

    _live(stack, "Loki limit", refused)
    stack.edit_settings(lambda config: config["loki"].pop("maxEntriesLimitPerQuery"))
    stack.up()


def test_document_refused_by_the_validator(stack: RunningStack) -> None:
    """A rule that Prometheus cannot read: the run fails with promtool's words, the old rules stay in force."""

    def break_it(system: dict[str, Any]) -> None:
        system["alerts"][0]["summary"] = "{{ $value | nonsense }}"

    _refused(stack, break_it, 'function "nonsense" not defined')


def test_document_refused_by_the_process_only(stack: RunningStack) -> None:
    """What promtool accepts and Prometheus refuses: the run fails with its words, and the next one tries again."""
    rules = len(stack.get("prometheus", "http://127.0.0.1:9090/prometheus/api/v1/rules")["data"]["groups"])
    stack.sh("prometheus", f"/tools/busybox mkdir {NO_FILE}")
    stack.edit_settings(lambda config: config["prometheus"].update(queryLogFile=NO_FILE))
    for _ in range(2):  # the second run must try again although the state already holds the document
        run = stack.run("up")
        assert run.code != 0
        assert "failed to reload config" in run.text and "previous configuration is in force" in run.text, run.text
    assert len(stack.get("prometheus", "http://127.0.0.1:9090/prometheus/api/v1/rules")["data"]["groups"]) == rules
    assert stack.prom("prometheus_config_last_reload_successful")[0]["value"][1] == "1"
    stack.edit_settings(lambda config: config["prometheus"].pop("queryLogFile"))
    stack.sh("prometheus", f"/tools/busybox rmdir {NO_FILE}")
    stack.up()


def _refused(stack: RunningStack, change: Callable[[dict[str, Any]], None], words: str) -> None:
    path = stack.root / "configs/systems/plue.yaml"
    before = path.read_text()
    stack.edit_system(change)
    run = stack.run("up")
    path.write_text(before)
    assert run.code != 0
    assert words in run.text, run.text[-3000:]
    assert stack.prom('ALERTS{alertname="Watchdog"}')
    stack.up()
