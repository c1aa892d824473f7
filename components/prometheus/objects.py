"""Every object for an operator but the notifications', which are Alertmanager's: monitors, rules and dashboards."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from components.prometheus.monitors import Terms, monitors
from components.prometheus.rules import entries
from model.component import Planned, Planning
from model.dashboard import dump
from model.extra_objects import LARGEST, ExtraObject
from model.naming import namespace
from model.operator import GROUP, Operator
from model.telemetry import Dashboard, RuleGroup

RULES_SIZE = 200_000
"""Bytes of rules in one object: the operator refuses a rule file of more than half a mebibyte, in YAML."""


def objects(context: Planned, terms: Terms) -> Iterator[ExtraObject]:
    """Monitors for every scrape job, rules, and dashboards."""
    yield from monitors(context, terms)
    for group in context.telemetry.rules:
        yield from rules(context, terms, group)
    for board in context.telemetry.dashboards:
        yield dashboard(terms.operator, board)


def rules(context: Planning, terms: Terms, group: RuleGroup) -> Iterator[ExtraObject]:
    """A PrometheusRule for a group; several where one would be too large.

    Source: https://prometheus-operator.dev/docs/api-reference/api/#monitoring.coreos.com/v1.PrometheusRule
    """
    interval = group.interval or terms.evaluation_interval
    every = [routed(context, terms.operator, rule) for rule in entries(group)]
    for number, part in enumerate(parts(every, RULES_SIZE), start=1):
        written = {"name": group.name, "interval": interval, "rules": part}
        yield ExtraObject(
            api=f"{GROUP}/v1",
            kind="PrometheusRule",
            name=group.name if number == 1 else f"{group.name}-{number}",
            labels=terms.operator.labels,
            body={"spec": {"groups": [written]}},
        )


def routed(context: Planning, operator: Operator, rule: Mapping[str, Any]) -> dict[str, Any]:
    """A rule whose alert finds its way to our receivers in an Alertmanager that also has others.

    It carries the stack's name, which our own Prometheus would add while sending. Where the operator routes by
    namespace it carries ours, and the one that it is about as `exported_namespace`, as if it had been scraped so.
    """
    if "alert" not in rule:
        return dict(rule)
    ours = {"stack": context.stack}
    if operator.matcher == "namespace":
        own = namespace(context.stack, context.settings.kubernetes)
        ours |= {"namespace": own, "exported_namespace": "{{ $labels.namespace }}"}
    return {**rule, "labels": {**rule["labels"], **ours}}


def parts(rules: Sequence[dict[str, Any]], size: int) -> Iterator[list[dict[str, Any]]]:
    """The rules in lists of at most `size` bytes; a single larger one has its own."""
    current: list[dict[str, Any]] = []
    held = 0
    for rule in rules:
        length = len(json.dumps(rule))
        if current and held + length > size:
            yield current
            current, held = [], 0
        current.append(rule)
        held += length
    if current:
        yield current


def dashboard(operator: Operator, board: Dashboard) -> ExtraObject:
    """A ConfigMap with one dashboard, as the container beside Grafana looks for them; compact where it is large.

    Source: https://github.com/grafana/helm-charts/tree/main/charts/grafana#sidecar-for-dashboards
    """
    text = dump(board)
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
