"""Thresholds of alerts: which numbers each kind allows, and that every alert has the right kind."""

from __future__ import annotations

import pytest

from model.limits import Count, Limit, Share, get_limit_type
from tests.support.tiers import leave_all_but
from tests.test_alert_rules import STACKS, planned

OVER = {"PrometheusSlowRuleGroups"}
"""A part of an interval, which may be more than all of it."""


@pytest.mark.parametrize(
    ("kind", "allowed", "refused"),
    [
        (Limit, (0.001, 1.0, 5e9), (0.0, -1.0)),
        (Share, (0.001, 0.999), (0.0, 1.0, 5.0, -0.1)),
        (Count, (0.0, 7.0), (-1.0,)),
    ],
)
def test_a_kind_allows_what_can_be_passed(
    kind: type[Limit], allowed: tuple[float, ...], refused: tuple[float, ...]
) -> None:
    """With each allowed number the condition can be true and false."""
    assert all(map(kind.allows, allowed)) and not any(map(kind.allows, refused))
    assert get_limit_type(kind(0.5)) is kind and get_limit_type(0.5) is Limit and f"{kind(0.05):g}" == "0.05"


@pytest.mark.parametrize("stack", leave_all_but(("dev",), STACKS))
def test_what_is_shown_in_percent_is_a_share(stack: str) -> None:
    """An alert whose value is a percentage has a threshold between 0 and 1, and each has one that its kind allows."""
    for group in planned(stack).telemetry.rules:
        for alert in group.alerts:
            if alert.limit is None:
                continue
            assert get_limit_type(alert.limit).allows(alert.limit), alert.name
            if "$value | humanizePercentage" in alert.summary and alert.name not in OVER:
                assert get_limit_type(alert.limit) is Share, alert.name
