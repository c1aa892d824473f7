"""A pool of database connections."""

from __future__ import annotations

from typing import Any

import pytest

from packs import pool


def test_alerts_fire_just_past_their_conditions(proves: Any, uses: Any) -> None:
    """Every alert of the pack fires and stays silent where its example says."""
    rules = pool.rules(uses("pool"))
    proves(rules.alerts, rules.recordings)


@pytest.mark.exhaustive  # a second proof
def test_a_threshold_can_be_tuned(proves: Any, uses: Any) -> None:
    """Another threshold changes the condition, and the alert is right about it as well."""
    usual = {alert.name: alert for alert in pool.rules(uses("pool")).alerts}
    own = usual["ConnectionPoolExhausted"].limit
    assert own is not None
    wish = own / 2
    rules = pool.rules(uses("pool", tune={"ConnectionPoolExhausted": {"threshold": wish}}))
    tuned = {alert.name: alert for alert in rules.alerts}
    assert tuned["ConnectionPoolExhausted"].limit == wish
    assert tuned["ConnectionPoolExhausted"].expr != usual["ConnectionPoolExhausted"].expr
    proves(rules.alerts, rules.recordings)


def test_panels_explain_themselves(uses: Any, explains: Any) -> None:
    """Each panel has a title of its own and says what it shows."""
    explains(pool.panels([uses("pool")]))
