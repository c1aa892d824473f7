"""Prometheus' own alerts and everybody's: each fires just past its condition and stays silent just before."""

from __future__ import annotations

import pytest

from model.packs import prometheus as pack
from model.packs.base import Tune
from model.system import Tuning
from tests.model.packs.conftest import Proves

TUNED: Tune = {"PrometheusSlowRuleGroups": Tuning(threshold=0.5), "PrometheusStorageAlmostFull": Tuning(threshold=0.8)}
SAID = {"PrometheusSlowRuleGroups": ("> 0.5", "50%"), "PrometheusStorageAlmostFull": ("> 0.8", "80%")}
"""What a tuned alert has in its expression, and in its description."""


def test_every_alert_is_proven(proves: Proves) -> None:
    """Each alert fires just past its condition, not just before it, and not early."""
    proves(pack.alerts({}))


def test_every_tuned_alert_is_proven(proves: Proves) -> None:
    """The examples follow the thresholds that a system sets."""
    proves(pack.alerts(TUNED))


@pytest.mark.parametrize("name", SAID)
def test_a_threshold_can_be_tuned(name: str) -> None:
    """Another threshold stands in the expression, the description and the limit."""
    (usual,) = [alert for alert in pack.alerts({}) if alert.name == name]
    (tuned,) = [alert for alert in pack.alerts(TUNED) if alert.name == name]
    expr, description = SAID[name]
    assert expr in tuned.expr and expr not in usual.expr
    assert description in tuned.description and description not in usual.description
    assert tuned.limit == TUNED[name].threshold != usual.limit


def test_every_tunable_alert_is_tuned_here() -> None:
    """No alert has a limit that these tests do not change."""
    assert {alert.name for alert in pack.alerts({}) if alert.limit is not None} == TUNED.keys()


def test_nothing_silences_the_watchdog() -> None:
    """Watchdog has no silent example, and every other alert has one."""
    assert [alert.name for alert in pack.alerts({}) if not (alert.example and alert.example.silent)] == ["Watchdog"]


def test_alerts_keep_the_labels_of_their_service() -> None:
    """What is summed keeps service and environment, which routes and inhibitions look at."""
    for alert in pack.alerts({}):
        assert alert.expr.count("sum by (") == alert.expr.count("sum by (service, system, environment"), alert.name


def test_every_panel_explains_itself() -> None:
    """Each panel has a title of its own, a description that is a sentence, a unit and queries."""
    shown = (*pack.target_panels(), *pack.panels())
    assert len({panel.title for panel in shown}) == len(shown)
    for panel in shown:
        assert panel.title and panel.description.endswith(".") and panel.unit and panel.queries, panel.title
