"""An operator that really runs on the cluster for trials: its definitions, itself, a Prometheus and an Alertmanager.

Everything has the names and labels that a stack expects when it says `prometheus: operator` and no more.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from model.operator import GROUP, Operator
from stack.assemble import load_images
from tests.support.operators import definition
from tests.support.systems import ROOT
from toolchain.cluster.images import build_node_loader
from toolchain.cluster.service import build_cluster_layout, is_running
from toolchain.context import build_default_context
from toolchain.images import ImageSpec
from toolchain.prerequisites import make_images
from toolchain.recipes import OPERATOR_VERSION

OPERATOR = Operator()
HOME = OPERATOR.namespace
DEFINED = ("ServiceMonitor", "PodMonitor", "Probe", "ScrapeConfig", "PrometheusRule", "AlertmanagerConfig")
RUN_BY_IT = ("Prometheus", "Alertmanager", "PrometheusAgent", "ThanosRuler")
IMAGES = {
    name: ImageSpec(name, f"quay.io/prometheus-operator/{name}", f"v{OPERATOR_VERSION}", None, ("kubernetes",))
    for name in ("prometheus-operator", "prometheus-config-reloader")
}
Kubectl = Callable[..., Any]
MAY = (
    {"apiGroups": [""], "resources": ["nodes", "services", "endpoints", "pods"], "verbs": ["get", "list", "watch"]},
    {"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": ["get", "list", "watch"]},
    {"apiGroups": [""], "resources": ["nodes/metrics"], "verbs": ["get"]},
)
"""What the Prometheus of an operator is usually allowed everywhere."""


def bring_images() -> None:
    """Has the cluster's node hold the operator's images; a cluster that is not our own pulls them."""
    context = build_default_context()
    if is_running(context):
        make_images(context, IMAGES.values(), build_node_loader(build_cluster_layout(context)).load)


def define(kubectl: Kubectl) -> None:
    """Teaches the cluster the kinds that a stack writes."""
    _apply(kubectl, [dict(definition(kind)) for kind in DEFINED])
    names = [f"crd/{definition(kind)['metadata']['name']}" for kind in DEFINED]
    kubectl("wait", "--for=condition=Established", "--timeout=60s", *names)


def install(kubectl: Kubectl) -> None:
    """Starts the operator, and a Prometheus and an Alertmanager by it; returns before these are ready."""
    _apply(kubectl, [dict(definition(kind)) for kind in RUN_BY_IT])
    kubectl("wait", "--for=condition=Established", "--timeout=60s", f"crd/prometheuses.{GROUP}")
    _apply(kubectl, [*_accounts(), _deployment()])
    kubectl("rollout", "status", f"--namespace={HOME}", "deployment/prometheus-operator", "--timeout=120s")
    _apply(kubectl, [_prometheus(), _alertmanager()])


def remove(kubectl: Kubectl) -> None:
    """Takes everything away again that `define` and `install` made, the objects of others of these kinds included."""
    quiet: dict[str, Any] = {"check": False}
    kubectl("delete", "namespace", HOME, "--ignore-not-found", "--timeout=90s", **quiet)
    every = [definition(kind)["metadata"]["name"] for kind in (*DEFINED, *RUN_BY_IT)]
    kubectl("delete", "crd", *every, "--ignore-not-found", "--timeout=90s", **quiet)
    for name in ("prometheus-operator", "prometheus-of-operator"):
        kubectl("delete", "clusterrole,clusterrolebinding", name, "--ignore-not-found", **quiet)
    kubectl("delete", "service,endpoints", "kubelet", "--namespace=kube-system", "--ignore-not-found", **quiet)


def _apply(kubectl: Kubectl, items: list[dict[str, Any]]) -> None:
    document = {"apiVersion": "v1", "kind": "List", "items": items}
    kubectl("apply", "--server-side", "--force-conflicts", "--filename=-", document=document)


def _meta(name: str, **labels: str) -> dict[str, Any]:
    return {"name": name, "namespace": HOME, "labels": {"app.kubernetes.io/name": name, **labels}}


def _accounts() -> list[dict[str, Any]]:
    """Who the operator and its Prometheus are, and what they may do."""
    group = "rbac.authorization.k8s.io"
    everything = [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]
    found: list[dict[str, Any]] = [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": HOME}}]
    for name, rules in {"prometheus-operator": everything, "prometheus-of-operator": list(MAY)}.items():
        bound = {"kind": "ServiceAccount", "name": name, "namespace": HOME}
        role = {"apiGroup": group, "kind": "ClusterRole", "name": name}
        found += [
            {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": _meta(name)},
            {"apiVersion": f"{group}/v1", "kind": "ClusterRole", "metadata": {"name": name}, "rules": rules},
            {
                "apiVersion": f"{group}/v1", "kind": "ClusterRoleBinding", "metadata": {"name": name},
                "roleRef": role, "subjects": [bound],
            },
        ]  # fmt: skip
    return found


def _deployment() -> dict[str, Any]:
    """The operator. Flags: https://prometheus-operator.dev/docs/platform/operator/."""
    name = "prometheus-operator"
    labels = {"app.kubernetes.io/name": name}
    container = {
        "name": name,
        "image": IMAGES[name].reference,
        "args": [
            "--kubelet-service=kube-system/kubelet",
            f"--prometheus-config-reloader={IMAGES['prometheus-config-reloader'].reference}",
        ],
    }
    pod = {"metadata": {"labels": labels}, "spec": {"serviceAccountName": name, "containers": [container]}}
    spec = {"selector": {"matchLabels": labels}, "template": pod}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": _meta(name), "spec": spec}


def _chosen(*kinds: str) -> dict[str, Any]:
    """Selectors as the usual chart has them: by the label of its release, in every namespace."""
    by_label: Mapping[str, Any] = {"matchLabels": dict(OPERATOR.labels)}
    return {f"{kind}Selector": by_label for kind in kinds} | {f"{kind}NamespaceSelector": {} for kind in kinds}


def _prometheus() -> dict[str, Any]:
    image = load_images(ROOT)["prometheus"]
    spec = {
        "image": image.reference(None),
        "version": image.tag,
        "replicas": 1,
        "serviceAccountName": "prometheus-of-operator",
        "alerting": {"alertmanagers": [{"namespace": HOME, "name": "alertmanager-operated", "port": "web"}]},
        **_chosen("serviceMonitor", "podMonitor", "probe", "scrapeConfig", "rule"),
    }
    return {"apiVersion": f"{GROUP}/v1", "kind": "Prometheus", "metadata": _meta("main"), "spec": spec}


def _alertmanager() -> dict[str, Any]:
    image = load_images(ROOT)["alertmanager"]
    spec = {
        "image": image.reference(None),
        "version": image.tag,
        "replicas": 1,
        **_chosen("alertmanagerConfig"),
    }
    return {"apiVersion": f"{GROUP}/v1", "kind": "Alertmanager", "metadata": _meta("main"), "spec": spec}
