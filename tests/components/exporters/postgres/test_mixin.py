"""The board of PostgreSQL."""

from __future__ import annotations

from typing import Any

from components.exporters.postgres import mixin as postgres
from tests.support.boards import fits_a_row, is_sound


def test_panels_explain_themselves(explains: Any) -> None:
    """Each panel has a title of its own in its row and says what it shows; the row for other boards has 4 to 8."""
    assert len(postgres.panels()) in range(4, 9)
    explains(postgres.panels())
    for row in postgres.board().rows:
        explains(row.panels)


def test_the_board_is_sound() -> None:
    """It can be built, fills its rows, and its queries are PromQL that follows the chosen environment."""
    is_sound(postgres.board(), "postgres", panels=range(10, 19))
    fits_a_row(postgres.board())
