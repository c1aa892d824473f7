"""Dashboards before and after, by the titles of their panels."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from cli.changes.values import (
    CHANGED,
    DASHBOARDS,
    GONE,
    NEW,
    Change,
    Detail,
    Documents,
    list_changed,
)

FOLDER = "grafana/boards/"
_PLACE = ("gridPos", "id")
"""Of a panel: where it stands. What stands above it moves it."""


def compare_dashboards(before: Documents, after: Documents) -> Iterator[Change]:
    """Dashboards that are new, gone or have other panels."""
    for path in list_changed(before, after, FOLDER):
        old, new = _read_board(before.get(path)), _read_board(after.get(path))
        title = str((new or old or {}).get("title") or path)
        if old is None or new is None:
            yield Change(DASHBOARDS, NEW if new is not None else GONE, title)
        else:
            panels = tuple(_compare_panels(_list_panels(old), _list_panels(new)))
            others = (key for key in dict.fromkeys([*old, *new]) if key != "panels" and old.get(key) != new.get(key))
            yield Change(DASHBOARDS, CHANGED, title, (*panels, *(Detail(key) for key in others)))


def _compare_panels(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Detail]:
    for name in dict.fromkeys([*new, *old]):
        if name not in old:
            yield Detail("panel", None, name)
        elif name not in new:
            yield Detail("panel", name, None)
        elif old[name] != new[name]:
            yield Detail("panel", name, name)


def _read_board(text: str | None) -> dict[str, Any] | None:
    try:
        return dict(json.loads(text)) if text is not None else None
    except ValueError:
        return {}


def _list_panels(board: Mapping[str, Any]) -> dict[str, Any]:
    """Panels by title, those of rows too, without their places; a title that is there twice has a number."""
    made: dict[str, Any] = {}
    panels = [*board.get("panels", ())]
    for panel in panels:
        panels += panel.get("panels") or ()
        title = str(panel.get("title") or panel.get("type"))
        name = next(name for name in (title, *(f"{title} ({n})" for n in range(2, 1000))) if name not in made)
        made[name] = {key: value for key, value in panel.items() if key not in (*_PLACE, "panels")}
    return made
