"""The alerts about the nodes of a cluster, and about those who tell of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from components.exporters.kube_state import node_alerts as cluster_node_alerts
from model.telemetry import Example
from packs.base import build_flat_samples, build_service_series
from tests.conftest import Proves
from tests.support.boards import keeps_identity, tuned

OTHERS = {
    "KubeNodeReadinessFlapping": 6,
    "KubeletClientCertificateExpiration": 86400,
    "KubeletServerCertificateExpiration": 172800,
    "KubeStateMetricsListErrors": 0.2,
    "KubeStateMetricsWatchErrors": 0.3,
}
"""Other thresholds than the usual ones, for every alert that has one."""


def test_alerts_fire_just_past_their_conditions(proves: Proves) -> None:
    """Every alert of the pack fires and stays silent where its example says."""
    proves(cluster_node_alerts.alerts({}))


@pytest.mark.exhaustive  # a second proof
def test_thresholds_can_be_tuned(proves: Proves) -> None:
    """Another threshold changes condition and description, and the alert is right about it as well."""
    proves(tuned(cluster_node_alerts.alerts, OTHERS))


def test_alerts_keep_who_they_are_about() -> None:
    """What is summed keeps the labels that routes and inhibitions look at."""
    keeps_identity(cluster_node_alerts.alerts({}))


@pytest.mark.parametrize("condition", ["MemoryPressure", "DiskPressure", "PIDPressure", "NetworkUnavailable"])
def test_every_condition_of_a_node_is_told(proves: Proves, condition: str) -> None:
    """Each condition that a kubelet or a network plugin reports sets the alert off."""
    labels = {"instance": "k:8080", "node": "a", "condition": condition}
    true, false = (
        build_service_series("kube-state-metrics", "kube_node_status_condition", **labels, status=status)
        for status in ("true", "false")
    )
    example = Example(
        fires={true: build_flat_samples(1), false: build_flat_samples(0)},
        silent={true: build_flat_samples(0), false: build_flat_samples(1)},
    )
    proves([replace(cluster_node_alerts.alert_on_node_pressure(), example=example)])
