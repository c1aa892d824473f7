"""The alerts about the pods of a cluster."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from components.exporters.kube_state import alerts as cluster_alerts
from model.telemetry import AlertRule, Example, RuleGroup
from packs.base import build_flat_samples
from tests.conftest import Proves
from tests.support.boards import keeps_identity, tuned
from tests.support.proving import prove
from tests.support.validating import tool

OTHERS = {"KubePodCrashLooping": 5}
"""Other thresholds than the usual ones, for every alert that has one."""


def test_alerts_fire_just_past_their_conditions(proves: Proves) -> None:
    """Every alert of the pack fires and stays silent where its example says."""
    proves(cluster_alerts.alerts({}))


@pytest.mark.exhaustive  # a second proof
def test_thresholds_can_be_tuned(proves: Proves) -> None:
    """Another threshold changes condition and description, and the alert is right about it as well."""
    proves(tuned(cluster_alerts.alerts, OTHERS))


def test_alerts_keep_who_they_are_about() -> None:
    """What is summed keeps the labels that routes and inhibitions look at."""
    keeps_identity(cluster_alerts.alerts({}))


@pytest.mark.parametrize("kind", cluster_alerts.WORKLOADS)
@pytest.mark.parametrize(
    "rule", [cluster_alerts.alert_on_replicas_missing(), cluster_alerts.alert_on_replicas_gone()], ids=lambda r: r.name
)
def test_every_kind_of_workload_is_watched(kind: str, rule: AlertRule, tmp_path: Path) -> None:
    """Deployments, StatefulSets and DaemonSets each set the alert off, and scaled to nothing they do not."""
    wanted, there = cluster_alerts.WORKLOADS[kind]
    labels = f'{{namespace="shop", {kind}="x", service="kube-state-metrics"}}'

    def series(replicas: float) -> dict[str, str]:
        names = {
            wanted: build_flat_samples(replicas),
            there: build_flat_samples(0),
            f"kube_{kind}_created": build_flat_samples(1),
        }
        return {name + labels: values for name, values in names.items()}

    proven = replace(rule, example=Example(fires=series(2), silent=series(0)))
    assert not prove(RuleGroup(name="one", alerts=(proven,)), str(tool("promtool")), tmp_path)


def test_a_workload_may_take_its_time_to_begin(tmp_path: Path) -> None:
    """Nobody is woken for a workload that was just made: it still pulls its images."""
    labels = '{namespace="shop", deployment="x"}'
    names = {"kube_deployment_spec_replicas": 1, "kube_deployment_status_replicas_available": 0}
    made = {name + labels: build_flat_samples(value) for name, value in names.items()}
    old, new = ({**made, f"kube_deployment_created{labels}": build_flat_samples(3600 - age)} for age in (3000, 300))
    rule = replace(cluster_alerts.alert_on_replicas_gone(), example=Example(fires=old, silent=new))
    assert not prove(RuleGroup(name="one", alerts=(rule,)), str(tool("promtool")), tmp_path)


def test_a_slow_loop_is_one_too(tmp_path: Path) -> None:
    """When the kubelet waits five minutes before each restart it is still a loop, until the container stays up."""
    labels = '{namespace="shop", pod="api-1", container="api", service="kube-state-metrics"}'
    waits = labels.replace("}", ', reason="CrashLoopBackOff"}')
    count = {f"kube_pod_container_status_restarts_total{labels}": " ".join(f"{n}+0x5" for n in range(20))}
    reason = "kube_pod_container_status_waiting_reason"
    example = Example(
        fires={**count, reason + waits: build_flat_samples(1)},
        silent={**count, reason + waits: "1+0x40 0+0x80"},
        at="80m",
    )
    rule = replace(cluster_alerts.alert_on_crash_looping({}), example=example)
    assert not prove(RuleGroup(name="one", alerts=(rule,)), str(tool("promtool")), tmp_path)
