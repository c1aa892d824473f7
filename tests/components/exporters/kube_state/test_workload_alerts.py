"""The alerts about what was asked of a cluster and does not happen."""

from __future__ import annotations

from dataclasses import replace

import pytest

from components.exporters.kube_state import workload_alerts as cluster_workload_alerts
from components.exporters.kube_state.alerts import build_series
from model.telemetry import Example
from packs.base import build_flat_samples
from tests.conftest import Proves
from tests.support.boards import keeps_identity, tuned

OTHERS = {"KubeJobNotCompleted": 7200, "KubeCronJobNotStarted": 600}
"""Other thresholds than the usual ones, for every alert that has one."""


def test_alerts_fire_just_past_their_conditions(proves: Proves) -> None:
    """Every alert of the pack fires and stays silent where its example says."""
    proves(cluster_workload_alerts.alerts({}))


@pytest.mark.exhaustive  # a second proof
def test_thresholds_can_be_tuned(proves: Proves) -> None:
    """Another threshold changes condition and description, and the alert is right about it as well."""
    proves(tuned(cluster_workload_alerts.alerts, OTHERS))


def test_alerts_keep_who_they_are_about() -> None:
    """What is summed keeps the labels that routes and inhibitions look at."""
    keeps_identity(cluster_workload_alerts.alerts({}))


def test_a_job_that_is_tried_again_has_not_failed(proves: Proves) -> None:
    """Pods may fail while the Job goes on; one that gave up is told even where some of its pods succeeded."""
    final = build_series("kube_job_failed", job_name="b", condition="true")
    pods = {
        build_series(f"kube_job_status_{how}", job_name="b"): build_flat_samples(1) for how in ("failed", "succeeded")
    }
    example = Example(fires={**pods, final: build_flat_samples(1)}, silent={**pods, final: build_flat_samples(0)})
    proves([replace(cluster_workload_alerts.alert_on_job_failed(), example=example)])


@pytest.mark.parametrize("condition", ["true", "false"])
def test_a_failed_job_no_longer_hangs(proves: Proves, condition: str) -> None:
    """A Job that was given up is KubeJobFailed and not one that never ends."""
    rule = cluster_workload_alerts.alert_on_job_not_completed({})
    assert rule.example is not None
    failed = {
        build_series("kube_job_failed", job_name="nightly-1", condition="true"): f"{int(condition == 'true')}+0x1000"
    }
    begun = dict(rule.example.fires)
    if condition == "true":
        proves([replace(rule, example=replace(rule.example, silent={**begun, **failed}))])
    else:
        proves([replace(rule, example=replace(rule.example, fires={**begun, **failed}))])
