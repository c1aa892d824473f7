"""The collector's alerts: each fires just past its condition and stays silent just before."""

from __future__ import annotations

from components.collector import mixin as pack
from tests.support.boards import MixinContract

THRESHOLDS = {"CollectorQueueFilling": 0.25}
"""Another value for every alert that has one."""


class TestCollector(MixinContract):
    """Its alerts and panels, and the thresholds above."""

    pack, thresholds = pack, THRESHOLDS
