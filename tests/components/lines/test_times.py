"""Where a line says when it was written."""

from __future__ import annotations

import re

import pytest

from components.lines.times import build_beginning
from model.lines import LineTime


@pytest.mark.parametrize(
    ("how", "line", "text"),
    [
        (LineTime(), "[2026-11-29 10:00:00,123+01:00] x", "2026-11-29 10:00:00,123+01:00"),
        (LineTime(), "2026-11-29T10:00:00Z x", "2026-11-29T10:00:00Z"),
        (LineTime(), "x 2026-11-29T10:00:00Z", None),
        (LineTime(), "2026-11-29 10:00:00 x", None),
        (LineTime(layout="Jan _2 15:04:05", zone="UTC"), "Nov  2 10:00:00 host x", "Nov  2 10:00:00"),
    ],
)
def test_a_text_begins_with_its_time(how: LineTime, line: str, text: str | None) -> None:
    """A time inside of a sentence, or without a zone that nobody says, is not the line's own."""
    match = re.search(build_beginning(how), line)
    assert (match["time_text"] if match else None) == text
