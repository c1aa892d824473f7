"""Every object of a stack on Kubernetes as plain data: a Workload becomes a controller and what stands around it.

Pure functions: nothing here talks to a cluster or knows of Pulumi, so the same objects can be written to files,
validated and compared. Formats: https://kubernetes.io/docs/reference/kubernetes-api/.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from model.extra_objects import ExtraObject
from model.naming import LABEL, derive_agent_namespace
from model.workload import Workload
from targets.kubernetes.identity import build_roles, build_service_account
from targets.kubernetes.network import build_default_deny, build_ingress, build_policy, build_services
from targets.kubernetes.pod import build_pod
from targets.kubernetes.shared import (
    ClusterScope,
    Object,
    build_metadata,
    build_selector,
    build_workload_metadata,
    find_controller_kind,
)
from targets.kubernetes.sidecar import build_scripts, compute_restart_digest
from targets.kubernetes.storage import build_claim, build_claims


def build_workload_objects(scope: ClusterScope, workload: Workload) -> Iterator[Object]:
    """Every object of a workload but its ConfigMap and its Secret: what is registered, in this order."""
    yield build_service_account(scope, workload)
    yield build_policy(scope, workload)
    yield from build_roles(scope, workload)
    yield from build_services(scope, workload)
    if way_in := build_ingress(scope, workload):
        yield way_in
    if budget := build_disruption_budget(scope, workload):
        yield budget
    yield from (claim for _, claim in build_claims(scope, workload))
    yield build_controller(scope, workload)


def describe_workload(workload: Workload) -> Object:
    """What no object of a workload says, for people: its secrets' files, which claims stay, and reasons.

    A secret file's `template` is the text around the secret, whose content never stands here; `reread` is whether
    pods that run read it again.
    """
    described = {
        "secrets": {
            file.path: {"secret": file.secret, "template": file.template, "reread": file.reread}
            for file in workload.secrets
        },
        "volumes": {volume.name: {"path": volume.path, "retain": volume.retain} for volume in workload.volumes},
        "hostMounts": {mount.path: mount.reason for mount in workload.host_mounts},
        "exemptions": {f"{item.rule} {item.value}".strip(): item.reason for item in workload.exemptions},
    }
    return {key: value for key, value in described.items() if value}


def build_stack_objects(scope: ClusterScope, workloads: Sequence[Workload]) -> Iterator[Object]:
    """Every object that belongs to no workload alone."""
    for namespace in build_namespaces(scope, workloads):
        yield namespace
        name = namespace["metadata"]["name"]
        yield build_scripts(scope, name)
        yield from build_default_deny(scope, name)


def build_extra_object(scope: ClusterScope, item: ExtraObject) -> Object:
    """An object that somebody else reads. Where it refers to secrets, their Secret's name is still to be filled in."""
    meta = build_metadata(scope, item.name, scope.namespace, **item.labels)
    # nothing hangs on it, so it is gone as soon as it is deleted
    meta["annotations"] |= {"pulumi.com/deletionPropagationPolicy": "background", **item.annotations}
    return {"apiVersion": item.api, "kind": item.kind, "metadata": meta, **item.body}


def build_namespaces(scope: ClusterScope, workloads: Sequence[Workload]) -> Iterator[Object]:
    """The stack's namespace, and that of agents where there are any, each with its Pod Security level enforced.

    Source: https://kubernetes.io/docs/concepts/security/pod-security-standards/
    """
    for namespace, level in {
        scope.namespace: "restricted",
        derive_agent_namespace(scope.namespace): "privileged",
    }.items():
        if namespace == scope.namespace or any(scope.find_namespace(workload) == namespace for workload in workloads):
            labels = {f"pod-security.kubernetes.io/{mode}": level for mode in ("enforce", "audit", "warn")}
            yield {
                "apiVersion": "v1",
                "kind": "Namespace",
                "metadata": build_metadata(scope, namespace, None, **labels),
            }


def build_disruption_budget(scope: ClusterScope, workload: Workload) -> Object | None:
    """At most one of several instances is taken away on purpose at a time."""
    if workload.replicas < 2 or workload.placement == "node-agent":
        return None
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": build_workload_metadata(scope, workload),
        "spec": {"maxUnavailable": 1, "selector": {"matchLabels": build_selector(scope, workload.name)}},
    }


def build_controller(scope: ClusterScope, workload: Workload) -> Object:
    """The StatefulSet, Deployment or DaemonSet."""
    kind = find_controller_kind(workload)
    spec: Object = {
        "selector": {"matchLabels": build_selector(scope, workload.name)},
        "template": {
            "metadata": {
                "labels": {
                    "app.kubernetes.io/name": workload.name,
                    **build_selector(scope, workload.name),
                    **({f"{LABEL}.beside": workload.beside} if workload.beside else {}),
                    **workload.labels,
                    **scope.settings.labels,
                },
                "annotations": {
                    f"{LABEL}/restart-digest": compute_restart_digest(scope, workload),
                    **scope.settings.annotations,
                },
            },
            "spec": build_pod(scope, workload),
        },
    }
    if kind != "DaemonSet":
        spec["replicas"] = workload.replicas
    if kind == "StatefulSet":
        spec |= {
            "serviceName": f"{workload.name}-pods",
            "podManagementPolicy": "Parallel",
            "volumeClaimTemplates": [
                {"metadata": {"name": volume.name}, **build_claim(scope, volume)} for volume in workload.volumes
            ],
        }
    if kind == "Deployment":
        spec["strategy"] = {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}}
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": build_workload_metadata(scope, workload), "spec": spec}
