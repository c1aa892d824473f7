"""The stage of a level; tests/e2e/test_levels.py shows the levels that Promtail itself finds."""

from __future__ import annotations

from components.promtail.levels import build_level_stage
from model.levels import LEVELS


def test_each_spelling_is_one_of_the_levels() -> None:
    """The template has all words that programs write, and takes the first source that is not empty."""
    template = build_level_stage(["a", "b"])["template"]["template"]
    assert all(f'"{word}" "{name}"' in template for name, words in LEVELS.items() for word in words)
    assert '(or .a .b "" | ToLower)' in template
