"""agenttrace: people are called for too little traffic only where there usually is more."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli.render import plan_file
from tests.support.objectives import case, fired, judged, silent
from tests.support.systems import ROOT

TRACES = 'traces_ingested_total{service="api", system="agenttrace", environment="production"}'
DAY = 24 * 60
"""Minutes."""
QUIETEST = 0.45
"""Share of its average that a stand-in gives in its quietest minute: both waves of images/demo/sim.go, and noise."""


def weeks(*parts: tuple[int, int]) -> str:
    """A counter in promtool's notation from (minutes, traces a second)."""
    total, found = 0, []
    for minutes, rate in parts:
        found.append(f"{total}+{rate * 60}x{minutes - 1}")
        total += minutes * rate * 60
    return " ".join(found)


SENT = {
    # a quiet night a week ago and every day since; tonight is like it
    "a night like last week's": (weeks(*[(DAY - 120, 2000), (120, 5)] * 8, (10, 2000)), "191h", False),
    "an hour that had traffic last week": (weeks((7 * DAY + 300, 2000), (DAY, 5)), "174h", True),
    # the second day without traffic: yesterday was an outage, the week before was not
    "an outage that lasts": (weeks((6 * DAY, 2000), (DAY, 2000), (2 * DAY, 5)), "215h", True),
    "the first night of all": (weeks((600, 2000), (300, 5)), "14h", False),
    "the first night after a busy one": (weeks((DAY, 2000), (300, 5)), "28h", True),
}


def test_a_stand_in_reaches_the_objective_at_night() -> None:
    """What the demo's traces are at their fewest is above the bound of IngestionLow, so none fires without a fault."""
    system = plan_file(ROOT / "Pulumi.agenttrace.yaml", "agenttrace").system
    (alert,) = [alert for alert in system.alerts if alert.name == "IngestionLow"]
    baseline = system.services["api"].metrics["traces_ingested_total"].baseline
    assert baseline and baseline * QUIETEST > float(alert.expr.rpartition("<")[2])


@pytest.mark.exhaustive  # a week, minute by minute
@pytest.mark.parametrize("name", SENT)
def test_people_are_called_where_it_is_usually_more(name: str, tmp_path: Path) -> None:
    """The same hour of last week decides, or of yesterday while there is no last week."""
    series, at, page = SENT[name]
    plan = plan_file(ROOT / "Pulumi.agenttrace.yaml", "agenttrace")
    (group,) = [group for group in plan.telemetry.rules if group.name == "agenttrace"]
    facts = ((fired if page else silent)("IngestionVeryLow"), fired("IngestionLow"))
    judged(tmp_path, [group], [case({TRACES: series}, at, *facts)], "5m")
