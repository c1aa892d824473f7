"""Times of a schedule, as crontab(5) has them: minute, hour, day of the month, month and day of the week.

Format: https://man7.org/linux/man-pages/man5/crontab.5.html. Of its days only one kind may be chosen: whether both must
be right, or either, programs do not agree on; nor on which number a Sunday has, so days of the week have names.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Annotated

from pydantic import AfterValidator, Field

WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_FIELDS: tuple[tuple[str, int, int, Mapping[str, int]], ...] = (
    ("minute", 0, 59, {}),
    ("hour", 0, 23, {}),
    ("day of the month", 1, 31, {}),
    ("month", 1, 12, {name: number for number, name in enumerate(MONTHS, 1)}),
    ("day of the week", 0, 7, {name: number for number, name in enumerate(WEEKDAYS)}),
)
_PART = re.compile(r"(\*|[a-z0-9]+)(?:-([a-z0-9]+))?(?:/([1-9][0-9]*))?")
_YEARS = range(2027, 2031)
"""Four in a row, one of them with a 29th of February."""


def parse_schedule(text: str) -> tuple[frozenset[int], ...]:
    """The values of the five fields: `parse_schedule("15 3 * * sun")[4] == {0}`; a Sunday is 0.

    Raises:
        ValueError: it has another form, or comes less often than once a year.
    """
    parts = text.lower().split()
    if len(parts) != len(_FIELDS):
        raise ValueError('must have five fields (minute, hour, day, month, day of the week), such as "15 3 * * *"')
    fields = [_parse_field(part, *field) for part, field in zip(parts, _FIELDS, strict=True)]
    fields[4] = frozenset(number % 7 for number in fields[4])
    if len(fields[2]) < 31 and len(fields[4]) < 7:
        raise ValueError("must choose days of the month or days of the week, not both")
    made = tuple(fields)
    if len({year for year, _ in _list_days(made)}) < len(_YEARS):
        raise ValueError("must come once a year at least")
    return made


def _parse_field(text: str, name: str, least: int, most: int, names: Mapping[str, int]) -> frozenset[int]:
    values: set[int] = set()
    for part in text.split(","):
        match = _PART.fullmatch(part)
        if not match:
            raise ValueError(f"{name}: {part!r} is no number, range (1-5), list (1,3) or step (*/2)")
        first, last = _find_range(match[1], match[2], least, most, names, stepped=bool(match[3]))
        if not least <= first <= last <= most:
            raise ValueError(f"{name}: {part!r} must lie between {least} and {most}, the smaller number first")
        values |= set(range(first, last + 1, int(match[3] or 1)))
    return frozenset(values)


def _find_range(
    begin: str, end: str | None, least: int, most: int, names: Mapping[str, int], *, stepped: bool
) -> tuple[int, int]:
    """The ends of a range; a place outside of every range stands for what is no number."""
    if begin == "*":
        return (least, most) if end is None else (-1, -1)
    first = _find_number(begin, names)
    return first, _find_number(end, names) if end else most if stepped else first


def _find_number(text: str, names: Mapping[str, int]) -> int:
    return names.get(text, int(text) if text.isdecimal() else -1)


def render_schedule(text: str) -> str:
    """The same schedule with names of weekdays: `render_schedule("0 4 * * 0") == "0 4 * * sun"`."""
    *times, _ = text.lower().split()
    days = parse_schedule(text)[4]
    named = ",".join(WEEKDAYS[number] for number in sorted(days, key=lambda number: (number - 1) % 7))
    return " ".join([*times, "*" if len(days) == len(WEEKDAYS) else named])


def derive_longest_gap(text: str) -> int:
    """The most days between two days of a schedule: 1 for one that comes every day, 7 for every Sunday."""
    days = [day for _, day in _list_days(parse_schedule(text))]
    return max(later - day for day, later in pairwise(days))


def _list_days(fields: Sequence[frozenset[int]]) -> Iterator[tuple[int, int]]:
    """Each day of the schedule in `_YEARS`: its year, and its number."""
    number, months = 0, calendar.Calendar()
    for year in _YEARS:
        for month in range(1, 13):
            for day, weekday in months.itermonthdays2(year, month):
                if day:  # weeks begin and end with days of other months, which are 0
                    number += 1
                    if month in fields[3] and day in fields[2] and (weekday + 1) % 7 in fields[4]:
                        yield year, number


def _check_schedule(value: str) -> str:
    parse_schedule(value)
    return value


CronTime = Annotated[str, Field(examples=["15 3 * * *"]), AfterValidator(_check_schedule)]
"""A schedule in UTC."""
