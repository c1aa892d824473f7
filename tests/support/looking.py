"""Dashboards as people see them: what each panel shows, what is cut off, and whether its numbers are the right ones.

Panels are found by the test ids that Grafana publishes, so that the same tests look at Grafana itself:
https://github.com/grafana/grafana/tree/main/packages/grafana-e2e-selectors.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from math import isfinite
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from cli.browser import Browser
from cli.drawn import list_panels
from cli.pictures import open_whole
from cli.render import plan_file
from model.telemetry import Dashboard
from tests.support.browser import browser
from tests.support.clusters import SILENT_PANELS, ClusterStack
from tests.support.panels import list_queries
from tests.support.running import RunningStack
from tests.support.waiting import eventually

SCRIPT = (Path(__file__).parent / "looking.js").read_text()

PATIENCE = 330.0
"""Seconds from which on a young stack has no excuse: rules of long windows are evaluated every five minutes."""
STEADY, MOVING = 0.02, 0.5
"""How far a number may be from the answers of the last minutes, as a share of them; rates are those of some seconds
earlier, in which the very looking made requests. A wrong unit is a factor of 8 at least."""

_TIME: dict[str, float] = {
    "ns": 1e-9,
    "µs": 1e-6,
    "ms": 1e-3,
    "s": 1,
    "min": 60,
    "h": 3600,
    "d": 86400,
    "wk": 604800,
    "yr": 31536000,
}
_TIME |= {"mins": 60, "hour": 3600, "hours": 3600, "day": 86400, "days": 86400, "weeks": 604800, "week": 604800}
_SHORT: dict[str, float] = {"": 1, "K": 1e3, "Mil": 1e6, "Bil": 1e9, "Tri": 1e12}
_BYTES: dict[str, float] = {"B": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}


def _scale(unit: str) -> dict[str, float]:
    steps = {"": 1, "k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9, "Mil": 1e6}
    return {f"{step} {unit}".strip(): size for step, size in steps.items()} | {
        f"{step}{unit}": size for step, size in steps.items()
    }


UNITS: dict[str, dict[str, float]] = {
    "short": _SHORT,
    "none": {"": 1},
    "percentunit": {"%": 0.01},
    "percent": {"%": 1},
    "s": _TIME,
    "ms": {name: size * 1000.0 for name, size in _TIME.items()},
    "bytes": _BYTES,
    "Bps": _scale("B/s"),
    "reqps": _scale("req/s"),
    "ops": _scale("ops/s"),
    "cps": _scale("c/s"),
    "iops": _scale("io/s"),
    "currencyINR": _SHORT,
}
"""What a shown unit stands for, in the panel's own, by the panel's unit:
https://grafana.com/docs/grafana/latest/panels-visualizations/configure-standard-options/#unit."""


@dataclass(frozen=True)
class SeenPanel:
    """A panel: the `lines` of text that it shows, those that are `cut` off, and why it shows nothing where it does."""

    title: str
    failures: tuple[str, ...]
    empty: bool
    cut: tuple[str, ...]
    label: str
    lines: tuple[str, ...]


@dataclass(frozen=True)
class SeenBoard:
    """A dashboard: its panels, what went wrong with the page itself, and its picture as PNG."""

    url: str
    panels: tuple[SeenPanel, ...]
    troubles: tuple[str, ...]
    picture: bytes

    def list_faults(self, *, may_be_empty: Iterable[str] = ()) -> list[str]:
        """What a reader would stumble over, each with the panel's title."""
        allowed = set(may_be_empty)
        faults = list(self.troubles)
        for panel in self.panels:
            faults += [f"{panel.title}: {failure}" for failure in panel.failures]
            faults += [f"{panel.title}: cut: {text}" for text in panel.cut]
            if panel.empty and panel.title not in allowed:
                faults.append(f"{panel.title}: no data")
        return faults


def look_at(people: Browser, url: str) -> SeenBoard:
    """The dashboard at a URL with all rows unfolded."""
    page = open_whole(people, url)
    panels = tuple(
        SeenPanel(
            one["title"], tuple(one["failures"]), one["empty"], tuple(one["cut"]), one["label"], tuple(one["lines"])
        )
        for one in json.loads(people.evaluate(SCRIPT))
    )
    return SeenBoard(url, panels, tuple(page.list_failures()), people.take_picture())


@contextmanager
def visiting(stack: RunningStack, folder: Path) -> Iterator[tuple[Browser, str]]:
    """A browser that has signed in to the stack's dashboards, and where they are."""
    with stack.opened() as addresses, browser(folder) as people:
        people.sign_in("admin", stack.password("grafana-admin-password"))
        (dashboards,) = addresses.keys() & {"grafana", "dashboard-viewer"}
        yield people, addresses[dashboards].rstrip("/")


def look_at_all(stack: RunningStack, folder: Path, uids: Collection[str] = ()) -> tuple[int, list[str]]:
    """How many panels the stack's dashboards have, or those of some `uids`, and what is wrong with what they show.

    A picture of each is left in `folder`.
    """
    plan = plan_file(stack.stack_file, stack.name, root=stack.root)
    boards = [board for board in plan.telemetry.dashboards if not uids or board.uid in uids]
    counts: dict[str, int] = {}
    faults: dict[str, list[str]] = {}

    with visiting(stack, folder) as (people, address):

        def look(board: Dashboard) -> bool:
            seen = look_at(people, f"{address}/d/{board.uid}")
            (folder / f"{board.uid}.png").write_bytes(seen.picture)
            counts[board.uid] = len(seen.panels)
            quiet = SILENT_PANELS if isinstance(stack, ClusterStack) else ()
            faults[board.uid] = [*seen.list_faults(may_be_empty=quiet), *list_wrong_numbers(stack, board.model, seen)]
            return not faults[board.uid]

        deadline = time.monotonic() + PATIENCE
        for board in [board for board in boards if not look(board)]:
            with suppress(AssertionError):  # what is then still wrong is the answer
                eventually(partial(look, board), timeout=max(deadline - time.monotonic(), 0), what=board.uid)
    return sum(counts.values()), [f"{uid}: {fault}" for uid, wrong in faults.items() for fault in wrong]


def list_wrong_numbers(stack: RunningStack, model: Mapping[str, Any], seen: SeenBoard) -> list[str]:
    """Panels whose numbers are not those of their queries, or whose lines are not at their thresholds."""
    shown = {panel.title: panel for panel in seen.panels}
    faults = []
    for panel in list_panels(model):
        there = shown.get(panel.get("title", ""))
        defaults = panel.get("fieldConfig", {}).get("defaults", {})
        if there is None or "unit" not in defaults or there.empty:
            continue
        unit = defaults["unit"]
        if panel["type"] in ("stat", "gauge", "bargauge") and unit in UNITS and not shows_words(defaults):
            moving = any("rate(" in target["expr"] or "increase(" in target["expr"] for target in panel["targets"])
            for values in list_values(stack, model, panel):
                if not is_shown(values, there.lines, unit, slack=MOVING if moving else STEADY):
                    faults.append(f"{there.title}: {values[-1]:g} ({unit}) is not among {list(there.lines)}")
        _, _, said = there.label.partition("Thresholds: ")
        for value in list_thresholds(defaults) if said else ():
            if not is_shown([value], [said], unit):
                faults.append(f"{there.title}: the threshold {value:g} ({unit}) is not among {said}")
    return faults


def shows_words(defaults: Mapping[str, Any]) -> bool:
    """Whether a field configuration has words in place of numbers; those in place of no number are none of them."""
    return any(mapping["type"] != "special" for mapping in defaults.get("mappings", ()))


def list_thresholds(defaults: Mapping[str, Any]) -> list[float]:
    """The thresholds of a panel's field configuration, without its base."""
    steps = defaults.get("thresholds", {}).get("steps", [])
    return [step["value"] for step in steps if isinstance(step.get("value"), int | float)]


def list_values(stack: RunningStack, model: Mapping[str, Any], panel: Mapping[str, Any]) -> Iterator[list[float]]:
    """The values of the last minutes of each series that a panel of Prometheus' metrics shows."""
    end = int(time.time())
    for _, source, query in list_queries(model, [panel]):
        if source != "prometheus":
            continue
        ask = urlencode({"query": query, "start": end - 180, "end": end, "step": 15})
        answer = stack.get("prometheus", f"http://127.0.0.1:9090/prometheus/api/v1/query_range?{ask}")
        found = [[float(value) for _, value in series["values"]] for series in answer["data"]["result"]]
        longest = max(map(len, found), default=0)
        # a series that was among the ten largest for a while may not be there now
        yield from (values for values in found if len(values) == longest and all(map(isfinite, values)))


def parse_numbers(lines: Iterable[str], unit: str) -> list[tuple[float, float]]:
    """Each number that is shown in a `unit`, in that unit, and the distance to the next one that could be shown.

    Raises:
        KeyError: nothing is known about the unit.
    """
    steps = UNITS[unit]
    found = []
    for sign, digits, name in re.findall(
        r"(-?)[₹$€]?(\d[\d,]*(?:\.\d+)?) ?([%A-Za-zµ/]*(?: ?[a-z]+/s)?)", " \n".join(lines)
    ):
        if name.strip() in steps:
            size = steps[name.strip()]
            places = len(digits.partition(".")[2])
            value = float(digits.replace(",", "")) * size
            found.append((-value if sign else value, size * 10**-places))
    return found


def is_shown(values: Sequence[float], lines: Iterable[str], unit: str, *, slack: float = STEADY) -> bool:
    """Whether the lines have a number that lies where the `values` of the last minutes do, rounded as it is shown."""
    low, high = min(values), max(values)
    more = slack * max(abs(low), abs(high))
    return any(low - more - step <= number <= high + more + step for number, step in parse_numbers(lines, unit))
