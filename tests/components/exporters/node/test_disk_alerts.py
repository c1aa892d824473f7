"""The alerts about the room on the disks of a host."""

from __future__ import annotations

import pytest

from components.exporters.node import disk_alerts as host_disk_alerts
from model.service import Tuning
from tests.conftest import Proves
from tests.support.boards import keeps_identity, tuned

OTHERS = {
    "NodeFilesystemAlmostOutOfSpace": 0.05,
    "NodeFilesystemSpaceLow": 0.3,
    "NodeFilesystemSpaceFillingUp": 0.2,
    "NodeFilesystemAlmostOutOfFiles": 0.2,
}
"""Other thresholds than the usual ones, for every alert that has one."""


def test_alerts_fire_just_past_their_conditions(proves: Proves) -> None:
    """Every alert of the pack fires and stays silent where its example says."""
    proves(host_disk_alerts.alerts({}))


@pytest.mark.exhaustive  # a second proof
def test_thresholds_can_be_tuned(proves: Proves) -> None:
    """Another threshold changes condition and description, and the alert is right about it as well."""
    proves(tuned(host_disk_alerts.alerts, OTHERS))


def test_alerts_keep_who_they_are_about() -> None:
    """What is summed keeps the labels that routes and inhibitions look at."""
    keeps_identity(host_disk_alerts.alerts({}))


def test_a_large_disk_has_time_but_a_threshold_is_meant_as_it_is() -> None:
    """Hundreds of GiB left call nobody by default; a system that names a share is told at that share."""
    for alert in (host_disk_alerts.alert_on_disk_full, host_disk_alerts.alert_on_disk_low):
        usual, wanted = alert({}), alert({alert({}).name: Tuning(threshold=0.2)})
        assert "node_filesystem_avail_bytes < " in usual.expr and "GiB" in usual.description
        assert "node_filesystem_avail_bytes < " not in wanted.expr and "GiB" not in wanted.description
