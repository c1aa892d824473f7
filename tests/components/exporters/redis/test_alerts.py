"""The alerts about the clients of Redis."""

from __future__ import annotations

import pytest

from components.exporters.redis import alerts as redis_alerts
from model.service import Tuning
from tests.conftest import Proves
from tests.support.boards import keeps_identity, tuned

OTHERS = {
    "RedisTooManyConnections": 0.5,
    "RedisClientsBlocked": 200,
    "RedisSlowLog": 50,
    "RedisRejectedConnections": 30,
}
"""Other thresholds than the usual ones, for every alert that has one."""


def test_alerts_fire_just_past_their_conditions(proves: Proves) -> None:
    """Every alert of the pack fires and stays silent where its example says."""
    proves(redis_alerts.alerts({}))


@pytest.mark.exhaustive  # a second proof
def test_thresholds_can_be_tuned(proves: Proves) -> None:
    """Another threshold changes condition and description, and the alert is right about it as well."""
    proves(tuned(redis_alerts.alerts, OTHERS))


def test_alerts_keep_who_they_are_about() -> None:
    """What is summed keeps the labels that routes and inhibitions look at."""
    keeps_identity(redis_alerts.alerts({}))


def test_a_number_of_ones_own_is_meant_as_it_is(proves: Proves) -> None:
    """By default the day before decides what is usual; a system that names a number is told at that number."""
    usual = redis_alerts.alert_on_blocked_clients({})
    wanted = redis_alerts.alert_on_blocked_clients({"RedisClientsBlocked": Tuning(threshold=5)})
    assert "max_over_time" in usual.expr and "day before" in usual.description
    assert "max_over_time" not in wanted.expr and "day before" not in wanted.description
    proves([wanted])
