"""Mutes: an alert that only says again what a worse one says is excluded in its own expression.

Alertmanager's inhibition is not used for that: an alert that ends while it is inhibited is never sent as resolved, so
incidents of receivers that keep state (PagerDuty) would stay open: https://github.com/prometheus/alertmanager/issues/226.
An alert whose expression is false ends for everybody.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from model.telemetry import AlertRule, Mute, RuleGroup


def with_mutes(groups: Sequence[RuleGroup]) -> tuple[RuleGroup, ...]:
    """The groups with every mute in the expression of the alert that it mutes.

    Only alerts of these groups mute: one that is switched off silences nothing.
    """
    every = [alert for group in groups for alert in group.alerts]
    return tuple(
        replace(group, alerts=tuple(excluded(alert, every) for alert in _worst_first(group.alerts))) for group in groups
    )


def pairs(alerts: Sequence[AlertRule]) -> Iterator[tuple[AlertRule, Mute, AlertRule]]:
    """Every alert that mutes, by which mute, and the alert that is muted."""
    for source in alerts:
        for mute in source.mutes:
            for target in alerts:
                if target.name in mute.alerts and _same_service(source, target):
                    yield source, mute, target


def _same_service(source: AlertRule, target: AlertRule) -> bool:
    """Whether both can be about the same service; "" stands for any."""
    return source.service == target.service or not (source.service and target.service)


def excluded(alert: AlertRule, every: Sequence[AlertRule]) -> AlertRule:
    """The alert, silent while one of `every` fires that mutes it."""
    muting = sorted({clause(source, mute) for source, mute, target in pairs(every) if target == alert})
    return replace(alert, expr=" ".join([f"({alert.expr})", *muting])) if muting else alert


def clause(source: AlertRule, mute: Mute) -> str:
    """What is left out: series with the same labels as a firing alert."""
    by = ", ".join(mute.on)
    firing = f'ALERTS{{alertname="{source.name}", alertstate="firing"}}'
    if not mute.all_of:
        return f"unless on ({by}) {firing}"
    return f"unless on ({by}) (count by ({by}) ({firing}) >= count by ({by}) ({mute.all_of}))"


def _worst_first(alerts: Sequence[AlertRule]) -> list[AlertRule]:
    """Muting alerts before those that they mute: rules of a group are evaluated in order, and see earlier ones."""
    muted = {name for alert in alerts for mute in alert.mutes for name in mute.alerts}
    return sorted(alerts, key=lambda alert: alert.name in muted)
