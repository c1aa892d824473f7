"""Panels about the workloads of a cluster: what runs, what was to change and does not, Jobs."""

from __future__ import annotations

from components.drawing import draw_chart, fill_zero_if, fill_zero_if_up, select
from components.exporters.kube_state.alerts import RESTARTS, SELF, STUCK, WORKLOADS
from components.exporters.kube_state.workload_alerts import HPA, JOB_SECONDS, LATE_SECONDS
from model.base import HOUR
from model.dashboard_spec import Panel
from packs.base import build_thresholds

CONTAINER = "{{namespace}}/{{pod}} {{container}}"
COUNT = select("kube_pod_container_status_restarts_total")
PHASES = f"sum by (phase) ({select('kube_pod_status_phase')})"
ANY = build_thresholds((1, "yellow"))
"""Of what a warning is sent for, from the first one on."""


# -- panels that stand in two places ---------------------------------------------------------------------------------


def build_phase_panel(width: int) -> Panel:
    """How many pods are in which phase."""
    return draw_chart(
        "Pods by phase", {"{{phase}}": PHASES}, "short",
        "Worry when pods stay Pending (no node has room, or an image or volume is missing) or when Failed ones grow.",
        width=width,
    )  # fmt: skip


def build_restart_panel(width: int) -> Panel:
    """Which containers restarted."""
    again = f"round(sum by (namespace, pod, container) (increase({COUNT}[15m]))) > 0{fill_zero_if(COUNT, 'pod')}"
    return draw_chart(
        "Restarts of containers", {CONTAINER: again}, "short",
        f"Within 15 minutes. A warning is sent above {RESTARTS:g}.",
        width=width, thresholds=build_thresholds((RESTARTS, "yellow")),
    )  # fmt: skip


# -- rows ------------------------------------------------------------------------------------------------------------


def build_workload_panels() -> tuple[Panel, ...]:
    """What runs, and what keeps more or something else from running."""
    replicas: dict[str, str] = {}
    for kind, (desired, available) in WORKLOADS.items():
        name = f"{{{{namespace}}}}/{{{{{kind}}}}}"
        replicas |= {f"{name} wanted": select(desired), f"{name} at work": select(available)}
    stuck = f"max by (namespace, pod, container, reason) ({select('kube_pod_container_status_waiting_reason', STUCK)})"
    return (
        draw_chart(
            "Replicas", replicas, "short",
            "By workload. Worry when fewer are at work than are wanted: a warning is sent after 15 minutes, and people"
            " are called when none is.",
        ),
        build_restart_panel(8),
        build_phase_panel(8),
        draw_chart(
            "Containers that cannot start", {CONTAINER + " {{reason}}": f"{stuck} == 1{fill_zero_if_up(SELF, 'pod')}"},
            "short", "None is good: an image cannot be pulled, or a ConfigMap or Secret is missing. A warning is sent"
            " after 5 minutes.",
            thresholds=ANY,
        ),
        _build_change_panel(),
        _build_autoscaler_panel(),
    )  # fmt: skip


def _build_change_panel() -> Panel:
    stuck = select("kube_deployment_status_condition", 'condition="Progressing"', 'status="false"')
    deployments = select(WORKLOADS["deployment"][0])
    waiting = {
        "deployment {{namespace}}/{{deployment}} stuck": f"{stuck} == 1{fill_zero_if(deployments, 'deployment')}"
    }
    for kind in ("deployment", "statefulset"):
        desired, observed = (
            select(f"kube_{kind}_{what}") for what in ("metadata_generation", "status_observed_generation")
        )
        name = f"{kind} {{{{namespace}}}}/{{{{{kind}}}}}"
        waiting[f"{name} not begun"] = f"{desired} - {observed} > 0{fill_zero_if(desired, kind)}"
    return draw_chart(
        "Changes that do not arrive", waiting, "short",
        "None is good. Stuck: a rollout is past its deadline, and a warning is sent after 5 minutes. Not begun: no"
        " controller has looked at the change, and a warning is sent after 15.",
        thresholds=ANY,
    )  # fmt: skip


def _build_autoscaler_panel() -> Panel:
    name, nothing_yet = f"{{{{namespace}}}}/{{{{{HPA}}}}}", fill_zero_if_up(SELF, HPA)
    current = select(f"kube_{HPA}_status_current_replicas")
    inactive = select(f"kube_{HPA}_status_condition", 'condition="ScalingActive"', 'status="false"')
    replicas = {
        f"{name} replicas": current,
        f"{name} at most": select(f"kube_{HPA}_spec_max_replicas"),
        f"{name} without metrics": f"{current} and on(namespace, {HPA}) {inactive} == 1",
    }
    return draw_chart(
        "Autoscalers", {legend: query + nothing_yet for legend, query in replicas.items()}, "short",
        "Replicas that each has, and those that it may have; 0 where there is no autoscaler. A warning is sent when the"
        " two have met for 15 minutes, and when it has had no metrics to scale by for as long.",
    )  # fmt: skip


def build_job_panels() -> tuple[Panel, ...]:
    """Jobs that failed, that take long, and that do not begin."""
    nothing_yet, over = fill_zero_if_up(SELF, "job_name"), "unless on(namespace, job_name)"
    failed = select("kube_job_failed", 'condition="true"')
    started, done = (select(f"kube_job_status_{what}_time") for what in ("start", "completion"))
    late = f"time() - {select('kube_cronjob_next_schedule_time')} > 0"
    suspended = f"unless on(namespace, cronjob) {select('kube_cronjob_spec_suspend')} == 1"
    return (
        draw_chart(
            "Jobs that failed", {"{{namespace}}/{{job_name}}": f"{failed} > 0{nothing_yet}"}, "short",
            "Each made all of its attempts, and counts until it is deleted. A warning is sent for any.",
            thresholds=ANY,
        ),
        draw_chart(
            "Jobs at work",
            {"{{namespace}}/{{job_name}}": f"time() - ({started} {over} {done} {over} {failed} == 1){nothing_yet}"},
            "s", f"For how long; 0 while there is none. A warning is sent above {JOB_SECONDS / HOUR:g} hours.",
            thresholds=build_thresholds((JOB_SECONDS, "yellow")),
        ),
        draw_chart(
            "CronJobs that are late",
            {"{{namespace}}/{{cronjob}}": f"{late} {suspended}{fill_zero_if_up(SELF, 'cronjob')}"}, "s",
            f"Since when the next run should have begun; 0 while none is late. A warning is sent above"
            f" {LATE_SECONDS / 60:g} minutes.",
            thresholds=build_thresholds((LATE_SECONDS, "yellow")),
        ),
    )  # fmt: skip
