"""Layouts of Go: what they ask of a line, and what is none."""

from __future__ import annotations

import re

import pytest
from pydantic import TypeAdapter, ValidationError

from model.layouts import Layout, build_time_expression, find_offset, parse_layout


@pytest.mark.parametrize(
    ("layout", "time"),
    [
        ("2006-01-02 15:04:05,000", "2026-11-29 10:00:00,123"),
        ("2006-01-02 15:04:05", "2026-11-29 10:00:00.123456"),
        ("2006-01-02T15:04:05.999Z07:00", "2026-11-29T10:00:00Z"),
        ("02/Jan/2006:15:04:05 -0700", "29/Nov/2026:10:00:00 +0100"),
        ("Jan _2 15:04:05", "Nov  2 10:00:00"),
        ("Jan 2, 2006 3:04:05 PM", "Nov 29, 2026 10:00:00 AM"),
        ("Monday, January 2 2006 15:04 MST", "Sunday, November 29 2026 10:00 CET"),
        ("06002 15:04:05", "26333 10:00:00"),
    ],
)
def test_a_layout_looks_like_its_times(layout: str, time: str) -> None:
    """A time of the layout matches all of its expression, and the layout is taken."""
    assert re.fullmatch(build_time_expression(layout), time)
    assert TypeAdapter(Layout).validate_python(layout) == layout
    assert "".join(part.text for part in parse_layout(layout)) == layout


@pytest.mark.parametrize(
    ("layout", "words"),
    [
        ("%Y-%m-%d %H:%M:%S", "no hour .*no minute .*no month and day"),
        ("yyyy-MM-dd HH:mm:ss", "no hour .*write Monday, January 2"),
        ("2026-11-29 10:00:00", "two parts for the day"),
        ("2006-01-02", "no hour"),
        ("2006-01-02 03:04:05", "12 without PM"),
        ("2006-01-02 15:04:05 7", "the digits ' 7'"),
    ],
)
def test_what_is_no_layout_is_refused(layout: str, words: str) -> None:
    """A layout of another language would match no line; everything wrong is said at once, with an example."""
    with pytest.raises(ValidationError, match=words):
        TypeAdapter(Layout).validate_python(layout)


def test_an_abbreviation_is_no_offset() -> None:
    """Go reads CET as UTC, so that only numbers say where a time is."""
    assert find_offset("15:04 -0700") and find_offset("15:04Z07:00") and not find_offset("15:04 MST")
