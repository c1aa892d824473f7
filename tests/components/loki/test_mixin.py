"""Loki's alerts: each fires just past its condition and stays silent just before."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from components.loki import mixin as pack
from packs.base import build_flat_samples, build_service_series
from tests.support.boards import MixinContract, shows_troubles

THRESHOLDS = {"LokiRequestErrors": 0.25, "LokiDiscardsLines": 100, "LokiRetentionNotApplied": 86400}
"""Another value for every alert that has one."""


class TestLoki(MixinContract):
    """Its alerts and panels, and the thresholds above."""

    pack, thresholds = pack, THRESHOLDS


def test_one_instance_that_deletes_is_enough(proves: Any) -> None:
    """Of several, each may have been the one at work: only when none has been for too long, it fires."""
    rule = pack.alert_on_retention_not_applied({})
    assert rule.example is not None
    ((series, old),) = rule.example.fires.items()
    ((_, fresh),) = rule.example.silent.items()
    first, second = (series.replace("{", f'{{pod="{pod}", ') for pod in ("loki-backend-0", "loki-backend-1"))
    example = replace(rule.example, fires={first: old, second: old}, silent={first: old, second: fresh})
    proves([replace(rule, example=example)])


def test_a_loki_that_just_started_has_time(proves: Any) -> None:
    """For three hours nothing is said; and of several instances one that deletes is enough."""
    rule = pack.alert_on_retention_never_applied()
    assert rule.example is not None
    (series,) = rule.example.fires
    second = series.replace("loki:3100", "loki-backend-1:3100")
    proves([replace(rule, example=replace(rule.example, silent={series: "_x30 0+0x210"}))])
    proves([replace(rule, example=replace(rule.example, silent={series: "0+0x240", second: "0+0x30 60+60x210"}))])


def test_retention_is_drawn(proves: Any) -> None:
    """How long ago old lines were deleted; 0 until the first time."""
    shows_troubles(
        proves,
        [pack.alert_on_retention_not_applied({})],
        pack.panels(),
        {build_service_series(pack.SELF, "up"): build_flat_samples(1)},
    )
