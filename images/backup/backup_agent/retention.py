"""Which backups stay."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from backup_agent.document import Keep
from backup_agent.manifest import parse_id

_PERIODS: dict[str, Callable[[datetime], tuple[int, ...]]] = {
    "daily": lambda time: (time.year, time.month, time.day),
    "weekly": lambda time: time.isocalendar()[:2],
    "monthly": lambda time: (time.year, time.month),
}


def choose_staying(ids: list[str], keep: Keep) -> set[str]:
    """The ids that stay: the newest of each of the newest days, weeks and months that have one, and the newest of all.

    A period without a backup does not count, so what stays does not shrink while backups fail.
    """
    newest_first = sorted(ids, reverse=True)
    staying = set(newest_first[:1])
    for period, find_period in _PERIODS.items():
        newest: dict[tuple[int, ...], str] = {}
        for each in newest_first:
            newest.setdefault(find_period(parse_id(each)), each)
        staying |= set(list(newest.values())[: getattr(keep, period)])
    return staying
