"""The dashboard of spans."""

from __future__ import annotations

from components.otel import spans
from tests.support.boards import fits_a_row, is_sound


def test_the_board_is_sound() -> None:
    """It can be built, fills its rows, and its queries are PromQL that follows the chosen environment."""
    is_sound(spans.board(), "spans", panels=range(6, 12))
    fits_a_row(spans.board())
