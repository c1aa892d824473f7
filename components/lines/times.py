"""Where a line says when it was written."""

from __future__ import annotations

from model.layouts import build_time_expression
from model.lines import LineTime

_RFC3339_TEXT = r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:[Zz]|[+-]\d\d:?\d\d)"
UNREAD = "time_from"
"""Stored beside a line whose own time is unknown, with the value `reading`."""
OLDEST = "168h"
"""Loki refuses lines that are older than a week (`reject_old_samples_max_age`), and alerts say that lines are lost. On
a host with old containers and files that would be so at each first start; they are left out by the agent, and counted.
"""


def build_beginning(how: LineTime) -> str:
    """The time that a line of text begins with, as an expression of RE2 whose group is `time_text`."""
    text = build_time_expression(how.layout) if how.layout else _RFC3339_TEXT
    return rf"^\W{{0,2}}(?P<time_text>{text})"
