"""Which lines are one entry, as a system says it."""

from __future__ import annotations

import pytest

from model.errors import ConfigError
from model.lines import LineTime, Multiline
from model.load import parse_model


def test_an_entry_begins_in_one_way() -> None:
    """A word beside an expression would have no effect."""
    with pytest.raises(ConfigError, match="give one of firstLine, expression"):
        parse_model(Multiline, {"firstLine": "unindented", "expression": "^x"}, "m")
    assert parse_model(Multiline, {"expression": "^x"}, "m").expression == "^x"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"maxWait": "31s"}, "maxWait: .*must be 30s at most"),
        ({"maxLines": 1}, "maxLines: 1: "),
        ({"maxLines": 1001}, "maxLines: 1001: "),
        ({"firstLine": "timestmp"}, "did you mean 'timestamp'"),
        ({"expression": "^(?!x)"}, r"expression: .*looks ahead, which RE2 cannot do"),
    ],
)
def test_what_is_beyond_its_bounds_is_refused(given: dict[str, object], words: str) -> None:
    """An entry that waits for too long is not seen, and one that is too long is refused by Loki."""
    with pytest.raises(ConfigError, match=words):
        parse_model(Multiline, given, "m")


# -- times -----------------------------------------------------------------------------------------------------------

LOCAL, WITH_OFFSET = "2006-01-02 15:04:05", "2006-01-02T15:04:05Z07:00"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"layout": LOCAL}, "zone: .* has no offset such as -0700; say in which zone"),
        ({"layout": WITH_OFFSET, "zone": "UTC"}, "zone: 'UTC': each line has an offset"),
        ({"zone": "UTC"}, "zone: 'UTC': RFC 3339 and numbers have no need of it"),
        ({"layout": LOCAL, "zone": "Berlin"}, "'Berlin' is no time zone"),
        ({"layout": "%H:%M", "zone": "UTC"}, "layout: .*is no layout of Go"),
    ],
)
def test_a_time_has_one_zone(given: dict[str, object], words: str) -> None:
    """A zone is neither guessed nor without effect."""
    with pytest.raises(ConfigError, match=words):
        parse_model(LineTime, given, "time")


def test_times_have_a_zone() -> None:
    """An offset in the layout, or a zone beside it."""
    assert parse_model(LineTime, {"layout": LOCAL, "zone": "Europe/Berlin"}, "time").zone == "Europe/Berlin"
    assert parse_model(LineTime, {"layout": WITH_OFFSET}, "time").zone is None
