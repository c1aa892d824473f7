"""Alerts about Prometheus: each fires just past its condition and stays silent just before."""

from __future__ import annotations

import pytest

from components.prometheus import alerts as pack
from model.telemetry import AlertRule
from packs.base import Tune
from tests.conftest import Proves
from tests.support.boards import keeps_identity, tuned

THRESHOLDS = {
    "PrometheusErrorSendingAlertsToAnyAlertmanager": 0.2,
    "PrometheusErrorSendingAlertsToSomeAlertmanagers": 0.2,
    "PrometheusSlowRuleGroups": 0.5,
    "PrometheusStorageAlmostFull": 0.8,
}
"""Another value for every alert that has one."""


def of_several(tune: Tune) -> tuple[AlertRule, ...]:
    """The alerts where there are several of Prometheus and of Alertmanager."""
    return pack.alerts(tune, replicas=2, alertmanagers=3)


def test_every_alert_is_proven(proves: Proves) -> None:
    """Each alert fires just past its condition, not just before it, and not early."""
    proves(of_several({}))


@pytest.mark.exhaustive  # a second proof
def test_every_tuned_alert_is_proven(proves: Proves) -> None:
    """Another threshold stands in the expression, the words and the limit, and the examples follow it."""
    proves(tuned(of_several, THRESHOLDS))


def test_alerts_keep_the_labels_of_their_service() -> None:
    """What is summed keeps service and environment, which routes look at."""
    keeps_identity(of_several({}))


def test_alerts_of_several_are_not_given_to_one() -> None:
    """One instance cannot say that it stores nothing, and with one Alertmanager "some" are all."""
    assert {a.name for a in of_several({})} - {a.name for a in pack.alerts({})} == {
        "PrometheusErrorSendingAlertsToSomeAlertmanagers",
        "PrometheusNotIngestingSamples",
    }


def test_the_watchdog_needs_samples() -> None:
    """It is no constant: a Prometheus that stores nothing falls silent."""
    (watchdog,) = (alert for alert in pack.alerts({}) if alert.name == "Watchdog")
    assert "up" in watchdog.expr and watchdog.example and watchdog.example.silent
