"""Grafana's alerts: each fires just past its condition and stays silent just before."""

from __future__ import annotations

from components.grafana import mixin as pack
from tests.support.boards import MixinContract

THRESHOLDS = {"GrafanaRequestsFailing": 0.2, "GrafanaDatasourceErrors": 50}
"""Another value for every alert that has one."""


class TestGrafana(MixinContract):
    """Its alerts and panels, and the thresholds above."""

    pack, thresholds = pack, THRESHOLDS
