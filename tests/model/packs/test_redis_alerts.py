"""The alerts about Redis."""

from __future__ import annotations

from model.packs import redis_alerts
from tests.model.packs.conftest import Proves
from tests.support.boards import keeps_identity, tuned

OTHERS = {
    "RedisMemoryHigh": 0.5,
    "RedisClientsBlocked": 200,
    "RedisSlowLog": 50,
    "RedisRejectedConnections": 30,
}
"""Other thresholds than the usual ones, for every alert that has one."""


def test_alerts_fire_just_past_their_conditions(proves: Proves) -> None:
    """Every alert of the pack fires and stays silent where its example says."""
    proves(redis_alerts.alerts({}))


def test_thresholds_can_be_tuned(proves: Proves) -> None:
    """Another threshold changes condition and description, and the alert is right about it as well."""
    proves(tuned(redis_alerts.alerts, OTHERS))


def test_alerts_keep_who_they_are_about() -> None:
    """What is summed keeps the labels that routes and inhibitions look at."""
    keeps_identity(redis_alerts.alerts({}))
