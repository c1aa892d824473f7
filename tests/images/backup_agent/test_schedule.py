"""Schedules."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from backup_agent.schedule import measure_interval, parse_crontab

MONDAY = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("15 3 * * *", datetime(2026, 12, 1, 3, 15, tzinfo=UTC)),
        ("45 4 * * 0", datetime(2026, 12, 6, 4, 45, tzinfo=UTC)),
        ("45 4 * * 7", datetime(2026, 12, 6, 4, 45, tzinfo=UTC)),
        ("45 4 * * 1", datetime(2026, 12, 7, 4, 45, tzinfo=UTC)),
        ("45 4 * * sun", datetime(2026, 12, 6, 4, 45, tzinfo=UTC)),
        ("0 4 * * 3-5", datetime(2026, 12, 2, 4, 0, tzinfo=UTC)),
        ("0 4 * * 6/2", datetime(2026, 12, 5, 4, 0, tzinfo=UTC)),
        ("0 4 * * */3", datetime(2026, 12, 2, 4, 0, tzinfo=UTC)),
        ("0 4 * * 5,6", datetime(2026, 12, 4, 4, 0, tzinfo=UTC)),
        ("*/20 * * * *", datetime(2026, 11, 30, 12, 0, tzinfo=UTC)),
    ],
)
def test_days_are_those_of_crontab(text: str, first: datetime) -> None:
    """0 and 7 are Sunday, as everywhere but in APScheduler; times are UTC."""
    assert parse_crontab(text).get_next_fire_time(None, MONDAY) == first


@pytest.mark.parametrize("text", ["", "15 3 * *", "61 3 * * *", "15 3 * * 8", "15 3 * * 5-2", "@daily", "a b c d e"])
def test_what_is_no_crontab_is_refused(text: str) -> None:
    """The words say what would be right."""
    with pytest.raises(ValueError, match="five fields of a crontab"):
        parse_crontab(text)


@pytest.mark.parametrize(
    ("text", "interval"),
    [
        ("15 3 * * *", timedelta(days=1)),
        ("0 */6 * * *", timedelta(hours=6)),
        ("0 3 * * 1-5", timedelta(days=3)),
        ("0 3 1 * *", timedelta(days=31)),
    ],
)
def test_the_interval_is_the_longest_one(text: str, interval: timedelta) -> None:
    """Over a weekend without backups an alert must not fire."""
    assert measure_interval(parse_crontab(text), MONDAY) == interval
