"""Routes and time intervals as Alertmanager reads them."""

from __future__ import annotations

from typing import Any

import pytest

from components.alertmanager.routes import (
    build_period,
    build_route,
    build_routes,
    build_test_routes,
    build_time_intervals,
)
from model.intervals import Period, TimeInterval
from model.load import parse_model
from model.routes import Route

NOBODY = {"receiver": "none", "matchers": ['severity="info"']}


def made(**said: Any) -> dict[str, Any]:
    """A route in Alertmanager's notation, from its YAML keys."""
    return build_route(parse_model(Route, said, "route"))


def test_a_route_says_what_it_is_told() -> None:
    """Everything under Alertmanager's own names, and nothing that was not said."""
    said = {
        "severity": "critical", "receiver": "night", "continue": True, "groupBy": ["..."], "groupWait": "1s",
        "groupInterval": "2m", "repeatInterval": "1h", "activeTimeIntervals": ["a"], "muteTimeIntervals": ["b"],
    }  # fmt: skip
    assert made(**said) == {
        "receiver": "night", "matchers": ['severity="critical"'], "group_by": ["..."],
        "active_time_intervals": ["a"], "mute_time_intervals": ["b"], "group_wait": "1s", "group_interval": "2m",
        "repeat_interval": "1h", "continue": True,
    }  # fmt: skip
    assert made(severity="critical") == {"matchers": ['severity="critical"']}


@pytest.mark.parametrize(
    ("said", "matchers"),
    [
        ({"severity": "info"}, ['severity="info"']),
        ({"labels": {"team": "a"}}, ['team="a"', 'severity!="info"']),
        ({"matchers": ['severity=~"info|warning"']}, ['severity=~"info|warning"']),
        ({"matchers": ['team!="a"']}, ['team!="a"', 'severity!="info"']),
    ],
)
def test_information_is_for_whoever_names_it(said: dict[str, Any], matchers: list[str]) -> None:
    """A route that names no severity does not claim what is only information; the last route sends that to nobody."""
    assert made(**said)["matchers"] == matchers
    assert build_routes([parse_model(Route, said, "route")])[1] == NOBODY


def test_information_below_a_route_is_for_whoever_names_it_there() -> None:
    """The outer route lets it in for the inner one that names it; the rest of it goes to nobody."""
    outer = made(
        labels={"team": "a"}, receiver="a", routes=[{"severity": "info", "receiver": "b"}, {"labels": {"service": "x"}}]
    )
    assert outer["matchers"] == ['team="a"']
    assert [item["matchers"] for item in outer["routes"]] == [
        ['severity="info"'],
        ['service="x"', 'severity!="info"'],
        ['severity="info"'],
    ]
    inner = made(severity="info", routes=[{"labels": {"team": "a"}, "receiver": "a"}])
    assert inner["routes"] == [{"receiver": "a", "matchers": ['team="a"']}], "it is said above"


def test_the_test_alert_has_a_route_to_each_receiver() -> None:
    """By the receiver's name, at once, each alert in a group of its own."""
    first, second = build_test_routes(["a", "b"])
    assert (first["receiver"], second["receiver"]) == ("a", "b")
    assert first["matchers"] == ['alertname="NotificationTest"', 'receiver="a"']
    assert (first["group_wait"], first["group_by"]) == ("0s", ["..."])


def test_times_are_written_as_they_are_said() -> None:
    """Under Alertmanager's own names; an empty period is always."""
    said = {"times": [{"startTime": "08:00", "endTime": "24:00"}], "weekdays": ["monday"], "location": "Asia/Tokyo"}
    interval = parse_model(TimeInterval, {"name": "a", "timeIntervals": [said, {"daysOfMonth": ["-1"]}]}, "interval")
    assert build_time_intervals([interval]) == [
        {
            "name": "a",
            "time_intervals": [
                {
                    "times": [{"start_time": "08:00", "end_time": "24:00"}],
                    "weekdays": ["monday"],
                    "location": "Asia/Tokyo",
                },
                {"days_of_month": ["-1"]},
            ],
        }
    ]
    assert build_period(Period()) == {}
