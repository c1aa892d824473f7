"""Which lines are one entry, as a system says it."""

from __future__ import annotations

import pytest

from model.errors import ConfigError
from model.lines import Multiline
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
