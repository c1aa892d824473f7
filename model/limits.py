"""Thresholds of alerts: the numbers with which a condition can be true as well as false.

An alert says once what kind of number its threshold is, as `limit=Share(bound)`; whatever a system tunes is judged by
that. A threshold outside of its kind gives an alert that always fires, or never.
"""

from __future__ import annotations

from typing import ClassVar


class Limit(float):
    """A threshold of something that is always there, such as seconds or bytes: zero would always be passed."""

    REQUIREMENT: ClassVar[str] = "must be greater than 0"

    @classmethod
    def allows(cls, value: float) -> bool:
        """Whether the condition can be true and false with this threshold."""
        return value > 0


class Share(Limit):
    """A threshold of a part of a whole."""

    REQUIREMENT = "must be a share, greater than 0 and less than 1, such as 0.05 for 5%"

    @classmethod
    def allows(cls, value: float) -> bool:
        """Whether it lies between nothing and the whole."""
        return 0 < value < 1


class Count(Limit):
    """A threshold of events that need not happen: with zero, the first one fires the alert."""

    REQUIREMENT = "must be 0 or more"

    @classmethod
    def allows(cls, value: float) -> bool:
        """Whether there can be so many, or more."""
        return value >= 0


def get_limit_type(limit: float) -> type[Limit]:
    """What kind of threshold it is; an ordinary number is a `Limit`."""
    return type(limit) if isinstance(limit, Limit) else Limit
