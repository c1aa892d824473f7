"""What tools share."""

from __future__ import annotations

import pytest

from mcp_server.run import escape_value, format_sample, format_time, round_value


@pytest.mark.parametrize(
    ("text", "shown"),
    [("0.123456789", "0.123457"), ("NaN", "NaN"), ("+Inf", "+Inf"), ("-Inf", "-Inf"), ("1e9", "1e+09"), ("x", "?")],
)
def test_samples_are_words_where_they_are_no_numbers(text: str, shown: str) -> None:
    """JSON has no NaN: an answer with one would be no JSON."""
    assert format_sample(text) == shown


def test_numbers_are_rounded() -> None:
    """Six digits, and nothing where there is no number."""
    assert [round_value(value) for value in (1234567.8, 0.0, float("nan"), float("inf"))] == [1234570, 0, None, None]


def test_times_are_utc() -> None:
    """A time names its zone."""
    assert format_time(0) == "1970-01-01T00:00:00Z"


def test_a_value_cannot_leave_its_quotes() -> None:
    """A name of a service is a value of a matcher, whatever it is."""
    assert escape_value('a"} or {b="\\') == 'a\\"} or {b=\\"\\\\'
