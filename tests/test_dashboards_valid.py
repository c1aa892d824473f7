"""Every rendered dashboard has the structure that Grafana reads, and its digest says what a person looks at.

Format: https://grafana.com/docs/grafana/latest/dashboards/build-dashboards/view-dashboard-json-model/.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from cli.render import render_documents
from tests.support.digests import digest_dashboard
from tests.support.golden import BOARDS, STACKS, plan_as
from tests.support.tiers import leave_all_but
from tests.support.yaml_files import read_yaml

QUIET = {"dashlist", "row", "text"}
"""Panels that ask no data source."""
KINDS = {*QUIET, "bargauge", "gauge", "heatmap", "logs", "piechart", "stat", "table", "timeseries"}
"""Panels that Grafana has without a plugin, as far as they are used."""
COLUMNS = 24
SOURCES = "grafana/datasources/datasources.yaml"


def rendered(stack: str) -> tuple[dict[str, dict[str, Any]], set[str]]:
    """The dashboards of a stack by their file, and the uids of its data sources."""
    files = render_documents(plan_as(stack, stack))
    sources = {source["uid"] for source in read_yaml(files[SOURCES])["datasources"]}
    return {name: json.loads(text) for name, text in files.items() if name.startswith(BOARDS)}, sources


def every_panel(board: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Panels and rows, those in folded rows too."""
    for panel in board["panels"]:
        yield panel
        yield from panel.get("panels", ())


def problems(board: Mapping[str, Any], sources: set[str]) -> Iterator[str]:
    """What Grafana would not read as it is meant."""
    for key, kind in {"uid": str, "title": str, "schemaVersion": int, "time": dict, "tags": list}.items():
        if not isinstance(board.get(key), kind):
            yield f"{key} is missing or no {kind.__name__}"
    panels = list(every_panel(board))
    if len({panel["id"] for panel in panels}) < len(panels):
        yield "two panels have one id"
    for panel in panels:
        yield from (f"{panel['title']}: {text}" for text in panel_problems(panel, sources))
    yield from (f"{one['title']} lies on {other['title']}" for one, other in overlapping(board["panels"]))


def panel_problems(panel: Mapping[str, Any], sources: set[str]) -> Iterator[str]:
    """What is wrong with one panel."""
    size, targets = panel["gridPos"], panel.get("targets", [])
    if panel["type"] not in KINDS:
        yield f"{panel['type']} is no kind of panel"
    if size["x"] + size["w"] > COLUMNS or min(size["w"], size["h"]) < 1:
        yield "does not fit into the columns"
    if panel["type"] not in QUIET and not targets:
        yield "asks nothing"
    if len({target["refId"] for target in targets}) < len(targets):
        yield "two queries have one refId"
    for source in (target["datasource"] for target in targets):
        if source["uid"] not in sources:
            yield f"there is no data source {source['uid']}"
    steps = panel.get("fieldConfig", {}).get("defaults", {}).get("thresholds", {}).get("steps", [])
    values = [step["value"] for step in steps]
    if values and (values[0] is not None or values[1:] != sorted(values[1:])):
        yield "its thresholds do not ascend from null"


def overlapping(panels: list[dict[str, Any]]) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Pairs of panels that have a cell of the grid in common."""
    cells: dict[tuple[int, int], dict[str, Any]] = {}
    for panel in panels:
        size = panel["gridPos"]
        taken = [
            (x, y) for x in range(size["x"], size["x"] + size["w"]) for y in range(size["y"], size["y"] + size["h"])
        ]
        for other in {id(cells[cell]): cells[cell] for cell in taken if cell in cells}.values():
            yield panel, other
        cells |= dict.fromkeys(taken, panel)


@pytest.mark.parametrize("stack", leave_all_but(("dev",), STACKS))
def test_every_dashboard_has_the_structure_that_grafana_reads(stack: str) -> None:
    """Ids, places, kinds, queries, data sources and thresholds are such that every panel is drawn as it is meant."""
    boards, sources = rendered(stack)
    assert boards
    assert not {name: wrong for name, board in boards.items() if (wrong := list(problems(board, sources)))}


def broken(change: str) -> dict[str, Any]:
    """A dashboard with one mistake."""
    boards, _ = rendered("dev")
    board = boards[f"{BOARDS}plue/plue-overview.json"]
    panel = next(panel for panel in board["panels"] if len(panel.get("targets", ())) > 1)
    match change:
        case "id":
            panel["id"] = board["panels"][0]["id"]
        case "place":
            panel["gridPos"]["x"] = 20
        case "kind":
            panel["type"] = "graph"
        case "query":
            panel["targets"][1]["refId"] = panel["targets"][0]["refId"]
        case "source":
            panel["targets"][0]["datasource"]["uid"] = "nobody"
        case "threshold":
            panel["fieldConfig"]["defaults"]["thresholds"]["steps"][0]["value"] = 1
        case _:
            del board["uid"]
    return board


@pytest.mark.parametrize("change", ["id", "place", "kind", "query", "source", "threshold", "uid"])
def test_a_mistake_in_a_dashboard_is_seen(change: str) -> None:
    """Each of the rules above refuses what it is for."""
    assert list(problems(broken(change), rendered("dev")[1]))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("title",), "Other"),
        (("type",), "table"),
        (("fieldConfig", "defaults", "unit"), "other"),
        (("targets", 0, "expr"), "up"),
        (("fieldConfig", "defaults", "thresholds", "steps"), [{"color": "purple", "value": None}]),
        (("gridPos", "h"), 3),
    ],
)
def test_a_digest_shows_what_a_person_looks_at(path: tuple[str | int, ...], value: object) -> None:
    """Title, kind, unit, queries, thresholds and size are in the panel's line; anything else is in the last one."""
    board = rendered("dev")[0][f"{BOARDS}plue/plue-overview.json"]
    before = digest_dashboard(json.dumps(board)).splitlines()
    panel: Any = next(panel for panel in board["panels"] if panel.get("targets"))
    for key in path[:-1]:
        panel = panel[key]
    panel[path[-1]] = value
    after = digest_dashboard(json.dumps(board)).splitlines()
    assert len([1 for old, new in zip(before, after, strict=True) if old != new]) == 2
    board["editable"] = not board["editable"]
    (changed,) = [
        1 for old, new in zip(after, digest_dashboard(json.dumps(board)).splitlines(), strict=True) if old != new
    ]
    assert changed
