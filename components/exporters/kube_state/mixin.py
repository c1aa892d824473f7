"""A Kubernetes cluster, by kube-state-metrics and its kubelets: workloads, pods, nodes and volumes.

Sources: https://github.com/kubernetes/kube-state-metrics/tree/main/docs/metrics and
https://kubernetes.io/docs/reference/instrumentation/metrics/
"""

from __future__ import annotations

from functools import cache

from components.drawing import draw_chart, draw_stat, fill_zero_if, select, sum_rate
from components.exporters.kube_state import alerts as cluster_alerts
from components.exporters.kube_state import node_alerts as cluster_node_alerts
from components.exporters.kube_state import volume_alerts as cluster_volume_alerts
from components.exporters.kube_state import workload_alerts as cluster_workload_alerts
from components.exporters.kube_state.alerts import ALIVE, RESTARTS, WORKLOADS
from components.exporters.kube_state.node_alerts import READY
from components.exporters.kube_state.node_panels import build_node_panels
from components.exporters.kube_state.volume_alerts import FILES, VOLUME_FULL, VOLUME_LOW
from components.exporters.kube_state.workload_panels import (
    COUNT,
    build_job_panels,
    build_phase_panel,
    build_restart_panel,
    build_workload_panels,
)
from model.dashboard_spec import DashboardSpec, Panel, Row
from model.telemetry import AlertRule
from packs.base import Tune, build_thresholds, format_percent

__all__ = ["alerts", "board", "panels"]

TRUE = 'condition="true"'
POD = "{{namespace}}/{{pod}}"
CLAIM = "{{namespace}}/{{persistentvolumeclaim}}"
LEFT = f"{select('kubelet_volume_stats_available_bytes')} / {select('kubelet_volume_stats_capacity_bytes')}"
USED = f"max by (namespace, persistentvolumeclaim) (1 - {LEFT})"
"""Share of each volume in use; one that several nodes mount is told of by each of them."""
FULL = build_thresholds((1 - VOLUME_LOW, "yellow"), (1 - VOLUME_FULL, "red"))


def alerts(tune: Tune) -> tuple[AlertRule, ...]:
    """Alerts about pods, workloads, volumes and nodes of a cluster."""
    return (
        *cluster_alerts.alerts(tune),
        *cluster_workload_alerts.alerts(tune),
        *cluster_volume_alerts.alerts(tune),
        *cluster_node_alerts.alerts(tune),
    )


@cache
def panels() -> tuple[Panel, ...]:
    """What is missing, what restarts, what is full: the row for the stack's own dashboard."""
    return (
        build_phase_panel(6),
        draw_chart(
            "Replicas missing",
            {
                f"{kind} {{{{namespace}}}}/{{{{{kind}}}}}": (
                    f"{select(desired)} - {select(available)} > 0{fill_zero_if(select(desired), kind)}"
                )
                for kind, (desired, available) in WORKLOADS.items()
            },
            "short", "Wanted, but not at work. A warning is sent after 15 minutes, and people are called when none is"
            " left.",
            width=6, thresholds=build_thresholds((1, "yellow")),
        ),
        build_restart_panel(6),
        _build_usage_panel(6),
    )  # fmt: skip


@cache
def board() -> DashboardSpec:
    """Everything about the cluster."""
    return DashboardSpec(
        uid="cluster",
        title="Cluster",
        description="Does everything run that should, is there room for it, and which volume or node gives out next?",
        refresh="30s",
        rows=(
            Row(title="Now", panels=_build_overview_panels()),
            Row(title="Workloads", panels=build_workload_panels()),
            Row(title="Jobs", panels=build_job_panels()),
            Row(title="Nodes", panels=build_node_panels()),
            Row(title="Volumes", panels=_build_volume_panels()),
            Row(title="Pods", panels=_build_pod_panels(), collapsed=True),
        ),
    )


def _build_overview_panels() -> tuple[Panel, ...]:
    every = "every"
    running = "sum(" + select("kube_pod_status_phase", 'phase="Running"') + ")"
    ready = select("kube_pod_status_ready", TRUE)
    unready = (
        f"count({ready} == 0 and on(namespace, pod) {select('kube_pod_status_phase', ALIVE)} == 1){fill_zero_if(ready)}"
    )
    desired, available = WORKLOADS["deployment"]
    return (
        draw_stat(
            "Nodes ready", f"avg({select('kube_node_status_condition', READY)})", "percentunit",
            "Share of all nodes. People are called when one that is not cordoned is not ready for 15 minutes.", every,
            thresholds=build_thresholds((0, "red"), (1, "green")),
        ),
        draw_stat("Pods running", running, "short", "Pods with at least one container that runs.", every),
        draw_stat(
            "Pods not ready", unready, "short", "They should run, but get no requests. A warning is sent after 15"
            " minutes.",
            every, thresholds=build_thresholds((1, "yellow")),
        ),
        draw_stat(
            "Restarts in an hour", f"round(sum(increase({COUNT}[1h])))", "short",
            f"Of all containers. A warning is sent when one of them has more than {RESTARTS:g} in 15 minutes.", every,
        ),
        draw_stat(
            "Deployments short of replicas",
            f"count({select(desired)} - {select(available)} > 0){fill_zero_if(select(desired))}", "short",
            "Fewer work than are wanted. A warning is sent after 15 minutes.", every,
            thresholds=build_thresholds((1, "yellow")),
        ),
        draw_stat(
            "Volume nearest to full", f"topk(1, {USED})", "percentunit",
            f"The one with least left. A warning is sent above {format_percent(1 - VOLUME_LOW)}; people are called"
            f" above {format_percent(1 - VOLUME_FULL)}.",
            CLAIM, thresholds=FULL,
        ),
    )  # fmt: skip


def _build_usage_panel(width: int) -> Panel:
    return draw_chart(
        "Volumes in use", {CLAIM: USED}, "percentunit",
        f"Share of each claim. A warning is sent above {format_percent(1 - VOLUME_LOW)}, or when it would be full"
        f" within a day; people are called above {format_percent(1 - VOLUME_FULL)}.",
        width=width, thresholds=FULL,
    )  # fmt: skip


# -- rows ------------------------------------------------------------------------------------------------------------


def _build_volume_panels() -> tuple[Panel, ...]:
    free = f"min by (namespace, persistentvolumeclaim) ({select('kubelet_volume_stats_available_bytes')})"
    inodes = (
        "min by (namespace, persistentvolumeclaim) "
        f"({select('kubelet_volume_stats_inodes_free')} / ({select('kubelet_volume_stats_inodes')} > 0))"
    )
    return (
        _build_usage_panel(8),
        draw_chart(
            "Free space of volumes", {CLAIM: free}, "bytes", "What can still be written. A steady fall is a trend.",
        ),
        draw_chart(
            "Inodes left", {CLAIM: inodes}, "percentunit",
            f"When none is left no file can be made, whatever space there is. People are called below"
            f" {format_percent(FILES)}.",
        ),
    )  # fmt: skip


def _build_pod_panels() -> tuple[Panel, ...]:
    own = 'container!=""'
    memory = f"sum by (namespace, pod) ({select('container_memory_working_set_bytes', own)})"
    return (
        draw_chart(
            "CPU by pod", {POD: sum_rate("namespace, pod", "container_cpu_usage_seconds_total", own)}, "short",
            "Cores in use. Worry at a step without more requests.", width=12,
        ),
        draw_chart(
            "Memory by pod", {POD: memory}, "bytes",
            "What cannot be given back. Steady growth is a leak; a container at its limit is killed.", width=12,
        ),
    )  # fmt: skip
