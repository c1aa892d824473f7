"""Routes and time intervals in Alertmanager's notation.

Format: https://prometheus.io/docs/alerting/latest/configuration/#route and #time_interval.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from components.alertmanager.notifications import TEST_ALERT
from model.intervals import Period, TimeInterval
from model.routes import INFO, Route, walk_routes

NOBODY = "none"
"""Our receiver that sends nothing."""
_INFORMATION, _NO_INFORMATION = f'severity="{INFO}"', f'severity!="{INFO}"'


def build_routes(items: Sequence[Route]) -> list[dict[str, Any]]:
    """Routes of one level, in their order; what is only information goes to nobody unless one of them names it.

    A route that names a team and no severity does not name it.
    """
    return [*map(build_route, items), {"receiver": NOBODY, "matchers": [_INFORMATION]}]


def build_route(item: Route, *, settled: bool = False) -> dict[str, Any]:
    """A route and those below it.

    Args:
        item: the route.
        settled: whether a route above it has decided about information already.
    """
    settled = settled or item.names_information or item.excludes_information
    inner = not settled and any(other.names_information for _, other in walk_routes(item.routes))
    below = [build_route(other, settled=settled) for other in item.routes]
    if inner:  # some of its information is asked for below, the rest goes to nobody
        below.append({"receiver": NOBODY, "matchers": [_INFORMATION]})
    entry: dict[str, Any] = {
        **({"receiver": item.receiver} if item.receiver else {}),
        "matchers": [*map(str, item.conditions), *([] if settled or inner else [_NO_INFORMATION])],
    }
    for key in ("group_by", "active_time_intervals", "mute_time_intervals"):
        if value := getattr(item, key):
            entry[key] = list(value)
    for key in ("group_wait", "group_interval", "repeat_interval"):
        if value := getattr(item, key):
            entry[key] = value
    return entry | ({"continue": True} if item.continue_ else {}) | ({"routes": below} if below else {})


def build_test_routes(receivers: Iterable[str]) -> list[dict[str, Any]]:
    """Routes of the alert that `make alert-test` sends, one for each receiver, each alert in a group of its own.

    Nothing else has its name; that it ends is sent after the shortest interval in which a failed call is tried again.
    """
    times = {"group_by": ["..."], "group_wait": "0s", "group_interval": "10s"}
    return [
        {"receiver": name, "matchers": [f'alertname="{TEST_ALERT}"', f'receiver="{name}"'], **times}
        for name in receivers
    ]


def build_time_intervals(items: Iterable[TimeInterval]) -> list[dict[str, Any]]:
    """The entries of `time_intervals`."""
    return [{"name": item.name, "time_intervals": [*map(build_period, item.time_intervals)]} for item in items]


def build_period(item: Period) -> dict[str, Any]:
    """Times for which all that is said holds."""
    entry: dict[str, Any] = {}
    if item.times:
        entry["times"] = [{"start_time": t.start_time, "end_time": t.end_time} for t in item.times]
    for key in ("weekdays", "days_of_month", "months", "years"):
        if value := getattr(item, key):
            entry[key] = list(value)
    return entry | ({"location": item.location} if item.location else {})
