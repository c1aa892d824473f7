"""The alerts about the volumes of a cluster."""

from __future__ import annotations

import pytest

from components.exporters.kube_state import volume_alerts as cluster_volume_alerts
from tests.conftest import Proves
from tests.support.boards import keeps_identity, tuned

OTHERS = {
    "KubePersistentVolumeFillingUp": 0.02,
    "KubePersistentVolumeSpaceLow": 0.1,
    "KubePersistentVolumeFillsSoon": 0.25,
    "KubePersistentVolumeInodesFillingUp": 0.02,
}
"""Other thresholds than the usual ones, for every alert that has one."""


def test_alerts_fire_just_past_their_conditions(proves: Proves) -> None:
    """Every alert of the pack fires and stays silent where its example says."""
    proves(cluster_volume_alerts.alerts({}))


@pytest.mark.exhaustive  # a second proof
def test_thresholds_can_be_tuned(proves: Proves) -> None:
    """Another threshold changes condition and description, and the alert is right about it as well."""
    proves(tuned(cluster_volume_alerts.alerts, OTHERS))


def test_alerts_keep_who_they_are_about() -> None:
    """What is summed keeps the labels that routes and inhibitions look at."""
    keeps_identity(cluster_volume_alerts.alerts({}))


def test_the_level_calls_people_and_the_trend_warns() -> None:
    """A volume that is nearly full is worse than one that would be full within a day."""
    severities = {alert.name: alert.severity for alert in cluster_volume_alerts.alerts({})}
    assert severities["KubePersistentVolumeFillingUp"] == "critical"
    assert severities["KubePersistentVolumeFillsSoon"] == severities["KubePersistentVolumeSpaceLow"] == "warning"
