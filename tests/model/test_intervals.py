"""Time intervals as settings."""

from __future__ import annotations

from typing import Any

import pytest

from model.errors import ConfigError
from model.intervals import DAY_MINUTES, Period, TimeInterval, check_intervals, parse_clock
from model.load import parse_model
from model.routes import Route

NIGHT = [{"startTime": "00:00", "endTime": "08:00"}, {"startTime": "18:00", "endTime": "24:00"}]


def interval(name: str, *periods: dict[str, Any]) -> TimeInterval:
    """An interval from its YAML keys."""
    return parse_model(TimeInterval, {"name": name, "timeIntervals": list(periods)}, "it")


def route(severity: str = "critical", **said: Any) -> Route:
    """A route from its YAML keys."""
    return parse_model(Route, {"severity": severity, "receiver": "r", **said}, "route")


def test_a_clock_counts_minutes() -> None:
    """Midnight begins and ends the day."""
    assert (parse_clock("00:00"), parse_clock("08:30"), parse_clock("24:00")) == (0, 510, DAY_MINUTES)


@pytest.mark.parametrize(
    ("said", "says"),
    [
        ({"times": [{"startTime": "22:00", "endTime": "06:00"}]}, r"times\[0\].endTime: .*give two, to 24:00 and from"),
        ({"times": [{"startTime": "8:00", "endTime": "9:00"}]}, "a time of the day such as 08:30"),
        ({"weekdays": ["mondy"]}, "'mondy' is no weekday; did you mean 'monday'"),
        ({"weekdays": ["saturday:sunday"]}, "weeks begin on sunday here, so give two ranges"),
        ({"daysOfMonth": ["0"]}, "days are 1 to 31"),
        ({"daysOfMonth": ["-1:5"]}, "ends before it begins"),
        ({"daysOfMonth": ["first"]}, "'first' is no whole number"),
        ({"months": ["decembre"]}, "did you mean 'december'"),
        ({"months": ["13"]}, "1 to 12"),
        ({"months": ["november:february"]}, "years begin in january, so give two ranges"),
        ({"years": ["2031:2030"]}, "a range of years such as"),
        ({"location": "Europe/Berlim"}, "'Europe/Berlim' is no time zone; did you mean 'Europe/Berlin'"),
        ({"location": "xyz"}, "names look like Europe/Berlin"),
    ],
)
def test_times_that_are_none_are_refused(said: dict[str, Any], says: str) -> None:
    """Each with what would be right."""
    with pytest.raises(ConfigError, match=says):
        parse_model(Period, said, "period")


def test_all_kinds_of_times_are_taken() -> None:
    """As Alertmanager's documentation has them."""
    values = {
        "times": NIGHT, "weekdays": ["monday:friday", "sunday"], "daysOfMonth": ["1:5", "-3:-1"],
        "months": ["1:3", "may:august", "december"], "years": ["2030", "2031:2033"], "location": "Australia/Sydney",
    }  # fmt: skip
    assert parse_model(Period, values, "period").zone == "Australia/Sydney"
    with pytest.raises(ConfigError, match="timeIntervals"):
        interval("empty")


def test_a_period_covers_minutes_of_the_week() -> None:
    """Days times spans."""
    assert len(Period().list_week_minutes()) == 7 * DAY_MINUTES
    weekend = parse_model(Period, {"weekdays": ["sunday", "saturday"], "times": [NIGHT[0]]}, "period")
    assert len(weekend.list_week_minutes()) == 2 * 8 * 60 and min(weekend.list_week_minutes()) == 0


def test_unknown_unused_and_doubled_intervals() -> None:
    """A name that leads nowhere and an interval that nobody uses are mistakes."""
    night = interval("night", {"times": NIGHT})
    problems = check_intervals([night, night], [route(muteTimeIntervals=["nigth"])])
    assert [str(p) for p in problems] == [
        "timeIntervals[1].name: interval 'night' is declared twice",
        "routes[0].muteTimeIntervals[0]: names the unknown interval 'nigth'; did you mean 'night'?",
        "timeIntervals[0]: 'night' is used by no route; name it in one, or leave it out",
        "timeIntervals[1]: 'night' is used by no route; name it in one, or leave it out",
    ]
    assert not check_intervals([night], [route(routes=[{"labels": {"team": "a"}, "activeTimeIntervals": ["night"]}])])


DAYTIME = {"times": [{"startTime": "08:00", "endTime": "18:00"}]}


@pytest.mark.parametrize(
    ("periods", "silent"),
    [
        ([{}], True),
        ([{"times": NIGHT}], False),
        ([{"times": NIGHT}, DAYTIME], True),
        ([{"times": NIGHT, "location": "Asia/Tokyo"}, DAYTIME], False),
        ([{"times": NIGHT}, {**DAYTIME, "months": ["may"]}], False),
        ([{"weekdays": ["sunday:saturday"], "location": "Asia/Tokyo"}], True),
    ],
)
def test_a_route_that_is_mute_for_ever_is_refused(periods: list[dict[str, Any]], silent: bool) -> None:
    """What leaves no minute of any week is no mute time but a receiver less."""
    problems = check_intervals([interval("always", *periods)], [route(muteTimeIntervals=["always"])])
    assert bool(problems) is silent
    if silent:
        assert str(problems[0]).startswith("routes[0].muteTimeIntervals: leave no time")
        assert "its alerts are critical" in str(problems[0])


def test_a_route_that_is_mute_whenever_it_is_active_is_refused() -> None:
    """Active times must not lie within mute ones."""
    office, night = interval("office", DAYTIME), interval("night", {"times": NIGHT})
    values = {"activeTimeIntervals": ["office"], "muteTimeIntervals": ["night"]}
    assert not check_intervals([office, night], [route("warning", **values)])
    turned = {"activeTimeIntervals": ["office"], "muteTimeIntervals": ["office", "night"]}
    assert check_intervals([office, night], [route("warning", **turned)])
