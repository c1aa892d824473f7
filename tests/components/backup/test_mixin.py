"""Backups' alerts: each fires just past its condition and stays silent just before."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import SimpleNamespace

import pytest

from components.backup import mixin
from components.backup.settings import Settings
from model.limits import Limit
from model.service import Tuning
from model.telemetry import AlertRule
from tests.support.boards import MixinContract

THRESHOLDS = {"BackupTooOld": 3, "BackupSizeDropped": 0.2}
"""Another value for every alert that has one."""
METRICS = {
    *("backup_last_run_timestamp_seconds", "backup_last_duration_seconds", "backup_last_run_successful"),
    *("backup_size_bytes", "backup_previous_size_bytes", "backup_uploaded_bytes", "backup_copies"),
    *("backup_newest_timestamp_seconds", "backup_destination_up", "backup_interval_seconds"),
    *("backup_verified_timestamp_seconds", "backup_verify_successful"),
}
"""What an agent exposes, as far as it is looked at."""


def alerts(tune: Mapping[str, Tuning], own: Settings | None = None) -> tuple[AlertRule, ...]:
    """The alerts of settings, the usual ones unless they are given."""
    return mixin.alerts(tune, own or Settings())


class TestBackup(MixinContract):
    """Its alerts and panels, and the thresholds above."""

    pack, thresholds = SimpleNamespace(alerts=alerts, panels=mixin.panels), THRESHOLDS


def test_only_known_metrics_are_looked_at() -> None:
    """Alerts and panels name what an agent exposes, and all of it that can be wrong."""
    queries = [alert.expr for alert in alerts({})] + [q.expr for p in mixin.panels() for q in p.queries]
    assert {word for query in queries for word in re.findall(r"\bbackup_\w+", query)} == METRICS


@pytest.mark.parametrize(("verify", "days"), [("0 4 * * sun", 14), ("0 4 * * *", 2), ("0 4 1 * *", 62)])
def test_how_long_nobody_may_read_a_backup_follows_from_the_schedule(verify: str, days: int) -> None:
    """Two verifications that did not come."""
    own = Settings.model_validate({"verify": verify})
    (alert,) = [alert for alert in alerts({}, own) if alert.name == "BackupNotVerified"]
    assert (
        alert.expr.count(f"> {days * 86400} ") == 2
        and f"{days * 86400} or" in alert.expr
        and f"{days}d" in alert.description
    )


def test_no_backup_at_all_is_too_old() -> None:
    """Once the agent has had its time, which is what the alert then speaks of."""
    (alert,) = [alert for alert in alerts({}) if alert.name == "BackupTooOld"]
    late = "time() - process_start_time_seconds > 2 * backup_interval_seconds"
    assert alert.expr.endswith(f" or {late} and backup_copies == 0")


def test_what_never_happened_is_no_failure() -> None:
    """Before its first run and verification an agent exposes zeros, which nobody is told of."""
    exprs = {alert.name: alert.expr for alert in alerts({})}
    assert "and backup_last_run_timestamp_seconds > 0" in exprs["BackupFailed"]
    assert "and backup_verified_timestamp_seconds > 0" in exprs["BackupNotVerified"]


def test_limits_are_numbers_that_can_be_tuned() -> None:
    """Each threshold above is one."""
    limits = {alert.name: alert.limit for alert in alerts({}) if alert.limit is not None}
    assert limits.keys() == THRESHOLDS.keys() and isinstance(limits["BackupSizeDropped"], Limit)
