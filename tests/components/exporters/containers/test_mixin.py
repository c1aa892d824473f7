"""The board of containers."""

from __future__ import annotations

from typing import Any

import pytest

from components.exporters.containers import mixin as containers
from tests.support.boards import fits_a_row, is_sound


def test_panels_explain_themselves(explains: Any) -> None:
    """Each panel has a title of its own in its row and says what it shows; the row for other boards has 4 to 8."""
    assert len(containers.panels()) in range(4, 9)
    explains(containers.panels())
    for row in containers.board().rows:
        explains(row.panels)


@pytest.mark.parametrize("files", [True, False])
def test_the_board_is_sound(files: bool) -> None:
    """It can be built, fills its rows, and its queries are PromQL that follows the chosen environment."""
    is_sound(containers.board(files=files), "containers", panels=range(10, 19))
    fits_a_row(containers.board(files=files))


def test_files_are_drawn_where_an_engine_counts_them() -> None:
    """No panel stays empty with the image store of new installations, of which cAdvisor knows no layers."""
    with_files, without = (str(containers.board(files=files)) for files in (True, False))
    assert "container_fs_usage_bytes" in with_files and "container_fs_usage_bytes" not in without
