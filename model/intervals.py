"""Times of the week and year as settings, in which routes notify or are mute.

What the fields mean: https://prometheus.io/docs/alerting/latest/configuration/#time_interval.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from model.base import CLOCK, Name, Strict
from model.errors import Inconsistent, Problem, suggest_name
from model.routes import Route, walk_routes
from model.scope import OWN_ALERTMANAGER
from model.zones import Zone

WEEKDAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
MONTHS = (
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
)  # fmt: skip
DAY_MINUTES = 24 * 60

Clock = Annotated[str, Field(pattern=CLOCK, examples=["08:30", "24:00"])]
"""A time of the day."""


def parse_clock(clock: str) -> int:
    """Minutes since midnight: `parse_clock("08:30") == 510`."""
    hours, _, rest = clock.partition(":")
    return int(hours) * 60 + int(rest)


def _split_range(text: str) -> tuple[str, str]:
    first, colon, last = text.partition(":")
    return first, last if colon else first


def _check_weekday(value: str) -> str:
    first, last = (_find_index(part, WEEKDAYS, "weekday") for part in _split_range(value))
    if first > last:
        raise ValueError("ends before it begins: weeks begin on sunday here, so give two ranges")
    return value


def _find_index(name: str, names: Sequence[str], what: str) -> int:
    if name not in names:
        raise ValueError(f"{name!r} is no {what}; {suggest_name(name, names)}")
    return names.index(name)


def _check_month(value: str) -> str:
    first, last = (
        int(part) if part.isdigit() else _find_index(part, MONTHS, "month") + 1 for part in _split_range(value)
    )
    if not (1 <= first <= 12 and 1 <= last <= 12):
        raise ValueError("months are january to december, or 1 to 12")
    if first > last:
        raise ValueError("ends before it begins: years begin in january, so give two ranges")
    return value


def _parse_number(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise ValueError(f"{text!r} is no whole number") from None


def _check_day_of_month(value: str) -> str:
    first, last = map(_parse_number, _split_range(value))
    if not (1 <= abs(first) <= 31 and 1 <= abs(last) <= 31):
        raise ValueError("days are 1 to 31, or -1 (the last of the month) to -31")
    if first < 0 < last or _count_from_start(first) > _count_from_start(last):
        raise ValueError("ends before it begins; give two ranges")
    return value


def _count_from_start(day: int) -> int:
    return day if day > 0 else 28 + day  # as Alertmanager judges it: by the shortest month


def _check_year(value: str) -> str:
    first, last = map(_parse_number, _split_range(value))
    if not 2000 <= first <= last:
        raise ValueError("must be a year such as 2030, or a range of years such as 2030:2031")
    return value


class Times(Strict):
    """A part of each day, up to the end and without it."""

    start_time: Clock
    """When it begins."""
    end_time: Clock
    """When it ends, 24:00 at the latest."""

    @model_validator(mode="after")
    def _check_content(self) -> Times:
        if parse_clock(self.start_time) >= parse_clock(self.end_time):
            message = (
                f"{self.start_time} to {self.end_time} crosses midnight or is empty; give two, to 24:00 and from 00:00"
            )
            raise Inconsistent([Problem("endTime", message)])
        return self


Weekdays = Annotated[str, Field(examples=["monday:friday"]), AfterValidator(_check_weekday)]
DaysOfMonth = Annotated[str, Field(examples=["1:7", "-1"]), AfterValidator(_check_day_of_month)]
Months = Annotated[str, Field(examples=["december", "june:august"]), AfterValidator(_check_month)]
Years = Annotated[str, Field(examples=["2030", "2030:2031"]), AfterValidator(_check_year)]


class Period(Strict):
    """Times for which all that is said holds; of each list one entry is enough."""

    times: tuple[Times, ...] = ()
    """Parts of the day; all day when absent."""
    weekdays: tuple[Weekdays, ...] = ()
    """Days of the week or ranges of them, sunday first; every day when absent."""
    days_of_month: tuple[DaysOfMonth, ...] = ()
    """Days of the month or ranges of them, negative ones from its end; every day when absent."""
    months: tuple[Months, ...] = ()
    """Months or ranges of them, by name or number; every month when absent."""
    years: tuple[Years, ...] = ()
    """Years or ranges of them; every year when absent."""
    location: Annotated[Zone | None, OWN_ALERTMANAGER] = None
    """Time zone by its name in the IANA database; UTC when absent."""

    @property
    def zone(self) -> str:
        """The time zone."""
        return self.location or "UTC"

    @property
    def dated(self) -> bool:
        """Whether it depends on the date, beside the day of the week."""
        return bool(self.days_of_month or self.months or self.years)

    def list_week_minutes(self) -> set[int]:
        """The minutes of a week that it covers, counted from the beginning of sunday."""
        days = {day for text in self.weekdays or ("sunday:saturday",) for day in _parse_days(text)}
        spans = [(parse_clock(t.start_time), parse_clock(t.end_time)) for t in self.times] or [(0, DAY_MINUTES)]
        return {day * DAY_MINUTES + minute for day in days for first, end in spans for minute in range(first, end)}


def _parse_days(text: str) -> range:
    first, last = _split_range(text)
    return range(WEEKDAYS.index(first), WEEKDAYS.index(last) + 1)


class TimeInterval(Strict):
    """A named time, which routes refer to."""

    name: Name
    """Name that routes refer to."""
    time_intervals: Annotated[tuple[Period, ...], Field(min_length=1)]
    """Periods; it is any one of them."""


def check_intervals(intervals: Sequence[TimeInterval], routes: Sequence[Route]) -> list[Problem]:
    """Intervals that are declared twice, unknown or unused, and routes that they make mute for ever."""
    names = [item.name for item in intervals]
    result = [
        Problem(f"timeIntervals[{number}].name", f"interval {name!r} is declared twice")
        for number, name in enumerate(names)
        if name in names[:number]
    ]
    used = [(f"{path}.{key}", name) for path, route in walk_routes(routes) for key, name in _list_named(route)]
    result += [
        Problem(path, f"names the unknown interval {name!r}; {suggest_name(name, names)}")
        for path, name in used
        if name not in names
    ]
    taken = {name for _, name in used}
    result += [
        Problem(f"timeIntervals[{number}]", f"{name!r} is used by no route; name it in one, or leave it out")
        for number, name in enumerate(names)
        if name not in taken
    ]
    return result or [*_check_mute_for_ever({item.name: item for item in intervals}, routes)]


def _list_named(route: Route) -> Iterator[tuple[str, str]]:
    for key, names in (
        ("muteTimeIntervals", route.mute_time_intervals),
        ("activeTimeIntervals", route.active_time_intervals),
    ):
        yield from ((f"{key}[{number}]", name) for number, name in enumerate(names))


def _check_mute_for_ever(intervals: Mapping[str, TimeInterval], routes: Sequence[Route]) -> Iterator[Problem]:
    for path, route in walk_routes(routes):
        mute = [p for name in route.mute_time_intervals for p in intervals[name].time_intervals]
        active = [p for name in route.active_time_intervals for p in intervals[name].time_intervals]
        if mute and all(
            _is_covered(period, mute) for period in active or [Period(location=p.location) for p in mute[:1]]
        ):
            message = "leave no time in which this route notifies anybody; shorten one of them"
            if route.severity == "critical":
                message = f"{message}: its alerts are critical"
            yield Problem(f"{path}.muteTimeIntervals", message)


def _is_covered(period: Period, mute: Iterable[Period]) -> bool:
    """Whether all of a period is surely mute; of what depends on the date only what always holds is counted."""
    weeks = [item.list_week_minutes() for item in mute if not item.dated and item.zone == period.zone]
    every = set(range(7 * DAY_MINUTES))
    if any(not item.dated and item.list_week_minutes() == every for item in mute):
        return True  # at all times, in whatever zone
    return bool(weeks) and period.list_week_minutes() <= set().union(*weeks)
