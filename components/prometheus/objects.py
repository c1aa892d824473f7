"""Every object for an operator but the notifications', which are Alertmanager's: monitors, rules and dashboards."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from components.prometheus.monitors import OperatorOptions, build_monitors
from components.prometheus.rules import build_group_options, build_rules
from model.base import fold_key
from model.component import Planned, Planning
from model.dashboard import render_dashboard
from model.extra_objects import LARGEST, ExtraObject
from model.naming import derive_namespace
from model.operator import GROUP, Operator
from model.telemetry import Dashboard, RuleGroup

RULES_SIZE = 200_000
"""Bytes of rules in one object: the operator refuses a rule file of more than half a mebibyte, in YAML."""


def build_objects(context: Planned, options: OperatorOptions) -> Iterator[ExtraObject]:
    """Monitors for every scrape job, rules, and dashboards."""
    yield from build_monitors(context, options)
    for group in context.telemetry.rules:
        yield from build_prometheus_rules(context, options, group)
    for board in context.telemetry.dashboards:
        yield build_dashboard(options.operator, board)


def build_prometheus_rules(context: Planning, options: OperatorOptions, group: RuleGroup) -> Iterator[ExtraObject]:
    """A PrometheusRule for a group; several where one would be too large.

    Source: https://prometheus-operator.dev/docs/api-reference/api/#monitoring.coreos.com/v1.PrometheusRule
    """
    interval = group.interval or options.evaluation_interval
    every = [add_route_labels(context, options.operator, rule) for rule in build_rules(group)]
    for number, part in enumerate(split_rules(every, RULES_SIZE), start=1):
        written = {"name": group.name, "interval": interval, **build_group_options(group), "rules": part}
        yield ExtraObject(
            api=f"{GROUP}/v1",
            kind="PrometheusRule",
            name=fold_key(group.name if number == 1 else f"{group.name}-{number}"),
            labels=options.operator.labels,
            body={"spec": {"groups": [written]}},
        )


def add_route_labels(context: Planning, operator: Operator, rule: Mapping[str, Any]) -> dict[str, Any]:
    """A rule whose alert finds its way to our receivers in an Alertmanager that also has others.

    It carries the stack's name, which our own Prometheus would add while sending. Where the operator routes by
    namespace it carries ours, and the one that it is about as `exported_namespace`, as if it had been scraped so.
    """
    if "alert" not in rule:
        return dict(rule)
    ours = {"stack": context.stack}
    if operator.matcher == "namespace":
        own = derive_namespace(context.stack, context.settings.kubernetes)
        ours |= {"namespace": own, "exported_namespace": "{{ $labels.namespace }}"}
    return {**rule, "labels": {**rule["labels"], **ours}}


def split_rules(rules: Sequence[dict[str, Any]], size: int) -> Iterator[list[dict[str, Any]]]:
    """The rules in lists of at most `size` bytes; a single larger one has its own."""
    current: list[dict[str, Any]] = []
    size_of_part = 0
    for rule in rules:
        length = len(json.dumps(rule))
        if current and size_of_part + length > size:
            yield current
            current, size_of_part = [], 0
        current.append(rule)
        size_of_part += length
    if current:
        yield current


def build_dashboard(operator: Operator, board: Dashboard) -> ExtraObject:
    """A ConfigMap with one dashboard, as the container beside Grafana looks for them; compact where it is large.

    Source: https://github.com/grafana/helm-charts/tree/main/charts/grafana#sidecar-for-dashboards
    """
    text = render_dashboard(board)
    if len(json.dumps(text)) > LARGEST:
        text = json.dumps(board.model, separators=(",", ":"))
    return ExtraObject(
        api="v1",
        kind="ConfigMap",
        name=f"dashboard-{board.uid.lower()}",
        labels=operator.dashboard_labels,
        annotations={operator.folder_annotation: board.folder},
        body={"data": {f"{board.uid}.json": text}},
    )
