"""The alerts about the devices of a host."""

from __future__ import annotations

import pytest

from components.exporters.node import device_alerts as host_device_alerts
from tests.conftest import Proves
from tests.support.boards import keeps_identity, tuned

OTHERS = {"NodeDiskIOSaturation": 50}
"""Other thresholds than the usual ones, for every alert that has one."""


def test_alerts_fire_just_past_their_conditions(proves: Proves) -> None:
    """Every alert of the pack fires and stays silent where its example says."""
    proves(host_device_alerts.alerts({}))


@pytest.mark.exhaustive  # a second proof
def test_thresholds_can_be_tuned(proves: Proves) -> None:
    """Another threshold changes condition and description, and the alert is right about it as well."""
    proves(tuned(host_device_alerts.alerts, OTHERS))


def test_alerts_keep_who_they_are_about() -> None:
    """What is summed keeps the labels that routes and inhibitions look at."""
    keeps_identity(host_device_alerts.alerts({}))
