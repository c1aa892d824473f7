"""Schedules: which are taken, how they are written for programs, and how far apart their days are."""

from __future__ import annotations

import pytest

from model.cron import derive_longest_gap, parse_schedule, render_schedule


def test_the_five_fields_are_read() -> None:
    """Numbers, lists, ranges, steps and names, each within its field; a Sunday is 0, also where it is written as 7."""
    minute, hour, day, month, weekday = map(sorted, parse_schedule("*/20 1-3,22 * JAN,3 mon-wed,7"))
    assert (minute, hour) == ([0, 20, 40], [1, 2, 3, 22])
    assert (day, month, weekday) == ([*range(1, 32)], [1, 3], [0, 1, 2, 3])
    assert parse_schedule("5/30 0 * * *")[0] == {5, 35}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("15 3 * *", "five fields"),
        ("@daily", "five fields"),
        ("60 3 * * *", "minute: '60' must lie between 0 and 59"),
        ("0 5-2 * * *", "hour: '5-2' must lie between 0 and 23, the smaller number first"),
        ("0 0 0 * *", "day of the month: '0' must lie between 1 and 31"),
        ("0 0 * feb-jan *", "month: 'feb-jan'"),
        ("0 0 * * fun", "day of the week: 'fun'"),
        ("0 0 * * 8", "day of the week: '8'"),
        ("0 *-3 * * *", r"hour: '\*-3'"),
        ("0 1,,2 * * *", "hour: '' is no number"),
        ("0 */0 * * *", r"hour: '\*/0' is no number"),
        ("0 0 1 * mon", "not both"),
        ("0 0 31 2 *", "once a year at least"),
        ("0 0 29 2 *", "once a year at least"),
    ],
)
def test_what_is_no_schedule_is_refused(text: str, said: str) -> None:
    """Each mistake with its field and what would be right."""
    with pytest.raises(ValueError, match=said):
        parse_schedule(text)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("15 3 * * *", "15 3 * * *"),
        ("45 4 * * 0", "45 4 * * sun"),
        ("0 0 * * 7", "0 0 * * sun"),
        ("0 0 * * 5-7", "0 0 * * fri,sat,sun"),
        ("0 0 * * SUN-TUE", "0 0 * * mon,tue,sun"),
        ("0 0 * * 0-6", "0 0 * * *"),
        ("*/5 0 1,15 * *", "*/5 0 1,15 * *"),
    ],
)
def test_weekdays_are_written_as_names(text: str, written: str) -> None:
    """Programs do not agree on the number of a Sunday, and a week begins with Monday where they agree on names."""
    assert render_schedule(text) == written
    assert parse_schedule(written) == parse_schedule(text)


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("15 3 * * *", 1),
        ("0 */6 * * *", 1),
        ("0 4 * * sun", 7),
        ("0 4 * * mon-fri", 3),
        ("0 4 1 * *", 31),
        ("0 0 1 1 *", 366),
    ],
)
def test_the_longest_gap_is_known(text: str, days: int) -> None:
    """In days, over a weekend and a leap year too."""
    assert derive_longest_gap(text) == days
