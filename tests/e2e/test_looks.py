"""The dashboards of a stack as people see them, in headless Chromium; and that a wrong one is seen to be wrong."""

from __future__ import annotations

import copy
import json
import time
from pathlib import Path
from typing import Any

import pytest

from cli.drawn import list_panels
from cli.render import plan_file
from tests.support.browser import browser
from tests.support.looking import list_wrong_numbers, look_at, look_at_all, shows_words, visiting
from tests.support.running import RunningStack
from tests.support.viewing import PASSWORD, serving_viewer

BOARD = "plue-overview"


def test_every_dashboard_is_looked_at(stack: RunningStack, tmp_path: Path) -> None:
    """No panel fails, is empty or cut off, and its numbers and thresholds are those of its queries."""
    began = time.monotonic()
    count, faults = look_at_all(stack, tmp_path)
    print(f"{count} panels seen in {time.monotonic() - began:.0f} s, {len(faults)} wrong; pictures: {tmp_path}")
    assert not faults, "\n".join(faults)


def spoil(model: dict[str, Any]) -> dict[str, str]:
    """Three mistakes in a dashboard: titles of the panels, each with a word of what is then wrong."""
    panels = [panel for panel in list_panels(model) if panel["type"] != "row"]

    def find(*kinds: str, unit: str = "", thresholds: bool = False) -> Any:
        for panel in panels:
            defaults = panel["fieldConfig"]["defaults"] if "fieldConfig" in panel else {}
            fits = panel["type"] in kinds and (not unit or defaults.get("unit") == unit)
            lines = defaults.get("custom", {}).get("thresholdsStyle", {}).get("mode", "off") != "off"
            if fits and (lines or not thresholds) and not shows_words(defaults):
                panels.remove(panel)
                return panel
        raise LookupError(kinds, unit)

    unit, query, limit = (
        find("stat", "gauge", unit="percentunit"),
        find("timeseries"),
        find("timeseries", thresholds=True),
    )
    unit["fieldConfig"]["defaults"]["unit"] = "s"  # seen whatever the value is; 0 % is right as a percentage, too
    for target in query["targets"]:
        target["expr"] = "nothing_is_called_so"
    for step in limit["fieldConfig"]["defaults"]["thresholds"]["steps"]:
        step["value"] = step["value"] and step["value"] * 10
    return {unit["title"]: "is not among", query["title"]: "no data", limit["title"]: "the threshold"}


def test_a_wrong_dashboard_is_seen(stack: RunningStack, tmp_path: Path) -> None:
    """A wrong unit, a query without an answer and a threshold elsewhere, each with the panel's title."""
    plan = plan_file(stack.stack_file, stack.name, root=stack.root)
    model = json.loads(json.dumps(next(board.model for board in plan.telemetry.dashboards if board.uid == BOARD)))
    spoiled = copy.deepcopy(model)
    wanted = spoil(spoiled)
    login = ("admin", stack.password("access-admin-password"))
    with (
        stack.opened() as addresses,
        serving_viewer(tmp_path / "viewer", [spoiled], addresses["prometheus"], login) as address,
        browser(tmp_path / "browser") as people,
    ):
        people.sign_in("admin", PASSWORD)
        seen = look_at(people, f"{address}/d/{BOARD}")
        faults = [*seen.list_faults(), *list_wrong_numbers(stack, model, seen)]
    for title, words in wanted.items():
        assert any(fault.startswith(f"{title}: ") and words in fault for fault in faults), (title, faults)


def test_the_first_dashboard_is_drawn_soon(stack: RunningStack, tmp_path: Path) -> None:
    """What is in view is drawn without an error; how long that took is printed."""
    with visiting(stack, tmp_path) as (people, address):
        if "viewer" not in stack.get("grafana", "http://127.0.0.1:3000/api/health"):
            pytest.skip("Grafana itself is here, whose pages are larger")
        people.resize(1440, 900)
        page = people.open(f"{address}/d/{BOARD}")
        script = "Math.max(...performance.getEntriesByType('resource').map((entry) => entry.responseEnd))"
        milliseconds = float(people.evaluate(script))
    print(f"{BOARD}: the last answer came {milliseconds:.0f} ms after the start of the page")
    assert not page.broken() and not page.errors
