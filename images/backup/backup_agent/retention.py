"""Which backups stay."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from backup_agent.document import Keep
from backup_agent.manifest import parse_id

_PERIODS: dict[str, Callable[[datetime], tuple[int, ...]]] = {
    "daily": lambda time: (time.year, time.month, time.day),
    "weekly": lambda time: time.isocalendar()[:2],
    "monthly": lambda time: (time.year, time.month),
}


_LATEST = timedelta(days=1)


def choose_staying(ids: list[str], keep: Keep) -> set[str]:
    """The ids that stay: those of 24 hours up to the newest, and the newest of each of the newest days, weeks, months.

    A backup that somebody makes of spoilt data takes the place of none of that day. A period without a backup does not
    count, so what stays does not shrink while backups fail.
    """
    newest_first = sorted(ids, reverse=True)
    staying = {each for each in newest_first if parse_id(newest_first[0]) - parse_id(each) < _LATEST}
    for period, find_period in _PERIODS.items():
        newest: dict[tuple[int, ...], str] = {}
        for each in newest_first:
            newest.setdefault(find_period(parse_id(each)), each)
        staying |= set(list(newest.values())[: getattr(keep, period)])
    return staying
