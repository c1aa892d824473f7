"""A Go process: leaks are predicted."""

from __future__ import annotations

from typing import Any

from model.packs import go


def test_alerts_fire_just_past_their_conditions(proves: Any, uses: Any) -> None:
    """Every alert of the pack fires and stays silent where its example says."""
    rules = go.rules(uses("go"))
    proves(rules.alerts, rules.recordings)


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
