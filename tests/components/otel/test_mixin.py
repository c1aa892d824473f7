"""The gateway's alerts: each fires just past its condition and stays silent just before."""

from __future__ import annotations

from components.otel import mixin as pack
from tests.support.boards import MixinContract

THRESHOLDS = {"OtelQueueFilling": 0.25, "OtelReceiverRefusing": 100, "OtelSenderVolumeHigh": 1000}
"""Another value for every alert that has one."""


class TestOtel(MixinContract):
    """Its alerts and panels, and the thresholds above."""

    pack, thresholds = pack, THRESHOLDS


def test_the_first_loss_counts() -> None:
    """Its counter appears with the first loss, so growth alone would miss a single one."""
    (found,) = [alert for alert in pack.alerts({}) if alert.name == "OtelItemsLost"]
    assert "unless" in found.expr and found.example and "_x58 3" in str(found.example.fires)
