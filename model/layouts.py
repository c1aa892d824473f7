"""Layouts of times as Go has them: the reference time Mon Jan 2 15:04:05 MST 2006, written as the lines have theirs.

Source: https://pkg.go.dev/time#pkg-constants.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator, Field

_PARTS: tuple[tuple[str, str, str], ...] = (
    ("month", "January", "[A-Z][a-z]{2,8}"),
    ("month", "Jan(?![a-z])", "[A-Z][a-z]{2}"),
    ("weekday", "Monday", "[A-Z][a-z]{5,8}"),
    ("weekday", "Mon(?![a-z])", "[A-Z][a-z]{2}"),
    ("name of a zone", "MST", "[A-Z]{3,5}"),
    ("offset", "Z07(?::?00){0,2}", r"(?:Z|[+-]\d\d(?::?\d\d){0,2})"),
    ("offset", "-07(?::?00){0,2}", r"[+-]\d\d(?::?\d\d){0,2}"),
    ("year", "2006", r"\d{4}"),
    ("day of the year", "002|__2", "[ 0-9]{2}[0-9]"),
    ("month", "01", r"\d\d"),
    ("day", "02", r"\d\d"),
    ("hour", "03|15", r"\d\d"),
    ("minute", "04", r"\d\d"),
    ("second", "05", r"\d\d(?:[.,]\d+)?"),
    ("year", "06", r"\d\d"),
    ("day", "_2", r"[ \d]\d"),
    ("half", "PM|pm", "[AaPp][Mm]"),
    ("fraction", r"[.,](?:0+|9+)(?!\d)", ""),
    ("month", "1", r"\d{1,2}"),
    ("day", "2", r"\d{1,2}"),
    ("hour", "3", r"\d{1,2}"),
    ("minute", "4", r"\d{1,2}"),
    ("second", "5", r"\d{1,2}(?:[.,]\d+)?"),
)
"""What each part is, how a layout writes it, and what a line has there; the first that fits counts, as in Go.

Go reads a fraction behind the seconds also where the layout has none.
"""
_LAYOUT = re.compile("|".join(f"({written})" for _, written, _ in _PARTS))
_NEEDED = {"hour": "15", "minute": "04"}
_EXAMPLE = "write Monday, January 2 15:04:05 of 2006 as the lines have their time, such as 2006-01-02 15:04:05,000"


@dataclass(frozen=True)
class Part:
    """A part of a layout: what it is, or "" for what stands between; its text, and the expression (RE2) for a line."""

    kind: str
    text: str
    expression: str


def parse_layout(layout: str) -> list[Part]:
    """The parts of a layout, in order."""
    return list(_list_parts(layout))


def _list_parts(layout: str) -> Iterator[Part]:
    end = 0
    for match in _LAYOUT.finditer(layout):
        if between := layout[end : match.start()]:
            yield Part("", between, re.escape(between))
        kind, _, expression = _PARTS[(match.lastindex or 1) - 1]
        yield Part(kind, match[0], expression)
        end = match.end()
    if end < len(layout):
        yield Part("", layout[end:], re.escape(layout[end:]))


def build_time_expression(layout: str) -> str:
    """What a time of that layout looks like in a line, as an expression of RE2."""
    return "".join(part.expression for part in parse_layout(layout))


def find_offset(layout: str) -> bool:
    """Whether times of the layout say how far they are from UTC. The name of a zone does not: Go takes it for UTC."""
    return any(part.kind == "offset" for part in parse_layout(layout))


def _check_layout(value: str) -> str:
    parts = parse_layout(value)
    count = Counter(part.kind for part in parts if part.kind)
    faults = [f"no {kind} ({example})" for kind, example in _NEEDED.items() if not count[kind]]
    if not count["day of the year"] and not (count["month"] and count["day"]):
        faults.append("no month and day (01, 02, or Jan, _2)")
    faults += [f"two parts for the {kind}" for kind, number in count.items() if number > 1]
    faults += [f"the digits {part.text!r}" for part in parts if not part.kind and re.search(r"\d", part.text)]
    if not count["half"] and any(part.text in ("3", "03") for part in parts):
        faults.append("an hour of 12 without PM (15 is that of 24)")
    if faults:
        raise ValueError(f"is no layout of Go, it has {', '.join(faults)}; {_EXAMPLE}")
    return value


Layout = Annotated[
    str, Field(min_length=1, max_length=60, examples=["2006-01-02 15:04:05,000"]), AfterValidator(_check_layout)
]
"""A layout of Go."""
