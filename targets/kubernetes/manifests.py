"""Every object of a stack on Kubernetes as plain data: a Workload becomes a controller and what stands around it.

Pure functions: nothing here talks to a cluster or knows of Pulumi, so the same objects can be written to files,
validated and compared. Formats: https://kubernetes.io/docs/reference/kubernetes-api/.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from model.extra_objects import ExtraObject
from model.naming import LABEL, derive_agent_namespace
from model.workload import Workload
from targets.kubernetes.identity import roles, service_account
from targets.kubernetes.network import closed, ingress, policy, services
from targets.kubernetes.pod import pod
from targets.kubernetes.shared import ClusterScope, Object, controller, metadata, own, selector
from targets.kubernetes.sidecar import restart_digest, scripts
from targets.kubernetes.storage import claim, claims


def of_workload(scope: ClusterScope, workload: Workload) -> Iterator[Object]:
    """Every object of a workload but its ConfigMap and its Secret: what is registered, in this order."""
    yield service_account(scope, workload)
    yield policy(scope, workload)
    yield from roles(scope, workload)
    yield from services(scope, workload)
    if way_in := ingress(scope, workload):
        yield way_in
    if budget := disruption_budget(scope, workload):
        yield budget
    yield from (claim for _, claim in claims(scope, workload))
    yield workload_object(scope, workload)


def of_stack(scope: ClusterScope, workloads: Sequence[Workload]) -> Iterator[Object]:
    """Every object that belongs to no workload alone."""
    for home in namespaces(scope, workloads):
        yield home
        name = home["metadata"]["name"]
        yield scripts(scope, name)
        yield from closed(scope, name)


def extra_objects(scope: ClusterScope, item: ExtraObject) -> Object:
    """An object that somebody else reads. Where it refers to secrets, their Secret's name is still to be filled in."""
    meta = metadata(scope, item.name, scope.namespace, **item.labels)
    # nothing hangs on it, so it is gone as soon as it is deleted
    meta["annotations"] |= {"pulumi.com/deletionPropagationPolicy": "background", **item.annotations}
    return {"apiVersion": item.api, "kind": item.kind, "metadata": meta, **item.body}


def namespaces(scope: ClusterScope, workloads: Sequence[Workload]) -> Iterator[Object]:
    """The stack's namespace, and that of agents where there are any, each with its Pod Security level enforced.

    Source: https://kubernetes.io/docs/concepts/security/pod-security-standards/
    """
    for home, level in {scope.namespace: "restricted", derive_agent_namespace(scope.namespace): "privileged"}.items():
        if home == scope.namespace or any(scope.home(workload) == home for workload in workloads):
            labels = {f"pod-security.kubernetes.io/{mode}": level for mode in ("enforce", "audit", "warn")}
            yield {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata(scope, home, None, **labels)}


def disruption_budget(scope: ClusterScope, workload: Workload) -> Object | None:
    """At most one of several instances is taken away on purpose at a time."""
    if workload.replicas < 2 or workload.placement == "node-agent":
        return None
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": own(scope, workload),
        "spec": {"maxUnavailable": 1, "selector": {"matchLabels": selector(scope, workload.name)}},
    }


def workload_object(scope: ClusterScope, workload: Workload) -> Object:
    """The StatefulSet, Deployment or DaemonSet."""
    kind = controller(workload)
    spec: Object = {
        "selector": {"matchLabels": selector(scope, workload.name)},
        "template": {
            "metadata": {
                "labels": {
                    "app.kubernetes.io/name": workload.name,
                    **selector(scope, workload.name),
                    **workload.labels,
                    **scope.settings.labels,
                },
                "annotations": {
                    f"{LABEL}/restart-digest": restart_digest(scope, workload),
                    **scope.settings.annotations,
                },
            },
            "spec": pod(scope, workload),
        },
    }
    if kind != "DaemonSet":
        spec["replicas"] = workload.replicas
    if kind == "StatefulSet":
        spec |= {
            "serviceName": f"{workload.name}-pods",
            "podManagementPolicy": "Parallel",
            "volumeClaimTemplates": [
                {"metadata": {"name": volume.name}, **claim(scope, volume)} for volume in workload.volumes
            ],
        }
    if kind == "Deployment":
        spec["strategy"] = {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}}
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": own(scope, workload), "spec": spec}
