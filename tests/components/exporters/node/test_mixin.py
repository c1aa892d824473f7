"""The board of the host."""

from __future__ import annotations

from typing import Any

from components.exporters.node import mixin as host
from tests.support.boards import fits_a_row, is_sound


def test_panels_explain_themselves(explains: Any) -> None:
    """Each panel has a title of its own in its row and says what it shows; the row for other boards has 4 to 8."""
    assert len(host.panels()) in range(4, 9)
    explains(host.panels())
    for row in host.board().rows:
        explains(row.panels)


def test_the_board_is_sound() -> None:
    """It can be built, fills its rows, and its queries are PromQL that follows the chosen environment."""
    is_sound(host.board(), "host", panels=range(15, 31))
    fits_a_row(host.board())
