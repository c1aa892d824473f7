"""Names of series in every shipped panel: each one has what its legend asks for, and tables have whole lines."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import promql_parser as promql
import pytest

from cli.drawn import list_panels
from tests.test_ratios import STACKS, plan, tree


def list_alternatives(node: Any) -> Iterator[Any]:
    """The parts of a query that are joined by `or`."""
    if isinstance(node, promql.ParenExpr):
        yield from list_alternatives(node.expr)
    elif isinstance(node, promql.BinaryExpr) and str(node.op) == "or":
        yield from list_alternatives(node.lhs)
        yield from list_alternatives(node.rhs)
    else:
        yield node


def lacks(node: Any, label: str) -> bool:
    """Whether what a query gives certainly lacks a label: it is a count over everything, and nothing puts one on."""
    if isinstance(node, promql.Call) and node.func.name == "label_replace":
        return label not in str(node.args[1])
    if isinstance(node, promql.ParenExpr):
        return lacks(node.expr, label)
    if isinstance(node, promql.BinaryExpr):
        return all(lacks(side, label) for side in (node.lhs, node.rhs))
    if isinstance(node, promql.AggregateExpr):
        keeps = re.match(r"(topk|bottomk|limitk)\b", str(node))  # of these each series stays as it was
        return lacks(node.expr, label) if keeps else node.modifier is None
    return isinstance(node, promql.NumberLiteral)


def list_targets(stack: str, kinds: tuple[str, ...]) -> Iterator[tuple[str, str, str]]:
    """Dashboard and panel, query and legend of each query of Prometheus in panels of these kinds."""
    for board in plan(stack).telemetry.dashboards:
        for panel in list_panels(board.model):
            if panel["type"] in kinds and panel.get("datasource", {}).get("type") == "prometheus":
                for target in panel.get("targets", ()):
                    yield f"{board.uid}: {panel['title']}", target["expr"], target.get("legendFormat", "")


@pytest.mark.parametrize("stack", STACKS)
def test_a_series_has_the_labels_of_its_legend(stack: str) -> None:
    """A zero in place of what has not been counted yet is called something, or its query stands in the legend."""
    nameless = [
        f"{where}: {legend}"
        for where, query, legend in list_targets(stack, ("timeseries", "stat", "gauge", "bargauge"))
        for part in list_alternatives(tree(query))
        if (labels := re.findall(r"\{\{\s*(\w+)\s*\}\}", legend)) and all(lacks(part, label) for label in labels)
    ]
    assert not nameless, nameless


@pytest.mark.parametrize("stack", STACKS)
def test_tables_have_no_column_for_a_metrics_name(stack: str) -> None:
    """Lines of several queries become one where their labels agree, and names of metrics never do."""
    named = [
        where for where, query, _ in list_targets(stack, ("table",)) if isinstance(tree(query), promql.VectorSelector)
    ]
    assert not named, named


def test_the_checks_see_what_is_wrong() -> None:
    """A count of everything has no label; one that is put on is there."""
    assert lacks(tree("0 * count(up)"), "code")
    assert not lacks(tree('label_replace(0 * count(up), "code", "none", "", "")'), "code")
    assert not lacks(tree("sum by (code) (rate(x_total[1m]))"), "code")
    assert len(list(list_alternatives(tree("sum by (code) (x) or on() 0 * count(up)")))) == 2
