"""Mutes: what follows from an alert is excluded in its own expression."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from model.inhibition import apply_inhibitions, list_inhibitions
from model.telemetry import AlertRule, Inhibition, RuleGroup
from tests.support.planned import alerts
from tests.support.systems import plan_shop

OUT = 'unless on (service, instance) ALERTS{alertname="Full", alertstate="firing"}'


def rule(name: str, *inhibits: Inhibition, service: str = "") -> AlertRule:
    """An alert of that name."""
    return AlertRule(
        name=name,
        expr="a > 1 or b > 1",
        severity="info",
        summary="s",
        description="d",
        inhibits=inhibits,
        service=service,
    )


def expressions(*rules: AlertRule) -> dict[str, str]:
    """The expressions of a group of these alerts, in the order in which they are evaluated."""
    (group,) = apply_inhibitions([RuleGroup(name="g", alerts=rules)])
    return {f"{alert.name} {alert.service}".strip(): alert.expr for alert in group.alerts}


FULL = rule("Full", Inhibition(alerts=("Low",), on=("service", "instance")))


def test_the_muted_alert_excludes_what_fires() -> None:
    """Its whole condition is left out for the same labels, and the inhibiting alert is evaluated before it."""
    assert expressions(rule("Low"), FULL) == {"Full": FULL.expr, "Low": f"({FULL.expr}) {OUT}"}


def test_what_is_not_there_mutes_nothing() -> None:
    """Without the inhibiting alert the other one is as it was."""
    assert expressions(rule("Low")) == {"Low": FULL.expr}


def test_an_alert_of_another_service_mutes_nothing() -> None:
    """Packs give alerts of one name to several services: each mutes that of its own service alone."""
    result = expressions(replace(FULL, service="a"), rule("Low", service="a"), rule("Low", service="b"))
    assert OUT in result["Low a"] and OUT not in result["Low b"]


def test_all_of_counts_what_could_fire() -> None:
    """It inhibits only while the inhibiting alert fires for as many as there are."""
    source = rule("Down", Inhibition(alerts=("Low",), on=("service",), all_of='up{job!="x"}'))
    fires = 'ALERTS{alertname="Down", alertstate="firing"}'
    assert expressions(source, rule("Low"))["Low"].endswith(
        f'unless on (service) (count by (service) ({fires}) >= count by (service) (up{{job!="x"}}))'
    )


def test_pairs_are_listed() -> None:
    """Who mutes whom, by what."""
    low = rule("Low")
    assert list(list_inhibitions([FULL, low])) == [(FULL, FULL.inhibits[0], low)]


def test_an_alert_that_is_switched_off_mutes_nothing(tmp_path: Path) -> None:
    """The lesser alert is as it would be without the worse one."""
    wish = {"tune": {"NodeFilesystemAlmostOutOfSpace": {"enabled": False, "why": "the provider watches it"}}}
    usual, alone = (
        alerts(plan_shop(tmp_path, changes), "host")["NodeFilesystemSpaceLow"].expr for changes in ({}, wish)
    )
    assert usual.startswith(f"({alone}) unless on (service, environment, instance, mountpoint, device) ALERTS{{")
