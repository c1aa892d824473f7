"""The stack's own dashboard has the rows that components contribute, and no other."""

from __future__ import annotations

from components.grafana.dashboards import build_stack_dashboard
from model.telemetry import StackRow
from packs.base import build_panel

PANEL = build_panel("Up", {"up": "up"}, "short", "Whether it is up.")


def row(title: str, position: int) -> StackRow:
    """A row of one panel."""
    return StackRow(title=title, panels=(PANEL,), position=position)


def test_the_order_of_rows_is_their_position() -> None:
    """The order of the rows does not depend on the order of deployment; equal positions stay as they came."""
    rows = [row("c", 30), row("a", 0), row("b", 10), row("b2", 10)]
    board = build_stack_dashboard(rows)
    assert [entry.title for entry in board.rows] == ["a", "b", "b2", "c"]
    assert all(entry.panels == (PANEL,) for entry in board.rows)
