"""Every colour of every shipped panel changes where an alert fires, where an objective is missed, or for a reason."""

from __future__ import annotations

import re
from collections.abc import Iterator
from math import isclose

import pytest

from cli.drawn import list_panels
from tests.test_ratios import STACKS, plan

REASONS = {
    0.001: "any at all, where there should be none and a rate is never quite zero",
}
"""Limits that no alert has."""
NUMBER = r"(?:[<>]=?|[!=]=) *(-?[\d.]+(?:e[+-]?\d+)?)"


def list_limits(stack: str) -> Iterator[float]:
    """What alerts and objectives of a stack compare with; a share of what is left beside one of what is used."""
    shipped = plan(stack)
    for group in shipped.telemetry.rules:
        for alert in group.alerts:
            yield from (float(number) for number in re.findall(NUMBER, alert.expr))
    for objective in shipped.system.objectives:
        yield objective.target
        yield objective.floor if objective.floor is not None else 2 * objective.target - 1


@pytest.mark.parametrize("stack", STACKS)
def test_colours_change_where_alerts_fire(stack: str) -> None:
    """A red panel without an alert, or an alert before the panel is red, would be a riddle at night."""
    limits = set(list_limits(stack)) | REASONS.keys()
    limits |= {1 - limit for limit in limits}
    odd = [
        f"{board.uid}: {panel['title']}: {value:g}"
        for board in plan(stack).telemetry.dashboards
        for panel in list_panels(board.model)
        for step in panel.get("fieldConfig", {}).get("defaults", {}).get("thresholds", {}).get("steps", ())
        if isinstance(value := step.get("value"), int | float)
        and not any(isclose(value, limit, abs_tol=1e-9) for limit in limits)
    ]
    assert not odd, odd
