"""Times are compared with what they would break."""

from __future__ import annotations

import pytest

from model.checks import times
from model.telemetry import AlertRule, RuleGroup, Telemetry
from tests.model.checks.contexts import context


def alert(expr: str, name: str = "A") -> AlertRule:
    """An alert on a query."""
    return AlertRule(name=name, expr=expr, severity="info", summary="s", description="d")


def said(interval: str, *queries: str, lookback: str = "5m", retention: str | None = "15d") -> list[str]:
    """The places of problems with a scrape interval beside alerts on these queries."""
    rules = (RuleGroup(name="g", alerts=tuple(map(alert, queries))),)
    known = context(telemetry=Telemetry(rules=rules), scrapeInterval=interval)
    problems = times.check_scraping(known, "prometheus", lookback=lookback, evaluation="15s", retention=retention)
    return [problem.where.partition(": ")[2] for problem in problems]


def test_windows_are_read_off_queries() -> None:
    """Ranges and subqueries have one each."""
    assert times.list_windows("rate(x[5m]) > avg_over_time(y[1h30m:1m])") == ["5m", "1h30m"]


@pytest.mark.parametrize(
    ("interval", "queries", "keys"),
    [
        ("15s", ("rate(x[5m])",), []),
        ("2m30s", ("rate(x[5m])",), []),
        ("2m31s", ("rate(x[5m])",), ["scrapeInterval"]),
        ("1m", ("rate(x[1m])", "rate(x[5m])"), ["scrapeInterval"]),
        ("5m", (), ["scrapeInterval"]),
        ("4m", (), []),
        ("999ms", (), ["scrapeInterval"]),
        ("15s", ("rate(x[16d])",), ["prometheus.retention"]),
    ],
)
def test_intervals_and_windows(interval: str, queries: tuple[str, ...], keys: list[str]) -> None:
    """Two samples must fit into the shortest window, one must be current until the next, and none may be gone."""
    assert said(interval, *queries) == keys


def test_the_shortest_window_of_each_service_is_known() -> None:
    """Rules count for the services that they name, and all of them for a service that none names."""
    queries = ('rate(x{service="a"}[5m])', 'rate(y{service="a"}[2m]) / rate(y{service="b"}[10m])', 'z{service="c"}')
    rules = (RuleGroup(name="g", alerts=tuple(map(alert, queries))),)
    telemetry = Telemetry(rules=rules)
    assert times.find_shortest_windows(telemetry, {"a", "b", "c"}) == {"": "2m", "a": "2m", "b": "2m", "c": None}
    assert times.find_shortest_windows(telemetry, set()) == {"": "2m"}


def test_what_an_operator_keeps_is_not_judged() -> None:
    """Without a retention nothing is said about how far rules look back."""
    assert said("15s", "rate(x[999d])", retention=None) == []
