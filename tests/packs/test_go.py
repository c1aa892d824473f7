"""A Go process: leaks are predicted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from model.telemetry import RuleGroup
from packs import go
from tests.support.objectives import case, counted, fired, judged, silent

MEGABYTE = 1e6
HEAP, LIMIT = (
    f'{name}{{service="x", system="s", environment="test", instance="x:80"}}'
    for name in ("go_memstats_alloc_bytes", go.LIMIT)
)
DAY = 24 * 60
"""Minutes."""


def grows(minute: int, *, since: int, to: float = 1e12) -> float:
    """100 MB, and a megabyte more every minute since then."""
    return min(100 + max(0, minute - since), to) * MEGABYTE


def memory_alert(uses: Any) -> RuleGroup:
    """The rule of MemoryLeak alone."""
    return RuleGroup(name="leak", alerts=tuple(a for a in go.rules(uses("go")).alerts if a.name == "MemoryLeak"))


LEAKS = {
    # 60 MB an hour of a limit of 400 MB: 360 MB, nine tenths, are two hours and 20 minutes away
    "GOMEMLIMIT is near": ({HEAP: counted(lambda m: grows(m, since=0), 90), LIMIT: "4e8+0x90"}, "90m", True),
    "GOMEMLIMIT is far": ({HEAP: counted(lambda m: grows(m, since=0), 90), LIMIT: "2e9+0x90"}, "90m", False),
    "no GOMEMLIMIT is set": ({HEAP: counted(lambda m: grows(m, since=0), 90), LIMIT: "9.2e18+0x90"}, "90m", False),
    "far beyond its last day": ({HEAP: counted(lambda m: grows(m, since=DAY), DAY + 150)}, f"{DAY + 150}m", True),
    "a cache that fills": ({HEAP: counted(lambda m: grows(m, since=DAY, to=150), DAY + 150)}, f"{DAY + 150}m", False),
    "a process that starts": ({HEAP: counted(lambda m: grows(m, since=0), 300)}, "300m", False),
}


@pytest.mark.exhaustive  # days, minute by minute
@pytest.mark.parametrize("name", LEAKS)
def test_a_leak_is_found_in_a_small_container(name: str, uses: Any, tmp_path: Path) -> None:
    """Nobody has to know a container's limit: GOMEMLIMIT counts, and twice what the process used within a day."""
    series, at, fires = LEAKS[name]
    judged(tmp_path, [memory_alert(uses)], [case(series, at, (fired if fires else silent)("MemoryLeak"))], "1m")


def test_alerts_fire_just_past_their_conditions(proves: Any, uses: Any) -> None:
    """Every alert of the pack fires and stays silent where its example says."""
    rules = go.rules(uses("go"))
    proves(rules.alerts, rules.recordings)


@pytest.mark.exhaustive  # a second proof
def test_a_threshold_can_be_tuned(proves: Any, uses: Any) -> None:
    """Another threshold changes the condition, and the alert is right about it as well."""
    usual = {alert.name: alert for alert in go.rules(uses("go")).alerts}
    own = usual["GoroutineLeak"].limit
    assert own is not None
    wish = own / 2
    rules = go.rules(uses("go", tune={"GoroutineLeak": {"threshold": wish}}))
    tuned = {alert.name: alert for alert in rules.alerts}
    assert tuned["GoroutineLeak"].limit == wish
    assert tuned["GoroutineLeak"].expr != usual["GoroutineLeak"].expr
    proves(rules.alerts, rules.recordings)


def test_panels_explain_themselves(uses: Any, explains: Any) -> None:
    """Each panel has a title of its own and says what it shows."""
    explains(go.panels([uses("go")]))


def test_the_slope_of_a_gauge_is_its_deriv(uses: Any) -> None:
    """rate() of a gauge means nothing."""
    leaks = [alert for alert in go.rules(uses("go")).alerts if "Leak" in alert.name]
    assert len(leaks) == 2
    assert all("deriv(" in alert.expr and "rate(" not in alert.expr for alert in leaks)
