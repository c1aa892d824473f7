"""The levels of lines: each word of a program means one of them."""

from __future__ import annotations

from model.levels import LEVELS


def test_a_word_means_one_level() -> None:
    """Else a line's level would depend on the order in which the words are tried."""
    words = [word for each in LEVELS.values() for word in each]
    assert len(words) == len(set(words)) and set(LEVELS) <= set(words)
