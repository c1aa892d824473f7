"""Schedules: crontab expressions in UTC, by APScheduler (https://apscheduler.readthedocs.io/en/3.x/)."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from apscheduler.triggers.cron import CronTrigger

_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_FIRES = 60
"""Runs that are looked at for the longest time between two: the months of some years, or two months of days."""
_PART = re.compile(r"^(?:(?P<first>[0-7])(?:-(?P<last>[0-7]))?|\*)(?:/(?P<step>\d+))?$")


def parse_crontab(text: str) -> CronTrigger:
    """The trigger of a crontab expression: minute, hour, day of month, month, day of week (0 and 7 are Sunday).

    Raises:
        ValueError: the text is no such expression.
    """
    fields = text.split()
    if len(fields) != 5:
        raise ValueError(f"must be five fields of a crontab, such as 15 3 * * *, and has {len(fields)}")
    minute, hour, day, month, weekday = fields
    try:
        # its own from_crontab takes 0 for Monday: https://github.com/agronholm/apscheduler/issues/286
        days = ",".join(_name_days(part) for part in weekday.split(","))
        return CronTrigger(minute=minute, hour=hour, day=day, month=month, day_of_week=days, timezone=UTC)
    except ValueError as error:
        raise ValueError(f"must be five fields of a crontab, such as 15 3 * * *: {error}") from None


def _name_days(part: str) -> str:
    """One part of a crontab's days of the week by names, as numbers mean other days to APScheduler."""
    if (match := _PART.match(part)) is None or (part[0] == "*" and match["step"] is None):
        return part
    step = int(match["step"] or 1) or 1
    if match["first"] is None:
        return ",".join(_DAYS[day] for day in range(0, 7, step))
    first = int(match["first"])
    last = int(match["last"]) if match["last"] else (6 if match["step"] else first)
    if last < first:
        raise ValueError(f"the days {part} end before they begin")
    return ",".join(dict.fromkeys(_DAYS[day % 7] for day in range(first, last + 1, step)))


def measure_interval(trigger: CronTrigger, now: datetime) -> timedelta:
    """The longest time between two runs that follow one another after `now`."""
    longest, before = timedelta(0), trigger.get_next_fire_time(None, now)
    for _ in range(_FIRES):
        if before is None or (after := trigger.get_next_fire_time(before, before + timedelta(seconds=1))) is None:
            break
        longest, before = max(longest, after - before), after
    return longest
