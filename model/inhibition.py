"""Inhibition: an alert that only says again what a worse one says is excluded in its own expression.

Alertmanager's own inhibition is not used for that: an alert that ends while it is inhibited is never sent as resolved,
so incidents of receivers that keep state (PagerDuty) would stay open, as in
https://github.com/prometheus/alertmanager/issues/226.
An alert whose expression is false ends for everybody.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from model.copies import copy_with
from model.telemetry import AlertRule, Inhibition, RuleGroup


def apply_inhibitions(groups: Sequence[RuleGroup]) -> tuple[RuleGroup, ...]:
    """The groups with every inhibition in the expression of the alert that it is about.

    Only alerts of these groups inhibit: one that is switched off silences nothing.
    """
    clauses: dict[int, set[str]] = {}
    for source, inhibition, target in list_inhibitions([alert for group in groups for alert in group.alerts]):
        clauses.setdefault(id(target), set()).add(build_clause(source, inhibition))
    return tuple(_exclude_in_group(group, clauses) for group in groups)


def _exclude_in_group(group: RuleGroup, clauses: Mapping[int, Collection[str]]) -> RuleGroup:
    """The group with its alerts in order, those with clauses excluded; most groups stay as they are."""
    ordered = _sort_worst_first(group.alerts)
    excluded = tuple([_exclude(alert, clauses.get(id(alert), ())) for alert in ordered])
    return copy_with(group, alerts=excluded) if excluded != group.alerts else group


def list_inhibitions(alerts: Sequence[AlertRule]) -> Iterator[tuple[AlertRule, Inhibition, AlertRule]]:
    """Every alert that inhibits another, by which inhibition, and that other one."""
    by_name: dict[str, dict[str, list[AlertRule]]] = {}
    for alert in alerts:
        by_name.setdefault(alert.name, {}).setdefault(alert.service, []).append(alert)
    for source in alerts:
        for inhibition in source.inhibits:
            for name in inhibition.alerts:
                for target in _list_same_service(source, by_name.get(name, {})):
                    yield source, inhibition, target


def _list_same_service(source: AlertRule, by_service: Mapping[str, Sequence[AlertRule]]) -> Iterator[AlertRule]:
    """Those that can be about the same service; "" stands for any."""
    for service in (source.service, "") if source.service else by_service:
        yield from by_service.get(service, ())


def _exclude(alert: AlertRule, clauses: Collection[str]) -> AlertRule:
    """The alert, silent wherever one of the clauses leaves something out."""
    return copy_with(alert, expr=" ".join([f"({alert.expr})", *sorted(clauses)])) if clauses else alert


def build_clause(source: AlertRule, inhibition: Inhibition) -> str:
    """What is left out: series with the same labels as a firing alert."""
    by = ", ".join(inhibition.on)
    firing = f'ALERTS{{alertname="{source.name}", alertstate="firing"}}'
    if not inhibition.all_of:
        return f"unless on ({by}) {firing}"
    return f"unless on ({by}) (count by ({by}) ({firing}) >= count by ({by}) ({inhibition.all_of}))"


def _sort_worst_first(alerts: Sequence[AlertRule]) -> list[AlertRule]:
    """Alerts before those that they inhibit: rules of a group are evaluated in order, and see earlier ones."""
    inhibited = {name for alert in alerts for inhibition in alert.inhibits for name in inhibition.alerts}
    return sorted(alerts, key=lambda alert: alert.name in inhibited) if inhibited else [*alerts]
