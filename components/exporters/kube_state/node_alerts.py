"""When the nodes of a Kubernetes cluster are sick, or what is known of the cluster is not the whole truth.

The control plane itself (API server, etcd, scheduler, controller manager) is not scraped: see docs/kubernetes.md.
Sources: https://github.com/kubernetes/kube-state-metrics/tree/main/docs/metrics and
https://kubernetes.io/docs/reference/instrumentation/metrics/
"""

from __future__ import annotations

from typing import Literal

from components.exporters.kube_state.alerts import SELF
from model.base import DAY
from model.limits import Count, Share
from model.telemetry import AlertRule, Example
from packs.base import (
    BY,
    Tune,
    build_counter_samples,
    build_flat_samples,
    build_service_series,
    format_percent,
    get_limit,
)

PRESSURE = 'condition=~"MemoryPressure|DiskPressure|PIDPressure|NetworkUnavailable", status="true"'
READY = 'condition="Ready", status="true"'
IN_SERVICE = "and on(node) kube_node_spec_unschedulable == 0"
"""Nodes that take pods: whoever cordons one knows that it will be away."""
FLAPS = 2.0
"""Changes in a quarter of an hour: a restart is two, gone and back; what comes after that is a habit."""
CLIENT_SECONDS = 2.0 * DAY
"""Two days, to be able to act by daylight on a weekend too. A kubelet renews at 70 to 90% of the time, weeks before."""
SERVER_SECONDS = 7.0 * DAY
"""A week: an ended serving certificate costs metrics and logs of its containers, not the node."""
FAILED_SHARE = 0.01
"""As in kube-state-metrics' own mixin: watches end regularly and begin again, but not with an error."""
KUBELET = "kubelet"
Kind = Literal["Client", "Server"]


def alerts(tune: Tune) -> tuple[AlertRule, ...]:
    """Alerts about the nodes of a cluster, and about those who tell of it."""
    return (
        alert_on_node_not_ready(),
        alert_on_node_flapping(tune),
        alert_on_node_pressure(),
        alert_on_node_cordoned(),
        alert_on_certificate_expiry(tune, "Client"),
        alert_on_certificate_expiry(tune, "Server"),
        alert_on_certificate_not_renewed("Client"),
        alert_on_certificate_not_renewed("Server"),
        alert_on_state_errors(tune, "List"),
        alert_on_state_errors(tune, "Watch"),
    )


def _build_condition(condition: str, status: str = "true") -> str:
    labels = {"instance": "k:8080", "node": "a", "condition": condition, "status": status}
    return build_service_series(SELF, "kube_node_status_condition", **labels)


def _build_cordoned_series() -> str:
    return build_service_series(SELF, "kube_node_spec_unschedulable", instance="k:8080", node="a")


# -- nodes -----------------------------------------------------------------------------------------------------------


def alert_on_node_not_ready() -> AlertRule:
    """Zero for both other statuses: the kubelet says that it is not ready, or nothing has been heard from it."""
    ready, cordoned = _build_condition("Ready"), _build_cordoned_series()
    gone = "1+0x40 0+0x80"
    return AlertRule(
        name="KubeNodeNotReady",
        expr=f"kube_node_status_condition{{{READY}}} == 0 {IN_SERVICE}",
        for_="15m",  # a reboot is over by then; if all replicas of something were there, KubeReplicasGone is quicker
        severity="critical",
        summary="Node {{ $labels.node }} is not ready",
        description="The node's kubelet is not well or is not heard of: it starts no pod. After five minutes pods"
        " of Deployments are replaced on other nodes, where there is room; those of StatefulSets, such as databases and"
        " this stack's own servers, wait until it is certain that the node does not run them any more.",
        steps=(
            "Read what it last said: `kubectl describe node <node>`, `Conditions` and `Events`.",
            "See what ran there: `kubectl get pods -A -o wide --field-selector spec.nodeName=<node>`.",
            "If the machine answers, read the kubelet's log there: `journalctl -u kubelet --since -15min`.",
            "If it does not, restart it. Is it switched off for good? `kubectl delete node <node>` lets StatefulSets"
            " start their pods elsewhere and frees its volumes; if it still ran, two copies would write to them.",
        ),
        example=Example(
            fires={ready: gone, cordoned: build_flat_samples(0)}, silent={ready: gone, cordoned: build_flat_samples(1)}
        ),
    )


def alert_on_node_flapping(tune: Tune) -> AlertRule:
    """It never stays away for long enough to be told of, and its pods are moved each time."""
    bound = get_limit(tune, "KubeNodeReadinessFlapping", FLAPS)
    ready, cordoned = _build_condition("Ready"), _build_cordoned_series()

    def build_changes(times: int) -> dict[str, str]:
        """It changes so often after minute 50, a minute apart."""
        values = [f"{(n + 1) % 2}+0x0" for n in range(1, times + 1)]
        return {ready: " ".join(["1+0x49", *values, f"{(times + 1) % 2}+0x60"]), cordoned: build_flat_samples(0)}

    return AlertRule(
        name="KubeNodeReadinessFlapping",
        expr=f"changes(kube_node_status_condition{{{READY}}}[15m]) > {bound:g} {IN_SERVICE}",
        for_="0s",  # a quarter of an hour is in the condition
        severity="warning",
        limit=Count(bound),
        summary="Node {{ $labels.node }} changed {{ $value | humanize }} times between ready and not ready",
        description=f"In 15 minutes the node changed more than {bound:g} times between ready and not ready: its pods"
        " get no requests in between, or are replaced each time.",
        steps=(
            "See when and why: `kubectl describe node <node>`, `Events`.",
            "Read the kubelet's log on the node: `journalctl -u kubelet --since -30min | grep -iE"
            " 'pleg|lease|timeout'`.",
            "Look at its load, memory and disk in the dashboard Host: a kubelet that gets no CPU misses its reports.",
            "Until it is mended, keep pods away from it: `kubectl cordon <node>`.",
        ),
        example=Example(fires=build_changes(int(bound) + 1), silent=build_changes(int(bound))),
    )


def alert_on_node_pressure() -> AlertRule:
    """Memory, disk or processes: the kubelet ends pods to get them back; or its network is not set up."""
    series = _build_condition("DiskPressure")
    return AlertRule(
        name="KubeNodePressure",
        expr=f"kube_node_status_condition{{{PRESSURE}}} == 1",
        for_="5m",  # the kubelet keeps to what it said for so long: what is left then has lasted, or has come again
        severity="warning",
        summary="Node {{ $labels.node }} reports {{ $labels.condition }}",
        description="The node runs out of memory, disk or process numbers and ends running pods, or it has no network:"
        " it takes no new pods.",
        steps=(
            "See which it is and what was evicted: `kubectl describe node <node>`, `Conditions` and `Events`.",
            "For memory: `kubectl top pods -A --sort-by memory`; give what grows a limit, and everything its request.",
            "For disk: look for images and logs on the node (`crictl images`, `du -xsh /var/log/pods/*`).",
            "For processes: `ps -eLf | wc -l` on the node, and which pod makes that many.",
            "For the network: is the pod of the network plugin on that node running, and what does it log?",
        ),
        example=Example(fires={series: "0+0x50 1+0x70"}, silent={series: "0+0x50 1+0x3 0+0x70"}),
    )


def alert_on_node_cordoned() -> AlertRule:
    """Forgotten after a maintenance; the day is in the condition, so that a restart of Prometheus does not begin it."""
    cordoned = _build_cordoned_series()
    return AlertRule(
        name="KubeNodeCordoned",
        expr="min_over_time(kube_node_spec_unschedulable[1d]) == 1 and kube_node_spec_unschedulable offset 1d == 1",
        for_="0s",  # longer than any maintenance is in the condition
        severity="warning",
        summary="Node {{ $labels.node }} has taken no new pods for a day",
        description="The node was cordoned, and has been for 24 hours: what fails on the others finds no room there.",
        steps=(
            "Ask who does it: `kubectl describe node <node>` shows taints, annotations and events.",
            "If the work is done, let it take pods again: `kubectl uncordon <node>`.",
            "If it will not come back, take it out of the cluster: `kubectl delete node <node>`.",
        ),
        example=Example(fires={cordoned: "0+0x30 1+0x1600"}, silent={cordoned: "0+0x200 1+0x1500"}, at="26h"),
    )


# -- certificates of kubelets ----------------------------------------------------------------------------------------


def _build_kubelet_series(name: str) -> str:
    return build_service_series(KUBELET, name, instance="10.0.0.1:10250", node="a")


def alert_on_certificate_expiry(tune: Tune, kind: Kind) -> AlertRule:
    """By the kubelet's own count; it is without end where the kubelet does not renew it."""
    name = f"Kubelet{kind}CertificateExpiration"
    bound = get_limit(tune, name, CLIENT_SECONDS if kind == "Client" else SERVER_SECONDS)
    metric = f"kubelet_certificate_manager_{kind.lower()}_ttl_seconds"
    means = (
        "the node drops out of the cluster then, and stays out until it joins anew"
        if kind == "Client"
        else "logs, metrics and exec of its pods fail then"
    )
    return AlertRule(
        name=name,
        expr=f"{metric} < {bound:g}",
        for_="15m",  # a renewal that is under way is through by then
        severity="critical" if kind == "Client" else "warning",
        limit=bound,
        summary=f"The kubelet of {{{{ $labels.node }}}} has a {kind.lower()} certificate for"
        " {{ $value | humanizeDuration }} more",
        description=f"The certificate ends in less than {bound / DAY:g} days and was not renewed: {means}.",
        steps=(
            "Is its request there, and not approved? `kubectl get csr --sort-by .metadata.creationTimestamp`.",
            "Approve it if it is right: `kubectl certificate approve <name>`; serving certificates are approved by"
            " nobody unless something in the cluster does it.",
            "Read the kubelet's log on the node: `journalctl -u kubelet --since -1d | grep -i certificate`.",
            "On a cluster of kubeadm, `kubeadm certs check-expiration` shows those of the control plane, which end at"
            " the same time.",
        ),
        example=Example(
            fires={_build_kubelet_series(metric): build_flat_samples(bound * 0.99)},
            silent={_build_kubelet_series(metric): build_flat_samples(bound * 1.01)},
        ),
    )


def alert_on_certificate_not_renewed(kind: Kind) -> AlertRule:
    """Told weeks before the end, at the first renewals that fail."""
    metric = (
        "kubelet_certificate_manager_client_expiration_renew_errors"
        if kind == "Client"
        else "kubelet_server_expiration_renew_errors"
    )
    return AlertRule(
        name=f"Kubelet{kind}CertificateRenewalErrors",
        expr=f"increase({metric}[30m]) > 0",  # the kubelet tries for a quarter of an hour before it counts one
        for_="15m",  # the next attempt follows within minutes, and succeeds where the API server was only away
        severity="warning",
        summary=f"The kubelet of {{{{ $labels.node }}}} cannot renew its {kind.lower()} certificate",
        description="Its requests for a new certificate fail or are not approved; the present one still works for a"
        " while.",
        steps=(
            "See what became of its requests: `kubectl get csr --sort-by .metadata.creationTimestamp | tail`.",
            "`Pending` was approved by nobody: `kubectl certificate approve <name>`, and look why nothing does it.",
            "`Approved` without `Issued`: the controller manager lacks its signing key, or does not run.",
            "If there are none, read the kubelet's log: `journalctl -u kubelet --since -1h | grep -i certificate`.",
        ),
        example=Example(
            fires={_build_kubelet_series(metric): "0+0x30 1+1x90"},
            silent={_build_kubelet_series(metric): "0+0x10 1+0x110"},
        ),
    )


# -- kube-state-metrics ----------------------------------------------------------------------------------------------


def alert_on_state_errors(tune: Tune, what: Literal["List", "Watch"]) -> AlertRule:
    """Kinds of objects that it may not read, or that the API server does not give it."""
    name = f"KubeStateMetrics{what}Errors"
    bound = get_limit(tune, name, FAILED_SHARE)
    metric = f"kube_state_metrics_{what.lower()}_total"
    labels = {"instance": "kube-state-metrics:8081", "resource": "*v1.Pod"}
    failed, done = (build_service_series(SELF, metric, result=result, **labels) for result in ("error", "success"))
    return AlertRule(
        name=name,
        expr=f'sum by ({BY}, resource) (rate({metric}{{result="error"}}[15m]))'
        f" / sum by ({BY}, resource) (rate({metric}[15m])) > {bound:g}",
        for_="15m",  # an API server that is updated is back by then
        severity="critical",
        limit=Share(bound),
        summary=f"kube-state-metrics cannot {what.lower()} {{{{ $labels.resource }}}}",
        description=f"More than {format_percent(bound)} of its requests fail: what it tells of these objects is old or"
        " missing, and no alert about them can be relied on.",
        steps=(
            "Read why: `kubectl -n <namespace> logs deployment/kube-state-metrics --tail 50 | grep -i fail`.",
            '"forbidden" is its ClusterRole: run `make up`, which restores it, and see who changed it.',
            "A time-out is the API server: is it slow or restarting? `kubectl get --raw /readyz?verbose`.",
            "Until it is mended, look for yourself: `kubectl get pods,deployments,nodes -A`.",
        ),
        example=Example(
            fires={
                failed: build_counter_samples(1000 * bound * 1.01),
                done: build_counter_samples(1000 * (1 - bound * 1.01)),
            },
            silent={
                failed: build_counter_samples(1000 * bound * 0.99),
                done: build_counter_samples(1000 * (1 - bound * 0.99)),
            },
        ),
    )
