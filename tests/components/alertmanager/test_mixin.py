"""Alertmanager's alerts: each fires just past its condition and stays silent just before."""

from __future__ import annotations

from components.alertmanager import mixin as pack
from tests.support.boards import MixinContract

THRESHOLDS = {"AlertmanagerClusterFailedToSendAlerts": 0.2}
"""Another value for every alert that has one."""


class TestAlertmanager(MixinContract):
    """Its alerts and panels, and the thresholds above."""

    pack, thresholds = pack, THRESHOLDS
