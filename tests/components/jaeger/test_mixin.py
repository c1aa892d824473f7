"""Jaeger's alerts: each fires just past its condition and stays silent just before."""

from __future__ import annotations

from typing import Any

from components.jaeger import mixin as pack
from tests.support.boards import keeps_identity, tuned

THRESHOLDS = {
    "JaegerCollectorDroppingSpans": 100,
    "JaegerSpansNotSaved": 0.2,
    "JaegerQueueFilling": 0.5,
    "JaegerQueryReqsFailing": 0.3,
}
"""Another value for every alert that has one."""


def test_every_alert_is_proven(proves: Any) -> None:
    """Each alert fires just past its condition, not just before it, and not early."""
    proves(pack.alerts({}))


def test_every_tuned_alert_is_proven(proves: Any) -> None:
    """Another threshold stands in the expression, the words and the limit, and the examples follow it."""
    proves(tuned(pack.alerts, THRESHOLDS))


def test_alerts_keep_the_labels_of_their_service() -> None:
    """What is summed keeps service and environment, which routes and inhibitions look at."""
    keeps_identity(pack.alerts({}))


def test_traces_that_are_not_there_are_no_failures() -> None:
    """A trace that was not sampled is asked for in vain, which says nothing of Jaeger."""
    (found,) = [alert for alert in pack.alerts({}) if alert.name == "JaegerQueryReqsFailing"]
    assert found.expr.count('operation!="get_trace"') == 2


def test_every_panel_explains_itself(explains: Any) -> None:
    """Each panel has a title of its own and says what it shows."""
    explains(pack.panels())
