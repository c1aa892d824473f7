"""Jaeger's alerts: each fires just past its condition and stays silent just before."""

from __future__ import annotations

from components.jaeger import mixin as pack
from tests.support.boards import MixinContract

THRESHOLDS = {
    "JaegerCollectorDroppingSpans": 100,
    "JaegerSpansNotSaved": 0.2,
    "JaegerQueueFilling": 0.5,
    "JaegerQueryReqsFailing": 0.3,
}
"""Another value for every alert that has one."""


class TestJaeger(MixinContract):
    """Its alerts and panels, and the thresholds above."""

    pack, thresholds = pack, THRESHOLDS


def test_traces_that_are_not_there_are_no_failures() -> None:
    """A trace that was not sampled is asked for in vain, which says nothing of Jaeger."""
    (found,) = [alert for alert in pack.alerts({}) if alert.name == "JaegerQueryReqsFailing"]
    assert found.expr.count('operation!="get_trace"') == 2
