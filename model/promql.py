"""What can be known to be wrong about a query before any Prometheus has seen it.

A query that parses can still never fire: rate() of a gauge, a quantile without `le`, a name or a label that nothing
has.
Grammar and functions: https://prometheus.io/docs/prometheus/latest/querying/basics/.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import promql_parser as promql

from model.errors import suggest_name
from model.renamed_alerts import RENAMED, describe_renaming
from model.service import Metric

COUNTERS_ONLY = frozenset({"rate", "irate", "increase"})
GAUGES_ONLY = frozenset({"delta", "idelta", "deriv", "predict_linear"})
ABSENCE = ("absent", "absent_over_time")
"""Functions that answer where there is nothing."""
IDENTITY = frozenset({"service", "system", "environment", "instance", "job", "stack", "database"})
"""Labels that every series gets from its scrape target."""
OTHERS = (
    "up", "ALERTS", "ALERTS_FOR_STATE", "scrape_", "node_", "container_", "machine_", "pg_", "redis_", "probe_",
    "traefik_", "prometheus_", "promhttp_", "loki_", "promtail_", "alertmanager_", "grafana_", "haproxy_", "blackbox_",
    "go_", "process_", "cadvisor_", "kube_", "kubelet_", "otelcol_", "otel_undeclared_", "traces_span_metrics_",
    "target_info",
)  # fmt: skip
"""What comes with Prometheus itself and with the components: names, or beginnings of names."""
VARIABLES = {"$__rate_interval": "5m", "$__interval": "1m", "$__range": "1h"}
"""What Grafana fills in, as any value that parses."""
ALERT_SERIES = ("ALERTS", "ALERTS_FOR_STATE")
"""What Prometheus records of alerts: https://prometheus.io/docs/prometheus/latest/configuration/alerting_rules/."""


@dataclass(frozen=True)
class Catalogue:
    """Every metric that a query may use: those that a system declares, and the names of recorded series."""

    metrics: Mapping[str, Metric] = field(default_factory=dict)
    recorded: frozenset[str] = frozenset()
    complete: bool = True
    """Whether a name that is not in it is a mistake."""

    @cached_property
    def series(self) -> Mapping[str, Metric]:
        """The declared metrics under the names that their series have."""
        result: dict[str, Metric] = {}
        for name, metric in self.metrics.items():
            result[name] = metric
            if metric.type in ("histogram", "summary"):
                result |= {f"{name}_sum": metric, f"{name}_count": metric}
            if metric.type == "histogram":
                result[f"{name}_bucket"] = metric
        return result


def fill_variables(query: str) -> str:
    """A query with values in the place of what Grafana fills in, so that it parses; it may be written in braces."""
    for variable, value in VARIABLES.items():
        query = query.replace("${" + variable[1:] + "}", value).replace(variable, value)
    return query


def check_query(query: str, catalogue: Catalogue) -> list[str]:
    """What is wrong with a query, as sentences; variables of Grafana may stand in it."""
    try:
        tree = promql.parse(fill_variables(query))
    except ValueError as error:
        return [f"is no PromQL: {error}"]
    series = catalogue.series
    messages: list[str] = []
    for node in walk_nodes(tree):
        if isinstance(node, promql.VectorSelector):
            messages += _check_selector(node, series, catalogue)
        elif isinstance(node, promql.Call):
            messages += _check_call(node, series)
        elif isinstance(node, promql.AggregateExpr):
            messages += _check_aggregation(node, series)
    return list(dict.fromkeys(messages))


def list_needed_names(query: str) -> frozenset[str]:
    """The metrics without which a query has no answer: those whose absence is what it asks for are left out.

    Empty where it does not parse, which whoever evaluates it says.
    """
    try:
        tree = promql.parse(query)
    except ValueError:
        return frozenset()
    nodes = walk_nodes(tree, ABSENCE)
    names = (_find_name(node) for node in nodes if isinstance(node, promql.VectorSelector))
    return frozenset(name for name in names if name and name not in ALERT_SERIES)


def drop_name(query: str) -> str:
    """A query whose answer has no metric's name: one of bare series is made a sum with 0, others are as they are.

    Tables make one line of those whose labels agree, which names never do. Variables of Grafana may stand in it.
    """
    try:
        tree = promql.parse(fill_variables(query))
    except ValueError:
        return query
    return f"{query.strip()} + 0" if isinstance(tree, promql.VectorSelector) else query


def walk_nodes(node: Any, without: Collection[str] = ()) -> Iterator[Any]:
    """A node of a query and everything in it, but nothing in calls of functions of these names."""
    if isinstance(node, promql.Call) and node.func.name in without:
        return
    yield node
    if isinstance(node, promql.BinaryExpr):
        children = [node.lhs, node.rhs]
    elif isinstance(node, promql.Call):
        children = list(node.args)
    elif isinstance(node, promql.AggregateExpr):
        children = [node.expr, *([node.param] if node.param is not None else [])]
    elif isinstance(node, promql.MatrixSelector):
        children = [node.vector_selector]
    elif isinstance(node, (promql.SubqueryExpr, promql.ParenExpr, promql.UnaryExpr)):
        children = [node.expr]
    else:
        children = []
    for child in children:
        yield from walk_nodes(child, without)


def _find_name(node: Any) -> str | None:
    if node.name:
        return str(node.name)
    named = (m.value for m in node.matchers.matchers if m.name == "__name__" and m.op == promql.MatchOp.Equal)
    return next(named, None)


def _check_selector(node: Any, series: Mapping[str, Metric], catalogue: Catalogue) -> list[str]:
    """Names that nothing exposes, and labels that the metric does not have."""
    name = _find_name(node)
    if name is None:
        return []
    if name in ALERT_SERIES:
        named = [m.value for m in node.matchers.matchers if m.name == "alertname" and m.op == promql.MatchOp.Equal]
        return [describe_renaming(alert) for alert in named if alert in RENAMED]
    if name in series:
        metric = series[name]
        allowed = _list_labels(name, metric)
        return [
            f"{m.name!r} is no label of {name}; {suggest_name(m.name, allowed - IDENTITY or allowed)}"
            for m in node.matchers.matchers
            if m.name not in allowed and m.name != "__name__"
        ]
    recorded = catalogue.recorded
    if not catalogue.complete:
        return []
    if ":" in name:
        known = name in recorded
    else:
        known = any(name == other or (other.endswith("_") and name.startswith(other)) for other in OTHERS)
    return (
        [] if known else [f"{name!r} is no metric that the system declares; {suggest_name(name, {*series, *recorded})}"]
    )


def _list_labels(name: str, metric: Metric) -> set[str]:
    extra = {"le"} if name.endswith("_bucket") else {"quantile"} if metric.type == "summary" else set()
    return {*metric.labels, *IDENTITY, *extra}


def _check_call(node: Any, series: Mapping[str, Metric]) -> list[str]:
    """Functions for counters used on gauges, functions for gauges on counters, quantiles without `le`."""
    function, messages = node.func.name, []
    for selector in (n for arg in node.args for n in [arg] if isinstance(n, promql.MatrixSelector)):
        name = _find_name(selector.vector_selector)
        kind = series[name].type if name and name in series else None
        if function in COUNTERS_ONLY and kind == "gauge":
            hint = "deriv() is a gauge's slope, delta() its change"
            messages.append(f"{function}() of the gauge {name}: it takes every fall for a restart of a counter; {hint}")
        if function in GAUGES_ONLY and kind == "counter":
            messages.append(f"{function}() of the counter {name}: use rate() or increase()")
    if function == "histogram_quantile" and not _keeps_le(node.args[1]):
        messages.append("histogram_quantile() without `le`: sum by (le, ...) keeps the buckets that it needs")
    return messages


def _keeps_le(node: Any) -> bool:
    """Whether the label `le` is still there."""
    if isinstance(node, promql.ParenExpr):
        return _keeps_le(node.expr)
    if isinstance(node, promql.BinaryExpr):
        return _keeps_le(node.lhs)
    if isinstance(node, promql.AggregateExpr):
        listed = list(node.modifier.labels) if node.modifier else []
        by = node.modifier is not None and node.modifier.type == promql.AggModifierType.By
        return ("le" in listed) if by else bool(node.modifier) and "le" not in listed
    return True


def _check_aggregation(node: Any, series: Mapping[str, Metric]) -> list[str]:
    """Labels to aggregate by that none of the metrics inside has."""
    if not node.modifier or node.modifier.type != promql.AggModifierType.By:
        return []
    inside = [_find_name(n) for n in walk_nodes(node.expr) if isinstance(n, promql.VectorSelector)]
    if not inside or any(name not in series for name in inside):
        return []
    if any(isinstance(n, promql.Call) and n.func.name.startswith("label_") for n in walk_nodes(node.expr)):
        return []
    allowed = {label for name in inside if name for label in _list_labels(name, series[name])}
    names = ", ".join(sorted({name for name in inside if name}))
    return [
        f"{label!r} is no label of {names}; {suggest_name(label, allowed - IDENTITY or allowed)}"
        for label in node.modifier.labels
        if label not in allowed
    ]
