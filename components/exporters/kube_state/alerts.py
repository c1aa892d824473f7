"""What goes wrong with the pods of a Kubernetes cluster: some do not run, and workloads lack replicas.

None inhibits another one: that goes by the label `service`, which is the exporter's and so the same for all of them.
Source: https://github.com/kubernetes/kube-state-metrics/tree/main/docs/metrics
"""

from __future__ import annotations

from model.limits import Count
from model.telemetry import AlertRule, Example
from packs.base import BY, Tune, build_flat_samples, build_service_series, get_limit

RESTARTS = 3.0
"""In a quarter of an hour: a start that waits for its database takes two or three; what comes after that is a loop."""
GRACE = 600
"""Seconds after its creation in which a workload may have no replica: its first start pulls every image."""
ALIVE = 'phase=~"Pending|Running|Unknown"'
"""Pods that are to run: those of finished Jobs have succeeded or failed."""
STUCK = 'reason=~"ImagePullBackOff|ErrImagePull|InvalidImageName|CreateContainerConfigError|CreateContainerError"'
"""What a container waits for in vain until somebody changes something; crashes are another alert."""
WORKLOADS = {
    "deployment": ("kube_deployment_spec_replicas", "kube_deployment_status_replicas_available"),
    "statefulset": ("kube_statefulset_replicas", "kube_statefulset_status_replicas_ready"),
    "daemonset": ("kube_daemonset_status_desired_number_scheduled", "kube_daemonset_status_number_ready"),
}
"""Replicas that are wanted, and those that work, by the label that names the workload."""
NAME = "{{ $labels.deployment }}{{ $labels.statefulset }}{{ $labels.daemonset }}"
"""Of a workload: it has one of these labels, and the others are empty."""
POD = "{{ $labels.namespace }}/{{ $labels.pod }}"
CONTAINER = "{{ $labels.container }} of {{ $labels.namespace }}/{{ $labels.pod }}"
SELF = "kube-state-metrics"
EVENTS = "Read what happened to it, at the end of: `kubectl -n <namespace> describe pod <pod>`."
LINES = "Read the last lines before its end: `kubectl -n <namespace> logs <pod> -c <container> --previous --tail 50`."


def alerts(tune: Tune) -> tuple[AlertRule, ...]:
    """Alerts about the pods of a cluster, and about workloads that lack some."""
    return (
        alert_on_crash_looping(tune),
        alert_on_pod_not_ready(),
        alert_on_waiting_container(),
        alert_on_oom_killed(),
        alert_on_replicas_missing(),
        alert_on_replicas_gone(),
    )


def build_series(name: str, **labels: str) -> str:
    """One of kube-state-metrics' series about the namespace `shop`, as the examples of alerts name it."""
    return build_service_series(SELF, name, **{"instance": "kube-state-metrics:8080", "namespace": "shop", **labels})


def _build_pod_series(name: str, **labels: str) -> str:
    return build_series(name, pod="api-1", uid="1", **labels)


# -- pods ------------------------------------------------------------------------------------------------------------


def alert_on_crash_looping(tune: Tune) -> AlertRule:
    """By two measures: kubelets wait longer and longer, so after a while a loop makes three restarts in that time."""
    bound = get_limit(tune, "KubePodCrashLooping", RESTARTS)
    build_growth_example = (
        "round(increase(kube_pod_container_status_restarts_total[{}]))"  # increase() makes 3 restarts 3.05 of them
    )
    late = 'max_over_time(kube_pod_container_status_waiting_reason{reason="CrashLoopBackOff"}[10m]) > 0'
    count = _build_pod_series("kube_pod_container_status_restarts_total", container="api")

    def build_restarts(times: int) -> dict[str, str]:
        """It restarts so often after minute 50, a minute apart."""
        return {count: " ".join(["0+0x50", *(f"{n}+0x0" for n in range(1, times + 1)), f"{times}+0x60"])}

    return AlertRule(
        name="KubePodCrashLooping",
        expr=f"{build_growth_example.format('15m')} > {bound:g}"
        f" or {build_growth_example.format('1h')} > {2 * bound:g} and on(namespace, pod, container) {late}",
        for_="0s",  # a quarter of an hour is in the condition
        severity="warning",
        limit=Count(bound),
        summary=f"{CONTAINER} is crash-looping: {{{{ $value | humanize }}}} restarts of late",
        description=f"The container has restarted more than {bound:g} times in 15 minutes, or more than {2 * bound:g}"
        " times in an hour and is still held back: it crashes at its start, or is killed by its liveness probe.",
        steps=(
            LINES,
            f"{EVENTS} `Last State` has the exit code; `Liveness probe failed` means that it was killed.",
            "If it began with a deployment, take that back: `kubectl -n <namespace> rollout undo deployment <name>`.",
            "If it waits for something at its start (a database, a secret), mend that: it starts by itself then.",
        ),
        example=Example(fires=build_restarts(int(bound) + 1), silent=build_restarts(int(bound))),
    )


def alert_on_pod_not_ready() -> AlertRule:
    """Pods that are to run; Services send them nothing."""
    ready, phase = (
        _build_pod_series("kube_pod_status_ready", condition="true"),
        _build_pod_series("kube_pod_status_phase", phase="Running"),
    )
    return AlertRule(
        name="KubePodNotReady",
        expr='kube_pod_status_ready{condition="true"} == 0'
        f" and on(namespace, pod) kube_pod_status_phase{{{ALIVE}}} == 1",
        for_="15m",  # by then a large image is pulled and a database has replayed its log
        severity="warning",
        summary=f"{POD} has not been ready for 15 minutes",
        description="The pod should run, but gets no requests: it is not scheduled, does not start, or its readiness"
        " probe fails.",
        steps=(
            f"{EVENTS} `FailedScheduling` says what no node has.",
            "If it runs, its readiness probe fails; read why: `kubectl -n <namespace> logs <pod> --all-containers"
            " --tail 50`.",
            "If no node has room, see what is taken: dashboard Cluster, row Nodes, or `kubectl describe nodes`.",
            "If it waits for a volume, look at its claim: `kubectl -n <namespace> get pvc`.",
        ),
        # in the second example the pod of a Job is done, and not ready for that reason
        example=Example(
            fires={ready: build_flat_samples(0), phase: build_flat_samples(1)},
            silent={
                ready: build_flat_samples(0),
                phase: "1+0x10 0+0x110",
                _build_pod_series("kube_pod_status_phase", phase="Succeeded"): "0+0x10 1+0x110",
            },
        ),
    )


def alert_on_waiting_container() -> AlertRule:
    """Without the label `reason`: kubelets go to and fro between two, and each time the wait would begin anew."""
    reason = "kube_pod_container_status_waiting_reason"
    pull, back = (
        _build_pod_series(reason, container="api", reason=why) for why in ("ErrImagePull", "ImagePullBackOff")
    )
    return AlertRule(
        name="KubeContainerWaiting",
        expr=f"max by ({BY}, namespace, pod, container) ({reason}{{{STUCK}}}) == 1",
        for_="5m",  # a registry that was away for a moment has been asked again by then
        severity="warning",
        summary=f"{CONTAINER} cannot be started",
        description="Its image cannot be pulled, or a ConfigMap, Secret or key that it names does not exist: it will"
        " not start before that is changed.",
        steps=(
            f"{EVENTS} `Failed` names the image, or what is missing.",
            "If the image is not found, compare name and tag with the registry: `kubectl -n <namespace> get pod <pod>"
            " -o jsonpath='{.spec.containers[*].image}'`.",
            "If the registry refuses, look for its login: `imagePullSecrets` of the pod, and `kubectl -n <namespace>"
            " get secrets`.",
            "If a ConfigMap or Secret is missing, make it; the container starts by itself then.",
        ),
        example=Example(
            fires={pull: "_x20 1 0 1 0 1 0 1 0 1 0 1+0x90", back: "_x20 0 1 0 1 0 1 0 1 0 1 0+0x90"},
            silent={back: "_x56 1+0x2 0+0x60"},
        ),
    )


def alert_on_oom_killed() -> AlertRule:
    """Only while it has just restarted: the reason of its last end stays for as long as the pod lives."""
    why = _build_pod_series("kube_pod_container_status_last_terminated_reason", container="api", reason="OOMKilled")
    count = _build_pod_series("kube_pod_container_status_restarts_total", container="api")
    return AlertRule(
        name="KubeContainerOOMKilled",
        expr='kube_pod_container_status_last_terminated_reason{reason="OOMKilled"} == 1 and on(namespace, pod,'
        " container) increase(kube_pod_container_status_restarts_total[10m]) > 0",
        for_="0s",  # it has happened
        severity="warning",
        summary=f"{CONTAINER} was killed for memory",
        description="The container reached its memory limit, was killed by the kernel and started again: what it was"
        " doing is lost.",
        steps=(
            "Open the dashboard Cluster, row Pods: did its memory jump (a large request), or grow for hours (a leak)?",
            "Compare with its limit: `kubectl -n <namespace> get pod <pod> -o"
            " jsonpath='{.spec.containers[*].resources}'`.",
            "If what it needs is honest, raise `resources.limits.memory` where it is deployed.",
            f"If it leaks, compare with its last deployment. {LINES}",
        ),
        example=Example(
            fires={why: build_flat_samples(1), count: "0+0x55 1+0x60"},
            silent={why: build_flat_samples(1), count: "0+0x45 1+0x70"},
        ),
    )


# -- workloads -------------------------------------------------------------------------------------------------------


def _build_condition(template: str) -> str:
    """A condition for every kind of workload, of KIND, WANTED and THERE."""
    parts = (
        template.replace("KIND", kind).replace("WANTED", desired).replace("THERE", available)
        for kind, (desired, available) in WORKLOADS.items()
    )
    return " or ".join(parts)


def _build_replica_series(kind: str, desired: str, available: str) -> dict[str, str]:
    """A workload of that kind, created long ago."""
    names = (*WORKLOADS[kind], f"kube_{kind}_created")
    return {
        build_series(name, **{kind: "x"}): v
        for name, v in zip(names, (desired, available, build_flat_samples(1)), strict=True)
    }


def alert_on_replicas_missing() -> AlertRule:
    """Some of them: what is left does the work of all."""
    return AlertRule(
        name="KubeReplicasMissing",
        expr=_build_condition("WANTED - THERE > 0"),
        for_="15m",  # a rolling update, or a node that is drained, is over by then
        severity="warning",
        summary=f"{{{{ $labels.namespace }}}}/{NAME} lacks {{{{ $value | humanize }}}} replicas",
        description="A Deployment, StatefulSet or DaemonSet has had fewer working replicas than it wants for 15"
        " minutes: those that are left do the work of all.",
        steps=(
            "Find the pods that do not work: `kubectl -n <namespace> get pods -o wide | grep -v Running`.",
            "Ask one why: `kubectl -n <namespace> describe pod <pod>`.",
            "If there are no pods, ask the workload: `kubectl -n <namespace> describe deployment,statefulset,daemonset"
            " <name>`; a quota or an admission policy refuses them.",
            "If an update hangs, see how far it is (`kubectl -n <namespace> rollout status deployment <name>`) and take"
            " it back: `kubectl -n <namespace> rollout undo deployment <name>`.",
        ),
        example=Example(
            fires=_build_replica_series("deployment", build_flat_samples(3), build_flat_samples(2)),
            silent={
                **_build_replica_series("deployment", build_flat_samples(3), "3+0x50 2+0x5 3+0x70"),
                **_build_replica_series("statefulset", build_flat_samples(2), build_flat_samples(2)),
                **_build_replica_series("daemonset", build_flat_samples(0), build_flat_samples(0)),
            },
        ),
    )


def alert_on_replicas_gone() -> AlertRule:
    """All of them: whoever needs the workload gets nothing."""
    return AlertRule(
        name="KubeReplicasGone",
        expr=_build_condition(f"WANTED > 0 and THERE == 0 and time() - kube_KIND_created > {GRACE}"),
        for_="2m",  # a single replica that is restarted is back by then
        severity="critical",
        summary=f"{{{{ $labels.namespace }}}}/{NAME} has no replicas available, of {{{{ $value | humanize }}}} wanted",
        description="A Deployment, StatefulSet or DaemonSet wants replicas and has none that works: what it serves is"
        " down.",
        steps=(
            "See what its pods do: `kubectl -n <namespace> get pods -o wide`; are all of them on a node that is gone?",
            "Read why: `kubectl -n <namespace> describe pod <pod>` and `kubectl -n <namespace> logs <pod> --previous`.",
            "If it began with an update, take that back: `kubectl -n <namespace> rollout undo deployment <name>`.",
            "If there are no pods, read the newest events: `kubectl -n <namespace> get events"
            " --sort-by .lastTimestamp | tail -20`.",
        ),
        example=Example(
            fires=_build_replica_series("statefulset", build_flat_samples(1), "1+0x56 0+0x60"),
            silent={
                **_build_replica_series("statefulset", build_flat_samples(1), "1+0x59 0+0x60"),
                **_build_replica_series("deployment", build_flat_samples(2), build_flat_samples(1)),
                **_build_replica_series("daemonset", build_flat_samples(0), build_flat_samples(0)),
            },
        ),
    )
