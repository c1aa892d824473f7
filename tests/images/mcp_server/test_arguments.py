"""Arguments of tools."""

from __future__ import annotations

from typing import Any

import pytest

from mcp_server.arguments import check_duration, parse_arguments, parse_duration, parse_moment, parse_range
from mcp_server.errors import Refused
from mcp_server.tools.capacity import CapacityArguments
from mcp_server.tools.logs import LogArguments


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"quer": "{}"}, r"query: Field required; unknown argument 'quer'; did you mean 'query'\? valid: query, start"),
        ({"query": "{}", "limit": "5"}, "limit: .*integer"),
        ({"query": "{}", "limit": True}, "limit: .*integer"),
        ({"query": "{}", "limit": 5.0}, "limit: .*integer"),
        ({"query": "{}", "limit": 100_000}, "limit: .*1000"),
        ({"query": "{}", "direction": "up"}, "direction: .*'backward' or 'forward'"),
        ({"query": ""}, "query: .*at least 1 character"),
    ],
)
def test_wrong_arguments_are_refused(given: dict[str, Any], said: str) -> None:
    """Nothing is dropped and nothing is converted: the caller reads what is allowed."""
    with pytest.raises(Refused, match=said):
        parse_arguments(LogArguments, given)


def test_a_tool_without_arguments_says_so() -> None:
    """An unknown argument of a tool that has none."""
    with pytest.raises(Refused, match=r"unknown argument 'x'; valid: none"):
        parse_arguments(CapacityArguments, {"x": 1})


def test_a_refusal_repeats_no_value() -> None:
    """What was given may be a secret, or text of somebody else."""
    with pytest.raises(Refused) as caught:
        parse_arguments(LogArguments, {"query": "{}", "start": "hunter2" * 20})
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "seconds"), [("5m", 300), ("1h30m", 5400), ("500ms", 0.5), ("1w", 604800), ("7d", 604800)]
)
def test_durations(text: str, seconds: float) -> None:
    """They are those of Prometheus."""
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "5", "m", "5 m", "-5m", "1h]"])
def test_what_is_no_duration(text: str) -> None:
    """Nothing else gets into a query."""
    with pytest.raises(Refused, match="no duration"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("now", 5000), ("now-1h", 1400), ("1234.5", 1234.5), ("1970-01-01T01:00:00Z", 3600)],
)
def test_moments(text: str, seconds: float) -> None:
    """Now, before now, seconds since 1970, and RFC 3339."""
    assert parse_moment(text, now=5000) == seconds


@pytest.mark.parametrize("text", ["yesterday", "now+1h", "2026-11-30", "1970-01-01T01:00:00"])
def test_what_is_no_moment(text: str) -> None:
    """A time without its zone could be any."""
    with pytest.raises(Refused, match="no point in time"):
        parse_moment(text, now=5000)


def test_ranges_are_bounded() -> None:
    """A range has a length, and not too much of it."""
    with pytest.raises(Refused, match="before end"):
        parse_range("now", "now-1h", 31)
    with pytest.raises(Refused, match=r"32\.0 days long; 31 are allowed"):
        parse_range("now-32d", "now", 31)
    with pytest.raises(Refused, match="31d at most"):
        check_duration("32d", 31)
    with pytest.raises(Refused, match="longer than 0s"):
        check_duration("0s", 31)
