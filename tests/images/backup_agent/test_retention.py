"""Which backups stay."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from backup_agent.document import Keep
from backup_agent.manifest import format_id
from backup_agent.retention import choose_staying

NOW = datetime(2026, 11, 30, 3, 15, tzinfo=UTC)


def name(*days: float) -> list[str]:
    """Ids of so many days ago."""
    return [format_id(NOW - timedelta(days=each)) for each in days]


def test_the_newest_of_each_period_stays() -> None:
    """Of a year of days: seven days, four weeks, six months, with the months' last days."""
    staying = choose_staying(name(*range(365)), Keep(daily=7, weekly=4, monthly=6))
    assert set(name(0, 1, 2, 3, 4, 5, 6)) <= staying  # 30 November is a Monday, so weeks end 1, 8 and 15 days ago
    months = {"20261031T031500Z", "20260930T031500Z", "20260831T031500Z", "20260731T031500Z", "20260630T031500Z"}
    assert staying == {*name(0, 1, 2, 3, 4, 5, 6, 8, 15), *months}


def test_of_a_day_the_newest_stays() -> None:
    """Two of one day are one, but for those of the 24 hours before the newest: that one may be of spoilt data."""
    ids = name(0, 0.1, 0.9, 1, 1.05)
    assert choose_staying(ids, Keep(daily=2, weekly=0, monthly=0)) == set(name(0, 0.1, 0.9))


def test_days_without_a_backup_do_not_count() -> None:
    """What stays does not shrink while backups fail."""
    assert choose_staying(name(100, 101, 102), Keep(daily=2, weekly=0, monthly=0)) == set(name(100, 101))


def test_the_newest_one_always_stays() -> None:
    """Also where nothing is to stay; of nothing nothing stays."""
    assert choose_staying(name(3, 4), Keep(daily=0, weekly=0, monthly=0)) == set(name(3))
    assert choose_staying([], Keep()) == set()
