"""The alerts about the host."""

from __future__ import annotations

from dataclasses import replace

import pytest

from components.exporters.node import alerts as host_alerts
from model.telemetry import Example
from packs.base import build_counter_samples, build_service_series
from tests.conftest import Proves
from tests.support.boards import keeps_identity, tuned

OTHERS = {
    "NodeMemoryHighUtilization": 0.5,
    "NodeCPUHighUsage": 0.6,
    "NodeMemoryThrashing": 0.5,
    "NodeCPUSteal": 0.3,
    "NodeClockSkewDetected": 1.5,
}
"""Other thresholds than the usual ones, for every alert that has one."""


def test_alerts_fire_just_past_their_conditions(proves: Proves) -> None:
    """Every alert of the pack fires and stays silent where its example says."""
    proves(host_alerts.alerts({}))


@pytest.mark.exhaustive  # a second proof
def test_thresholds_can_be_tuned(proves: Proves) -> None:
    """Another threshold changes condition and description, and the alert is right about it as well."""
    proves(tuned(host_alerts.alerts, OTHERS))


def test_alerts_keep_who_they_are_about() -> None:
    """What is summed keeps the labels that routes and inhibitions look at."""
    keeps_identity(host_alerts.alerts({}))


def test_waiting_for_a_disk_is_no_use_of_the_cpu(proves: Proves) -> None:
    """A host whose cores are idle because a disk is slow is not short of CPU."""
    rule = host_alerts.alert_on_high_cpu({})
    series = {
        build_service_series(
            "node-exporter", "node_cpu_seconds_total", instance="a:9100", cpu="0", mode=mode
        ): build_counter_samples(60 * share)
        for mode, share in {"idle": 0.05, "iowait": 0.93, "user": 0.02}.items()
    }
    assert rule.example is not None
    proves([replace(rule, example=replace(rule.example, silent=series))])


def test_a_host_is_named_by_its_node(proves: Proves) -> None:
    """On a cluster the instance is the address of a pod: what is summed keeps the node's name."""
    for rule in (host_alerts.alert_on_high_cpu({}), host_alerts.alert_on_stolen_cpu({})):
        assert f"by ({host_alerts.HOST})" in rule.expr and "node" in host_alerts.HOST.split(", ")


def test_thrashing_is_seen_without_the_kernels_own_measure(proves: Proves) -> None:
    """Where the kernel does not measure the waiting, major faults say it."""
    faults = build_service_series("node-exporter", "node_vmstat_pgmajfault", instance="a:9100")
    bound = 60 * host_alerts.MAJOR_FAULTS
    example = Example(
        fires={faults: build_counter_samples(bound * 1.01)}, silent={faults: build_counter_samples(bound * 0.99)}
    )
    proves([replace(host_alerts.alert_on_thrashing({}), example=example)])


def test_a_clock_that_is_set_again_is_well(proves: Proves) -> None:
    """It fires while nothing sets a clock that was set before, and ends when it is set again."""
    rule = host_alerts.alert_on_clock_not_synchronised()
    status, error = (
        build_service_series("node-exporter", f"node_timex_{what}", instance="a:9100")
        for what in ("sync_status", "maxerror_seconds")
    )
    example = Example(
        fires={status: "1+0x10 0+0x110", error: "0+0x10 16+0x110"},
        silent={status: "1+0x10 0+0x40 1+0x70", error: "0+0x10 16+0x40 0+0x70"},
    )
    proves([replace(rule, example=example)])
