"""WebSocket connections that are lost."""

from __future__ import annotations

from typing import Any

import pytest

from packs import websocket


def test_alerts_fire_just_past_their_conditions(proves: Any, uses: Any) -> None:
    """Every alert of the pack fires and stays silent where its example says."""
    rules = websocket.rules(uses("websocket"))
    proves(rules.alerts, rules.recordings)


@pytest.mark.exhaustive  # a second proof
def test_a_threshold_can_be_tuned(proves: Any, uses: Any) -> None:
    """Another threshold changes the condition, and the alert is right about it as well."""
    usual = {alert.name: alert for alert in websocket.rules(uses("websocket")).alerts}
    own = usual["WebSocketDisconnections"].limit
    assert own is not None
    wish = own / 2
    rules = websocket.rules(uses("websocket", tune={"WebSocketDisconnections": {"threshold": wish}}))
    tuned = {alert.name: alert for alert in rules.alerts}
    assert tuned["WebSocketDisconnections"].limit == wish
    assert tuned["WebSocketDisconnections"].expr != usual["WebSocketDisconnections"].expr
    proves(rules.alerts, rules.recordings)


def test_panels_explain_themselves(uses: Any, explains: Any) -> None:
    """Each panel has a title of its own and says what it shows."""
    explains(websocket.panels([uses("websocket")]))


def test_the_change_of_a_gauge_is_its_delta(uses: Any) -> None:
    """rate() would take every fall for a restart, and never fire."""
    (alert,) = websocket.rules(uses("websocket")).alerts
    assert "delta(" in alert.expr and "rate(" not in alert.expr
