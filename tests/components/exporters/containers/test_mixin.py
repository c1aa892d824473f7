"""The board of containers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from components.exporters.containers import mixin as containers
from model.dashboard import build_dashboard
from tests.support.boards import fits_a_row, is_sound
from tests.support.objectives import case, judged
from tests.support.panels import list_queries


def test_panels_explain_themselves(explains: Any) -> None:
    """Each panel has a title of its own in its row and says what it shows; the row for other boards has 4 to 8."""
    assert len(containers.panels()) in range(4, 9)
    explains(containers.panels())
    for row in containers.board(files=True).rows:
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


@pytest.mark.parametrize(
    ("metric", "values", "name", "value"),
    [
        ("container_memory_failcnt", "5+0x10", "none of them", "== bool 0"),
        ("container_memory_failcnt", "5+1x10", "a", "> bool 0"),
        ("container_memory_events_max_total", "5+0x10", "a", "== bool 0"),
    ],
)
def test_a_limit_that_nobody_reached_is_a_zero(metric: str, values: str, name: str, value: str, tmp_path: Path) -> None:
    """By both versions of control groups: an empty panel would say as well that nothing is measured."""
    model = build_dashboard(containers.board(files=True), folder="x", tags=[]).model
    (query,) = (query for title, _, query in list_queries(model) if title == "Limit reached")
    series = {f'{metric}{{name="a", environment="test", service="a"}}': values}
    named = f'count(({query}) and on (name) label_replace(vector(1), "name", "{name}", "", "")) == bool 1'
    judged(tmp_path, [], [case(series, "10m", named, f"count({query}) == bool 1", f"sum({query}) {value}")], "1m")
