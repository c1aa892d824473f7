"""When a change to a Kubernetes cluster does not arrive: rollouts, Jobs, autoscalers, and the controllers behind them.

Source: https://github.com/kubernetes/kube-state-metrics/tree/main/docs/metrics
"""

from __future__ import annotations

from typing import Literal

from components.exporters.kube_state.alerts import SELF, build_series
from model.base import HOUR
from model.telemetry import AlertRule, Example
from packs.base import Tune, build_flat_samples, build_service_series, get_limit

JOB_SECONDS = 12.0 * HOUR
"""Twelve hours, as in Kubernetes' mixin: a nightly backup that still runs at noon will not end by itself."""
LATE_SECONDS = float(HOUR)
"""An hour after its time: whatever delayed the controller is over, and hourly Jobs have missed a whole turn."""
HPA = "horizontalpodautoscaler"
JOB = "{{ $labels.namespace }}/{{ $labels.job_name }}"


def alerts(tune: Tune) -> tuple[AlertRule, ...]:
    """Alerts about what was asked of a cluster and does not happen."""
    return (
        alert_on_rollout_stuck(),
        alert_on_generation_mismatch("Deployment"),
        alert_on_generation_mismatch("StatefulSet"),
        alert_on_autoscaler_at_maximum(),
        alert_on_autoscaler_without_metrics(),
        alert_on_job_failed(),
        alert_on_job_not_completed(tune),
        alert_on_cron_job_late(tune),
    )


# -- rollouts --------------------------------------------------------------------------------------------------------


def alert_on_rollout_stuck() -> AlertRule:
    """The old replicas stay where none may be missing, so that nothing else shows it."""
    labels = {"deployment": "api", "condition": "Progressing"}
    states = {
        status: build_series("kube_deployment_status_condition", **labels, status=status)
        for status in ("false", "true")
    }
    return AlertRule(
        name="KubeDeploymentRolloutStuck",
        expr='kube_deployment_status_condition{condition="Progressing", status="false"} == 1',
        for_="5m",  # its own deadline (progressDeadlineSeconds, ten minutes unless it says otherwise) has passed before
        severity="warning",
        summary="The rollout of {{ $labels.namespace }}/{{ $labels.deployment }} is stuck",
        description="A Deployment did not get a new pod to work within its deadline: the old version goes on, and what"
        " was deployed is not there.",
        steps=(
            "See how far it is: `kubectl -n <namespace> rollout status deployment <name>`, and `kubectl -n <namespace>"
            " describe deployment <name>`.",
            "If there is no new pod, its ReplicaSet says why (quota, admission policy): `kubectl -n <namespace>"
            " describe replicaset -l <labels>`.",
            "If there is one, ask it: `kubectl -n <namespace> describe pod <pod>` and `kubectl -n <namespace> logs"
            " <pod>`.",
            "Take it back while you look: `kubectl -n <namespace> rollout undo deployment <name>`.",
        ),
        example=Example(
            fires={states["false"]: "0+0x40 1+0x80", states["true"]: "1+0x40 0+0x80"},
            silent={states["false"]: build_flat_samples(0), states["true"]: build_flat_samples(1)},
        ),
    )


def alert_on_generation_mismatch(kind: Literal["Deployment", "StatefulSet"]) -> AlertRule:
    """What is wanted was changed, and its controller has not even looked."""
    name = kind.lower()
    desired, observed = f"kube_{name}_metadata_generation", f"kube_{name}_status_observed_generation"
    one, other = (build_series(metric, **{name: "x"}) for metric in (desired, observed))
    return AlertRule(
        name=f"Kube{kind}GenerationMismatch",
        expr=f"{desired} - {observed} > 0",
        for_="15m",  # a controller manager that changes its leader is at work again by then
        severity="warning",
        summary=f"Nobody acts on the change of {kind} {{{{ $labels.namespace }}}}/{{{{ $labels.{name} }}}}",
        description=f"The {kind} was changed, and its controller has not taken note of it: if there are more of them,"
        " the cluster's controller manager does not work.",
        steps=(
            "Are there more of them? Then it is the controller manager: `kubectl -n kube-system get pods | grep"
            " controller-manager`.",
            "Read its log, or ask who runs the control plane: `kubectl -n kube-system logs <pod> --tail 50`.",
            f"If it is this one alone, read its events: `kubectl -n <namespace> describe {name} <name>`.",
        ),
        example=Example(
            fires={one: "3+0x40 4+0x80", other: build_flat_samples(3)},
            silent={one: "3+0x40 4+0x80", other: "3+0x50 4+0x70"},
        ),
    )


# -- autoscalers -----------------------------------------------------------------------------------------------------


def _build_autoscaler_series(**values: float) -> dict[str, str]:
    return {
        build_series(f"kube_{HPA}_{name}", **{HPA: "api"}): build_flat_samples(value) for name, value in values.items()
    }


def alert_on_autoscaler_at_maximum() -> AlertRule:
    """One whose least and most are equal does not scale, and is left out."""
    return AlertRule(
        name="KubeHpaMaxedOut",
        expr=f"kube_{HPA}_status_current_replicas / kube_{HPA}_spec_max_replicas >= 1"
        f" and kube_{HPA}_spec_max_replicas > kube_{HPA}_spec_min_replicas",
        for_="15m",  # the usual peak is over by then
        severity="warning",
        summary="{{ $labels.namespace }}/{{ $labels.horizontalpodautoscaler }} has all replicas that it may have",
        description="The autoscaler has been at its maximum for 15 minutes: if the load grows further, nothing grows"
        " with it.",
        steps=(
            "See what it reacts to: `kubectl -n <namespace> describe hpa <name>` shows the metrics, now and wanted.",
            "Is it load, or is each request slower than before? Compare with the last deployment.",
            "If it is load, raise `maxReplicas`, and see that the nodes have room: dashboard Cluster, row Nodes.",
        ),
        example=Example(
            fires=_build_autoscaler_series(status_current_replicas=5, spec_max_replicas=5, spec_min_replicas=1),
            silent=_build_autoscaler_series(status_current_replicas=5, spec_max_replicas=5, spec_min_replicas=5),
        ),
    )


def alert_on_autoscaler_without_metrics() -> AlertRule:
    """A workload that is scaled to nothing has its autoscaler off, which is meant: there is no replica then.

    How many it wants is not asked: that is 0 until it has had metrics once.
    """
    labels = {HPA: "api", "condition": "ScalingActive", "status": "false"}
    inactive = build_series(f"kube_{HPA}_status_condition", **labels)
    return AlertRule(
        name="KubeHpaWithoutMetrics",
        expr=f'kube_{HPA}_status_condition{{condition="ScalingActive", status="false"}} == 1'
        f" and on(namespace, {HPA}) kube_{HPA}_status_current_replicas > 0",
        for_="15m",  # new pods have no metrics for a few minutes
        severity="warning",
        summary="{{ $labels.namespace }}/{{ $labels.horizontalpodautoscaler }} has no metrics to scale by",
        description="The autoscaler does not know the load: the number of replicas stays what it is.",
        steps=(
            "Read why: `kubectl -n <namespace> describe hpa <name>`, `Conditions`.",
            "If it scales by CPU or memory, is the metrics server there? `kubectl get apiservices | grep metrics`.",
            "If it scales by a share, each container of the pods needs a request: `resources.requests`.",
        ),
        example=Example(
            fires={inactive: build_flat_samples(1), **_build_autoscaler_series(status_current_replicas=2)},
            silent={inactive: build_flat_samples(1), **_build_autoscaler_series(status_current_replicas=0)},
        ),
    )


# -- Jobs ------------------------------------------------------------------------------------------------------------


def alert_on_job_failed() -> AlertRule:
    """When it has given up, after all attempts; and until it is deleted, for its next run is another Job."""
    failed = {c: build_series("kube_job_failed", job_name="nightly-1", condition=c) for c in ("true", "false")}
    tried = build_series("kube_job_status_failed", job_name="nightly-1")
    return AlertRule(
        name="KubeJobFailed",
        expr='kube_job_failed{condition="true"} > 0',
        for_="1m",  # it is final when it is said
        severity="warning",
        summary=f"Job {JOB} has failed",
        description="The Job has given up after as many attempts as it may make: what it was to do is not done.",
        steps=(
            "Read what its pods said: `kubectl -n <namespace> logs -l job-name=<job> --tail 50`.",
            "If they are gone, read its events: `kubectl -n <namespace> describe job <job>`; `DeadlineExceeded` means"
            " that it took too long.",
            "Mend the cause and run it again: `kubectl -n <namespace> create job --from=cronjob/<name> <new name>`.",
            "Delete the failed one, so that the next failure is seen: `kubectl -n <namespace> delete job <job>`.",
        ),
        # in the second example a pod has failed, and the Job tries again
        example=Example(
            fires={failed["true"]: "0+0x40 1+0x80"},
            silent={failed["true"]: build_flat_samples(0), tried: build_flat_samples(1)},
        ),
    )


def alert_on_job_not_completed(tune: Tune) -> AlertRule:
    """It hangs, or none of its pods can be made; no later run of a CronJob that forbids two at a time begins."""
    bound = get_limit(tune, "KubeJobNotCompleted", JOB_SECONDS)
    started, done = (
        build_series(f"kube_job_status_{what}_time", job_name="nightly-1") for what in ("start", "completion")
    )
    over = "unless on(namespace, job_name)"
    minutes = int(bound // 60)
    return AlertRule(
        name="KubeJobNotCompleted",
        expr=f"time() - (kube_job_status_start_time {over} kube_job_status_completion_time"
        f' {over} kube_job_failed{{condition="true"}} == 1) > {bound:g}',
        for_="0s",  # hours are in the condition
        severity="warning",
        limit=bound,
        summary=f"Job {JOB} has not ended for {{{{ $value | humanizeDuration }}}}",
        description=f"The Job began more than {bound / HOUR:g} hours ago and has neither succeeded nor failed: it"
        " hangs, or its pods cannot be made.",
        steps=(
            "Has it a pod? `kubectl -n <namespace> get pods -l job-name=<job>`; if none, `kubectl -n <namespace>"
            " describe job <job>` says why.",
            "If it runs, see what it waits for: `kubectl -n <namespace> logs -l job-name=<job> --tail 50`.",
            "End it if it hangs: `kubectl -n <namespace> delete job <job>`.",
            "Give it `activeDeadlineSeconds`, so that the next one that hangs fails instead.",
        ),
        example=Example(
            fires={started: f"0+0x{minutes + 20}"},
            silent={started: f"0+0x{minutes + 20}", done: f"_x30 1800+0x{minutes}"},
            at=f"{minutes + 5}m",
        ),
    )


def alert_on_cron_job_late(tune: Tune) -> AlertRule:
    """Seconds since the time of its next run, which moves on with each run that begins."""
    bound = get_limit(tune, "KubeCronJobNotStarted", LATE_SECONDS)
    due = build_service_series(
        SELF, "kube_cronjob_next_schedule_time", instance="k:8080", namespace="shop", cronjob="nightly"
    )
    suspended = build_service_series(
        SELF, "kube_cronjob_spec_suspend", instance="k:8080", namespace="shop", cronjob="nightly"
    )
    minutes = int(bound // 60)
    return AlertRule(
        name="KubeCronJobNotStarted",
        expr=f"time() - kube_cronjob_next_schedule_time > {bound:g}"
        " unless on(namespace, cronjob) kube_cronjob_spec_suspend == 1",
        for_="5m",  # the controller looks every few seconds
        severity="warning",
        limit=bound,
        summary="CronJob {{ $labels.namespace }}/{{ $labels.cronjob }} is {{ $value | humanizeDuration }} late",
        description=f"Its next run should have begun more than {bound:g} s ago: the last one still runs and no second"
        " is allowed, or its Jobs cannot be made.",
        steps=(
            "Read why: `kubectl -n <namespace> describe cronjob <name>`, `Active Jobs` and `Events`.",
            "If the last run is still active, see what it waits for: `kubectl -n <namespace> logs job/<job> --tail"
            " 50`.",
            "If it is too late for all missed runs, raise `startingDeadlineSeconds`.",
            "If no CronJob of the cluster starts, its controller manager does not work.",
        ),
        example=Example(
            fires={due: f"0+0x{minutes + 20}", suspended: f"0+0x{minutes + 20}"},
            silent={due: f"0+0x{minutes + 20}", suspended: f"1+0x{minutes + 20}"},
            at=f"{minutes + 10}m",
        ),
    )
