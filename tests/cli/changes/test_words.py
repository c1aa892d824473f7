"""Values of others in Markdown."""

from __future__ import annotations

import pytest

from cli.changes.words import format_block, format_code, shorten_pair, show_hidden


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a", "`a`"),
        ("</details> @all #1", "`</details> @all #1`"),
        ("a\n# b\n/close", "`a # b /close`"),
        ("a `b` c", "``a `b` c``"),
        ("`", "`` ` ``"),
        ("a\u202eb\x1b", "`a\\u202eb\\u001b`"),
        (" ", "(empty)"),
    ],
)
def test_a_value_is_code_in_one_line(text: str, shown: str) -> None:
    """Its marks are longer than any in it, its lines are one, and what cannot be seen is written out."""
    assert format_code(text) == shown


def test_a_long_value_is_cut() -> None:
    """It ends with a mark that says so."""
    assert format_code("x" * 1000).endswith("…`") and len(format_code("x" * 1000)) < 300


def test_a_fence_is_longer_than_any_inside() -> None:
    """A value cannot end its block."""
    assert format_block("+````\n", "diff") == "`````diff\n+````\n`````\n"
    assert format_block("a\u2066\tb") == "```\na\\u2066\tb\n```\n"


def test_long_pairs_show_their_difference() -> None:
    """What is around it, at words; short ones are whole."""
    assert shorten_pair("a\n > 1", "a > 2") == ("a > 1", "a > 2")
    before, after = ("word " * 100 + middle + " word" * 100 for middle in ("> 0.05", "> 0.1"))
    one, other = shorten_pair(before, after)
    assert "> 0.05" in one and "> 0.1" in other and len(one) < 160 and one[0] == one[-1] == "…"
    assert one[1:5] == "word" == one[-5:-1]
    one, other = shorten_pair("a" * 500, "a" * 600)
    assert len(one) < 150 and len(other) < 300


def test_tabs_and_lines_are_seen() -> None:
    """They stay as they are."""
    assert show_hidden("a\tb\nc\r") == "a\tb\nc\\u000d"
