"""The alerts about the data of Redis."""

from __future__ import annotations

from dataclasses import replace

import pytest

from components.exporters.redis import data_alerts as redis_data_alerts
from packs.base import build_flat_samples
from tests.conftest import Proves
from tests.support.boards import keeps_identity, tuned

OTHERS = {"RedisMemoryHigh": 0.5, "RedisOutOfMemory": 0.5}
"""Other thresholds than the usual ones, for every alert that has one."""


def test_alerts_fire_just_past_their_conditions(proves: Proves) -> None:
    """Every alert of the pack fires and stays silent where its example says."""
    proves(redis_data_alerts.alerts({}))


@pytest.mark.exhaustive  # a second proof
def test_thresholds_can_be_tuned(proves: Proves) -> None:
    """Another threshold changes condition and description, and the alert is right about it as well."""
    proves(tuned(redis_data_alerts.alerts, OTHERS))


def test_alerts_keep_who_they_are_about() -> None:
    """What is summed keeps the labels that routes and inhibitions look at."""
    keeps_identity(redis_data_alerts.alerts({}))


def test_a_failed_append_is_told_as_a_failed_snapshot(proves: Proves) -> None:
    """Either way of saving counts, and Redis without one of them has no such series."""
    rule = redis_data_alerts.alert_on_failed_save()
    assert rule.example is not None
    snapshot, log = rule.example.fires
    proves(
        [
            replace(
                rule, example=replace(rule.example, fires={snapshot: build_flat_samples(1), log: build_flat_samples(0)})
            )
        ]
    )
    proves([replace(rule, example=replace(rule.example, silent={snapshot: build_flat_samples(1)}))])
