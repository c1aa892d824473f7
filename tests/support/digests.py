"""Dashboards as a person reviews them: one line for each panel. Grafana's own JSON has some sixty lines for each."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

SUFFIX = ".txt"
"""In the place of `.json`."""


def digest_dashboard(text: str) -> str:
    """A dashboard's title, variables and panels: `[width x height] title | kind | unit | queries | thresholds`.

    The last line is a digest of all of it, which also changes with what the lines do not show.

    Args:
        text: the dashboard's JSON, see https://grafana.com/docs/grafana/latest/dashboards/build-dashboards/view-dashboard-json-model/.
    """
    board: Mapping[str, Any] = json.loads(text)
    lines = [
        f"# {board['title']} ({board['uid']}): {board.get('description', '')}",
        f"every {board['refresh']}, from {board['time']['from']}, tags {', '.join(board['tags'])}",
        *(f"link {link['title']} -> {link.get('url') or link.get('tags')}" for link in board.get("links", ())),
        *(_variable(item) for item in board["templating"]["list"]),
        *(f"mark {item['name']}: {_flat(item.get('expr', ''))}" for item in board["annotations"]["list"]),
        *_panels(board["panels"]),
        f"sha256 {hashlib.sha256(text.encode()).hexdigest()[:16]}",
    ]
    return "\n".join(lines) + "\n"


def _variable(item: Mapping[str, Any]) -> str:
    query = item.get("query", "")
    expression = query.get("query", "") if isinstance(query, Mapping) else query
    return f"variable {item['name']}: {_flat(str(expression))} {item.get('regex', '')}".rstrip()


def _panels(panels: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for panel in panels:
        if panel["type"] == "row":
            yield f"== {panel['title']}" + (" (folded)" if panel["collapsed"] else "")
            yield from _panels(panel["panels"])
        else:
            yield _panel(panel)


def _panel(panel: Mapping[str, Any]) -> str:
    size = panel["gridPos"]
    defaults = panel.get("fieldConfig", {}).get("defaults", {})
    queries = " ; ".join(_flat(str(target.get("expr", target.get("query", "")))) for target in panel.get("targets", ()))
    steps = defaults.get("thresholds", {}).get("steps", ())
    limits = " ".join(step["color"] + ("" if step["value"] is None else f">={step['value']:g}") for step in steps)
    parts = (panel["title"], panel["type"], defaults.get("unit", "-"), queries or "-", limits or "-")
    return f"[{size['w']}x{size['h']}] " + " | ".join(parts)


def _flat(text: str) -> str:
    return " ".join(text.split())
