"""Every share of every shipped stack: no value where nothing happened, and no zero in place of what is not known."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import promql_parser as promql
import pytest

from cli.render import plan_file
from model.plan import Plan
from model.promql import fill_variables, walk_nodes
from tests.support.panels import board_queries
from tests.support.systems import ROOT
from tests.support.tiers import leave_all_but

STACKS = sorted(path.name.split(".")[1] for path in ROOT.glob("Pulumi.*.yaml"))
FLOWS = {"rate", "irate", "increase", "sum_over_time"}
"""Functions whose result is 0 where nothing happens: nothing may be divided by them as they are."""
TOLD = {"slo:requests_unknown:ratio_rate1h", "OutcomeUnknown"}
"""What says that outcomes are not known: there 0 known ones are the worst, and not the best."""
TRUE_ZEROS = {
    "BrowserErrorsHigh": "an error may keep every page from being shown, and counts as of one page then",
    "PostgreSQLMaxConnectionsReached": "no connections are reserved before PostgreSQL 16, which has the setting",
}
"""Zeros that are so where the series is missing, and why."""
COMPARISONS = {">", ">=", "==", "!=", "<", "<="}


@cache
def plan(stack: str) -> Plan:
    """The plan of a shipped stack."""
    return plan_file(ROOT / f"Pulumi.{stack}.yaml", stack)


def rules(stack: str) -> Iterator[tuple[str, str]]:
    """Name and query of every recorded series and alert."""
    for group in plan(stack).telemetry.rules:
        yield from ((rule.record, rule.expr) for rule in group.recordings)
        yield from ((alert.name, alert.expr) for alert in group.alerts)


def drawn(stack: str) -> Iterator[tuple[str, str]]:
    """Title and query of every panel that asks Prometheus."""
    for board, title, source, query in board_queries(ROOT, stack):
        if source == "prometheus":
            yield f"{board}: {title}", query


def tree(query: str) -> Any:
    """A query that Grafana has filled in, parsed."""
    return promql.parse(fill_variables(query))


def _inside(node: Any) -> Any:
    return _inside(node.expr) if isinstance(node, promql.ParenExpr) else node


def guarded(node: Any) -> bool:
    """Whether a divisor is a number, or is compared with one first, so that it cannot be 0."""
    node = _inside(node)
    if isinstance(node, promql.Call):
        return node.func.name == "clamp_min"
    return isinstance(node, promql.NumberLiteral) or (
        isinstance(node, promql.BinaryExpr) and str(node.op) in COMPARISONS
    )


def flows(node: Any) -> bool:
    """Whether something is counted in it over time."""
    return any(isinstance(each, promql.Call) and each.func.name in FLOWS for each in walk_nodes(node))


def unguarded(query: str) -> bool:
    """Whether something is divided by what is 0 where nothing happens: NaN, which no comparison finds."""
    divisions = (n for n in walk_nodes(tree(query)) if isinstance(n, promql.BinaryExpr) and str(n.op) == "/")
    return any(flows(each.rhs) and not guarded(each.rhs) for each in divisions)


def hides(query: str) -> bool:
    """Whether a zero stands in for what is missing, taken from series of which no label is asked for."""
    for node in walk_nodes(tree(query)):
        if not isinstance(node, promql.BinaryExpr) or str(node.op) != "or":
            continue
        right = _inside(node.rhs)
        if isinstance(right, promql.Call) and right.func.name == "vector":
            return True
        if isinstance(right, promql.BinaryExpr) and str(right.op) == "*" and str(right.lhs) in ("0", "0.0"):
            named = [each for each in walk_nodes(right.rhs) if isinstance(each, promql.VectorSelector)]
            if not any(_asks(each) for each in named):
                return True
    return False


def from_nothing(query: str) -> bool:
    """Whether a constant stands in for what is missing, whoever was to count it; Prometheus itself counts ALERTS."""
    ors = (n for n in walk_nodes(tree(query)) if isinstance(n, promql.BinaryExpr) and str(n.op) == "or")
    constant = any(isinstance(right := _inside(each.rhs), promql.Call) and right.func.name == "vector" for each in ors)
    named = {each.name for each in walk_nodes(tree(query)) if isinstance(each, promql.VectorSelector)}
    return constant and named != {"ALERTS"}


def _asks(selector: Any) -> bool:
    return any(m.op == promql.MatchOp.Re or m.name == "le" for m in selector.matchers.matchers)


@pytest.mark.parametrize("stack", leave_all_but(("dev", "prod"), STACKS))
def test_nothing_is_divided_by_nothing(stack: str) -> None:
    """No recorded series and no panel has NaN where nothing happened; in an alert NaN is beyond no threshold."""
    found = {name for name, query in drawn(stack) if unguarded(query)}
    found |= {rule.record for g in plan(stack).telemetry.rules for rule in g.recordings if unguarded(rule.expr)}
    assert not found, "\n".join(sorted(found))


@pytest.mark.parametrize("stack", leave_all_but(("dev", "prod"), STACKS))
def test_no_zero_stands_for_what_is_missing(stack: str) -> None:
    """No rule takes 0 where a metric, a label or a bucket is not there."""
    found = sorted({name for name, query in rules(stack) if name not in {*TOLD, *TRUE_ZEROS} and hides(query)})
    assert not found, "\n".join(found)


@pytest.mark.parametrize("stack", leave_all_but(("dev", "prod"), STACKS))
def test_no_panel_shows_zero_where_nobody_counts(stack: str) -> None:
    """A panel has a zero only from series that are there; only ALERTS has none while all is well."""
    found = sorted({name for name, query in drawn(stack) if from_nothing(query)})
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("query", "bad"),
    [
        ("sum(rate(a[5m])) / sum(rate(b[5m]))", True),
        ("sum(rate(a[5m])) / (sum(rate(b[5m])) > 0)", False),
        ("a / b", False),
        ("rate(a[5m]) / 60", False),
        ("histogram_quantile(0.9, sum by (le) (rate(a[5m]))) / 1000", False),
    ],
)
def test_divisions_are_found(query: str, bad: bool) -> None:
    """A rate below the line is found, a guarded one and a gauge are not."""
    assert unguarded(query) is bad


@pytest.mark.parametrize(
    ("query", "bad"),
    [
        ('rate(a{status=~"5.."}[5m]) or 0 * rate(a[5m])', True),
        ('rate(a{status=~"5.."}[5m]) or 0 * rate(a{status=~".+"}[5m])', False),
        ("sum(rate(a[5m])) or vector(0)", True),
        ("sum(rate(a[5m])) or on () vector(0)", True),
        ("a or b", False),
    ],
)
def test_hidden_zeros_are_found(query: str, bad: bool) -> None:
    """A zero from a whole metric, or from nothing at all, is found; one from series with the label is right."""
    assert hides(query) is bad


@pytest.mark.parametrize(
    ("query", "bad"),
    [
        ("sum(rate(a[5m])) or on () vector(0)", True),
        ("count(ALERTS) or vector(0)", False),
        ("sum(rate(a[5m])) or on () 0 * count(up == 1)", False),
    ],
)
def test_constants_are_found(query: str, bad: bool) -> None:
    """A zero from nowhere is found, one from targets that answer is right."""
    assert from_nothing(query) is bad
