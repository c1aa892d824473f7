"""Dashboards by the titles of their panels."""

from __future__ import annotations

import json
from typing import Any

from cli.changes.dashboards import compare_dashboards
from cli.changes.values import Detail

PATH = "grafana/boards/x/api.json"


def board(*panels: dict[str, Any]) -> dict[str, str]:
    """A dashboard with these panels."""
    return {PATH: json.dumps({"title": "API", "panels": panels})}


def test_panels_are_new_gone_or_others() -> None:
    """Those of rows too; one that only moves is no change."""
    before = board(
        {"title": "a", "gridPos": 1}, {"title": "row", "panels": [{"title": "b"}]}, {"title": "c", "unit": 1}
    )
    after = board(
        {"title": "d"}, {"title": "a", "gridPos": 2}, {"title": "row", "panels": []}, {"title": "c", "unit": 2}
    )
    (change,) = compare_dashboards(before, after)
    assert set(change.details) == {Detail("panel", None, "d"), Detail("panel", "b", None), Detail("panel", "c", "c")}


def test_panels_of_one_title_are_several() -> None:
    """The second one has a number."""
    (change,) = compare_dashboards(board({"title": "a"}), board({"title": "a"}, {"type": "text"}, {"title": "a"}))
    assert change.details == (Detail("panel", None, "text"), Detail("panel", None, "a (2)"))


def test_whole_dashboards_have_their_title() -> None:
    """A new one, one that is gone, and one that is no JSON."""
    (new,), (gone,) = compare_dashboards({}, board()), compare_dashboards(board(), {})
    assert (new.subject, new.verb, gone.verb) == ("API", "is new", "is removed")
    (odd,) = compare_dashboards({}, {PATH: "{"})
    assert odd.subject == PATH
