"""The alerts about PostgreSQL."""

from __future__ import annotations

from dataclasses import replace

import pytest

from components.exporters.postgres import alerts as postgres_alerts
from packs.base import build_flat_samples, build_service_series
from tests.conftest import Proves
from tests.support.boards import keeps_identity, tuned

OTHERS = {
    "PostgreSQLHighConnections": 0.5,
    "PostgreSQLLongTransactions": 3600,
    "PostgreSQLIdleInTransaction": 600,
    "PostgresHasHighDeadLocks": 20,
    "PostgreSQLCacheHitRatio": 0.5,
}
"""Other thresholds than the usual ones, for every alert that has one."""


def test_alerts_fire_just_past_their_conditions(proves: Proves) -> None:
    """Every alert of the pack fires and stays silent where its example says."""
    proves(postgres_alerts.alerts({}))


@pytest.mark.exhaustive  # a second proof
def test_thresholds_can_be_tuned(proves: Proves) -> None:
    """Another threshold changes condition and description, and the alert is right about it as well."""
    proves(tuned(postgres_alerts.alerts, OTHERS))


def test_alerts_keep_who_they_are_about() -> None:
    """What is summed keeps the labels that routes and inhibitions look at."""
    keeps_identity(postgres_alerts.alerts({}))


def test_reserved_places_of_newer_versions_count(proves: Proves) -> None:
    """PostgreSQL 16 can keep places for a role too: services are refused as much earlier."""
    rule = postgres_alerts.alert_on_connections_exhausted()
    assert rule.example is not None
    kept = build_service_series(
        "postgres-exporter", "pg_settings_reserved_connections", instance="postgres-exporter:9187", database="main"
    )
    proves([replace(rule, example=replace(rule.example, fires={**rule.example.silent, kept: build_flat_samples(2)}))])


def test_older_exporters_do_not_say_what_kind_a_connection_is(proves: Proves) -> None:
    """Without the label every connection is taken for a client's."""
    rule = postgres_alerts.alert_on_connections_exhausted()
    assert rule.example is not None
    plain = {key.replace('backend_type="client backend"', 'usename=""'): v for key, v in rule.example.fires.items()}
    proves([replace(rule, example=replace(rule.example, fires=plain))])
