"""Text of others."""

from __future__ import annotations

import pytest

from mcp_server.text import clean_labels, clean_text, estimate_tokens, mask_secrets


def test_what_nobody_sees_is_removed() -> None:
    """Control, direction, zero-width and tag characters are gone, and everything is in one line."""
    hostile = "a\x1b[31mb\u202ec\u200bd\U000e0041e\x00f\r\ng\th"
    assert clean_text(hostile, 100) == "a[31mbcdef \u23ce g h"


def test_long_text_is_cut() -> None:
    """A megabyte becomes a few characters, with a word on what was cut."""
    shown = clean_text("x" * 1_000_000, 400)
    assert shown.startswith("x" * 400) and shown.endswith("(1000000 characters)") and len(shown) < 430


def test_text_that_fits_is_unchanged() -> None:
    """Neither umlauts nor emoji of a log line are lost."""
    assert clean_text("größer 🙂", 100) == "größer 🙂"


def test_names_of_labels_are_clean_too() -> None:
    """A label's name may be any text since Prometheus 3."""
    assert clean_labels({"a\u202eb": "c\nd"}, 10) == {"ab": "c \u23ce d"}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ('{service="a"} |= "password=hunter2"', '{service="a"} |= "password=***"'),
        ("Authorization: Bearer abc.def", "Authorization: Bearer ***"),
        ('{"api_key":"k-123"}', '{"api_key":"***"}'),
        ("rate(tokens_total[5m])", "rate(tokens_total[5m])"),
    ],
)
def test_secrets_are_masked(text: str, shown: str) -> None:
    """What follows a word such as password is not shown; a metric's name stays."""
    assert mask_secrets(text) == shown


def test_tokens_are_estimated_upwards() -> None:
    """A rest counts as a whole token."""
    assert [estimate_tokens(text) for text in ("", "abc", "abcd", "ääää")] == [0, 1, 2, 3]
