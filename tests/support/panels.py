"""The queries of a dashboard, with its variables and intervals filled in as Grafana would at first sight."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cli.drawn import list_panels
from cli.render import plan_file

INTERVALS = {"$__rate_interval": "1m", "$__interval": "15s", "$__range": "1h", "$__auto": "1m"}


def panel_queries(root: Path, stack: str, uid: str) -> list[tuple[str, str, str]]:
    """Title of the panel, type of its data source and its query, for each query of the dashboard `uid`."""
    plan = plan_file(root / f"Pulumi.{stack}.yaml", stack, root=root)
    board = next(board for board in plan.telemetry.dashboards if board.uid == uid)
    return list_queries(board.model)


def list_queries(
    board: Mapping[str, Any], panels: Sequence[Mapping[str, Any]] | None = None
) -> list[tuple[str, str, str]]:
    """As above for a dashboard's model; of all its panels, or of these."""
    model = json.loads(json.dumps(board))
    chosen = _choose_all(model)
    found = []
    for panel in list_panels(model) if panels is None else panels:
        for target in panel.get("targets", []):
            source = (target.get("datasource") or panel.get("datasource") or {}).get("type", "prometheus")
            found.append((panel["title"], source, _filled(target["expr"], chosen)))
    return found


def _choose_all(model: Mapping[str, Any]) -> dict[str, str]:
    """What stands for each variable of a dashboard while all of its values are chosen."""
    variables = model.get("templating", {}).get("list", ())
    return {variable["name"]: variable.get("allValue") or ".*" for variable in variables}


def _filled(query: str, chosen: Mapping[str, str]) -> str:
    """A query with "All" chosen of each variable, which is what a dashboard begins with."""
    for name, value in INTERVALS.items():
        query = query.replace("${" + name[1:] + "}", value).replace(name, value)
    for name, value in chosen.items():
        query = query.replace("${" + name + "}", value).replace(f"${name}", value)
    return query


def board_queries(root: Path, stack: str) -> list[tuple[str, str, str, str]]:
    """Uid of the dashboard, title of the panel, type of its data source and its query, for every query of a stack."""
    plan = plan_file(root / f"Pulumi.{stack}.yaml", stack, root=root)
    return [(board.uid, *found) for board in plan.telemetry.dashboards for found in list_queries(board.model)]


def board_variables(root: Path, stack: str) -> list[tuple[str, str, str]]:
    """Uid of the dashboard, name of the variable, and a query for the series whose labels it offers."""
    plan = plan_file(root / f"Pulumi.{stack}.yaml", stack, root=root)
    found = []
    for board in plan.telemetry.dashboards:
        model = json.loads(json.dumps(board.model))
        chosen = _choose_all(model)
        for variable in model.get("templating", {}).get("list", ()):
            inside = variable["query"]["query"].removeprefix("label_values(").rpartition(",")[0]
            found.append((board.uid, variable["name"], _filled(inside, chosen)))
    return found
