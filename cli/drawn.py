"""Where the metrics of an alert are drawn: the panels that somebody who is called looks at first."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from model.plan import Plan
from model.promql import fill_variables, list_needed_names
from model.telemetry import AlertRule

_TEXT = re.compile(r'"((?:[^"\\]|\\.)*)"')
_NAMES = re.compile(r'__name__=~"([^"]+)"')


@dataclass(frozen=True)
class Drawn:
    """A panel by its title, and the dashboard that has it by title and uid; `of_system` is one of a system's own."""

    panel: str
    dashboard: str
    uid: str
    of_system: bool


class PanelIndex:
    """The panels of a plan's dashboards by the metrics that they draw: listed once, however many alerts ask."""

    def __init__(self, plan: Plan) -> None:
        self._records = _list_records(plan)
        self._panels = [(d, names, _expand(names, self._records), texts) for d, names, texts in _list_drawn(plan)]

    def find_panel(self, alert: AlertRule) -> Drawn | None:
        """The panel with most of the metrics that an alert asks for; None where none of them is drawn.

        Of equals that on the alert's own dashboard comes first, then the one that chooses series by the same values of
        labels, and then the one that draws the least beside them.
        """
        wanted = _expand(list_needed_names(alert.expr) | self._list_matched(alert.expr), self._records)
        own, values = alert.annotations.get("dashboard_url", ""), list_texts(alert.expr)
        best: tuple[tuple[float, bool, int, int], Drawn] | None = None
        for drawn, names, sources, texts in self._panels:
            shared = wanted & sources
            if not shared:
                continue
            place = (len(shared), f"/d/{drawn.uid}" in own, len(values & texts), -len(names))
            if best is None or place > best[0]:
                best = (place, drawn)
        return best[1] if best else None

    def _list_matched(self, expr: str) -> frozenset[str]:
        """The metrics that an expression names by a pattern, where one panel draws all of them that are drawn."""
        matched = frozenset[str]()
        for pattern in map(re.compile, _NAMES.findall(expr)):
            drawn = [frozenset(filter(pattern.fullmatch, sources)) for *_, sources, _ in self._panels]
            if any(names == frozenset().union(*drawn) for names in drawn):
                matched |= frozenset().union(*drawn)
        return matched


def list_texts(query: str) -> frozenset[str]:
    """What stands in quotes in a query: values of labels."""
    return frozenset(_TEXT.findall(query)) - {""}


def _list_drawn(plan: Plan) -> Iterator[tuple[Drawn, frozenset[str], frozenset[str]]]:
    """Each panel of Prometheus' metrics, the metrics that it asks for, and by which values of labels."""
    for board in plan.telemetry.dashboards:
        for panel in list_panels(board.model):
            queries = [str(target["expr"]) for target in panel.get("targets", ()) if "expr" in target]
            names = frozenset(name for query in queries for name in list_drawn_names(query))
            if names and panel.get("title"):
                drawn = Drawn(panel["title"], board.title, board.uid, board.folder == plan.system.title)
                yield drawn, names, frozenset().union(*map(list_texts, queries))


def list_panels(holder: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The panels of a dashboard's model or of a row, those of its rows among them."""
    for panel in holder.get("panels") or ():  # Grafana writes null
        yield panel
        yield from list_panels(panel)


@cache
def list_drawn_names(query: str) -> frozenset[str]:
    """The metrics of a query that has variables of Grafana; none where it is no PromQL, such as one of log lines."""
    return list_needed_names(fill_variables(query))


def _list_records(plan: Plan) -> dict[str, frozenset[str]]:
    """The metrics that each recorded series is made of."""
    rules = (rule for group in plan.telemetry.rules for rule in group.recordings)
    return {rule.record: list_drawn_names(rule.expr) for rule in rules}


def _expand(names: frozenset[str], records: Mapping[str, frozenset[str]]) -> frozenset[str]:
    """Names with those of which recorded ones are made."""
    made = frozenset(source for name in names for source in records.get(name, ()))
    return names | made if made <= names else _expand(names | made, records)
