"""From a fault to a notification, and back."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from tests.support.panels import panel_queries
from tests.support.running import RunningStack
from tests.support.waiting import eventually


def test_down_reaches_the_receiver_and_so_does_the_end(stack: RunningStack) -> None:
    """`make tour`: TargetDown of a stand-in reaches a webhook; when the fault is off, resolved reaches it too."""
    stack.http("demo-webhook", 8080, "DELETE", "/demo/webhook")
    run = stack.run("tour", timeout=900)
    print(run.text)
    assert run.code == 0
    assert stack.list_sent_alerts("firing", "TargetDown", "api")
    assert stack.list_sent_alerts("resolved", "TargetDown", "api")
    assert re.search(r"See it again in (Grafana|dashboard-viewer): .*(http|make open)", run.text)


def _some(ask: Callable[[str], list[Any]], query: str) -> bool:
    return bool(ask(query))


def test_watchdog_fires(stack: RunningStack) -> None:
    """The Watchdog is always among the firing alerts."""
    assert stack.prom('ALERTS{alertname="Watchdog", alertstate="firing"}')


@pytest.mark.parametrize("uid", ["plue-overview", "monitoring-stack"])
def test_every_panel_has_data(stack: RunningStack, uid: str) -> None:
    """Every query of the dashboard returns data from the live Prometheus or Loki."""
    queries = panel_queries(stack.root, stack.name, uid)
    assert queries
    empty = []

    def answered(ask: Callable[[str], list[Any]], query: str) -> bool:
        stack.http("traefik", 8080, "GET", "/api/health")  # what nobody uses between two scrapes has no ratio
        return _some(ask, query)

    for panel, source, query in queries:
        try:
            ask = stack.loki if source == "loki" else stack.prom
            eventually(partial(answered, ask, query), timeout=45, what=panel)
        except AssertionError:
            empty.append(f"{panel}: {query}")
    print(f"{uid}: {len(queries)} queries, {len(queries) - len(empty)} with data")
    assert not empty, "\n".join(empty)
