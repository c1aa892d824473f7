"""Promtail's alerts: each fires just past its condition and stays silent just before."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from components.promtail import mixin as pack
from packs.base import build_flat_samples, build_service_series
from tests.support.boards import MixinContract, shows_troubles

THRESHOLDS = {"PromtailDropsLines": 100, "PromtailRequestsErrors": 0.25, "PromtailFileMissing": 4096}
"""Another value for every alert that has one."""


class TestPromtail(MixinContract):
    """Its alerts and panels, and the thresholds above."""

    pack, thresholds = pack, THRESHOLDS


def test_a_file_that_cannot_be_opened_is_told(proves: Any) -> None:
    """It has a size and no position; one that is read is well, and so is one of which only the old size is left."""
    rule = pack.alert_on_file_not_read({})
    assert rule.example is not None
    size, place = rule.example.fires
    grows = "10+10x120"
    for silent in ({size: grows, place: "0+10x120"}, {size: "90000+0x120"}):
        proves([replace(rule, example=replace(rule.example, fires={size: grows}, silent=silent))])


def test_one_line_of_any_instance_is_enough(proves: Any) -> None:
    """A quiet node says nothing: only when no instance sends, it fires."""
    rule = pack.alert_on_nothing_sent()
    assert rule.example is not None
    ((sent, nothing),) = rule.example.fires.items()
    other = sent.replace("promtail:9080", "10.0.0.2:9080")
    example = replace(
        rule.example, fires={sent: nothing, other: nothing}, silent={sent: nothing, other: "0+0x40 0+1x80"}
    )
    proves([replace(rule, example=example)])


def test_files_that_wait_are_drawn(proves: Any) -> None:
    """One that is read too slowly, and one that grows and cannot be opened; none where no file is read."""
    rule = pack.alert_on_file_not_read({})
    assert rule.example is not None
    size, _ = rule.example.fires
    unopened = replace(rule, name="Unopened", example=replace(rule.example, fires={size: "10+10x120"}))
    shows_troubles(
        proves, [rule, unopened], pack.panels(), {build_service_series(pack.SELF, "up"): build_flat_samples(1)}
    )
