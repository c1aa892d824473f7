"""The alerts about what PostgreSQL does in the background."""

from __future__ import annotations

from dataclasses import replace

import pytest

from components.exporters.postgres import upkeep_alerts as postgres_upkeep_alerts
from packs.base import build_flat_samples
from tests.conftest import Proves
from tests.support.boards import keeps_identity, tuned

OTHERS = {"PostgreSQLReplicationLag": 30, "PostgreSQLVacuumBehind": 5000, "PostgreSQLWraparoundNear": 5e8}
"""Other thresholds than the usual ones, for every alert that has one."""


def test_alerts_fire_just_past_their_conditions(proves: Proves) -> None:
    """Every alert of the pack fires and stays silent where its example says."""
    proves(postgres_upkeep_alerts.alerts({}))


@pytest.mark.exhaustive  # a second proof
def test_thresholds_can_be_tuned(proves: Proves) -> None:
    """Another threshold changes condition and description, and the alert is right about it as well."""
    proves(tuned(postgres_upkeep_alerts.alerts, OTHERS))


def test_alerts_keep_who_they_are_about() -> None:
    """What is summed keeps the labels that routes and inhibitions look at."""
    keeps_identity(postgres_upkeep_alerts.alerts({}))


def test_a_query_of_the_old_kind_that_fails_is_told_too(proves: Proves) -> None:
    """Queries that are no collectors have one series for all of them."""
    rule = postgres_upkeep_alerts.alert_on_exporter_errors()
    assert rule.example is not None
    error, up = rule.example.silent
    proves(
        [replace(rule, example=replace(rule.example, fires={error: build_flat_samples(1), up: build_flat_samples(1)}))]
    )
