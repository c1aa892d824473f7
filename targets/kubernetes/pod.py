"""The pod of a workload as plain data.

Format: https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/.
"""

from __future__ import annotations

from collections.abc import Iterator

from model.images import HELPER
from model.naming import LABEL, derive_user_id
from model.workload import MIB, HttpProbe, Workload
from targets.kubernetes.network import list_listening_ports
from targets.kubernetes.shared import (
    TOOLS,
    ClusterScope,
    Object,
    build_resources,
    build_secret_mount,
    build_security_context,
    build_selector,
)
from targets.kubernetes.sidecar import build_sidecar
from targets.kubernetes.storage import group_secret_files, name_claim, name_pod

POD_NAME = "statefulset.kubernetes.io/pod-name"
"""Label by which a cluster tells the pods of a StatefulSet apart.

Source: https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#pod-name-label
"""


def build_pod(scope: ClusterScope, workload: Workload) -> Object:
    """The pod's specification."""
    settings = scope.settings
    owner = derive_user_id(scope.stack, workload.user_of)
    root = workload.is_exempt("root-user")
    agent = workload.placement == "node-agent"
    identity = {"runAsNonRoot": True, "runAsUser": owner, "runAsGroup": owner}
    spec: Object = {
        "serviceAccountName": workload.name,
        "automountServiceAccountToken": bool(workload.access),
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": workload.stop_seconds,
        "securityContext": {
            **({"runAsUser": 0, "runAsGroup": 0} if root else identity),
            "fsGroup": owner,
            **({"supplementalGroups": sorted(set(workload.groups))} if workload.groups else {}),
            "fsGroupChangePolicy": "OnRootMismatch",
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "initContainers": list(_build_init_containers(scope, workload)),
        "containers": [_build_main_container(scope, workload)],
        "volumes": list(_build_volumes(scope, workload)),
    }
    if not agent and settings.node_selector:
        spec["nodeSelector"] = dict(settings.node_selector)
    if settings.tolerations:
        spec["tolerations"] = [t.model_dump(exclude_none=True) for t in settings.tolerations]
    if settings.priority_class:
        spec["priorityClassName"] = settings.priority_class
    if settings.image_pull_secrets:
        spec["imagePullSecrets"] = [{"name": name} for name in settings.image_pull_secrets]
    if workload.replicas > 1:
        spec |= _build_anti_affinity(scope, workload)
    if near := _build_affinity(scope, workload):
        spec["affinity"] = {**spec.get("affinity", {}), "podAffinity": near}
    return {key: value for key, value in spec.items() if value != []}


def _build_anti_affinity(scope: ClusterScope, workload: Workload) -> Object:
    """Instances of one workload go to different nodes and zones where there are several."""
    pods = {"labelSelector": {"matchLabels": build_selector(scope, workload.name)}}
    keys = ("kubernetes.io/hostname", "topology.kubernetes.io/zone")
    soft = [
        {"weight": 100, "podAffinityTerm": {**pods, "topologyKey": keys[0]}},
    ]
    return {
        "affinity": {"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": soft}},
        "topologySpreadConstraints": [
            {"maxSkew": 1, "topologyKey": key, "whenUnsatisfiable": "ScheduleAnyway", **pods} for key in keys
        ],
    }


def _build_affinity(scope: ClusterScope, workload: Workload) -> Object:
    """Whatever stands beside a workload goes to the node of its first instance, to which their volume is attached.

    A new instance of that one goes, where it can, to the node on which the volume still is: it would wait for ever on
    another one, as the volume is in use. Source:
    https://kubernetes.io/docs/concepts/storage/persistent-volumes/#access-modes
    """
    if workload.beside:
        first = {POD_NAME: name_pod(workload.beside), f"{LABEL}.stack": scope.stack}
        return {"requiredDuringSchedulingIgnoredDuringExecution": [_build_affinity_term(first)]}
    if workload.accompanied:
        term = _build_affinity_term({f"{LABEL}.beside": workload.name, f"{LABEL}.stack": scope.stack})
        # less than what keeps instances apart
        return {"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 50, "podAffinityTerm": term}]}
    return {}


def _build_affinity_term(labels: Object) -> Object:
    return {"labelSelector": {"matchLabels": labels}, "topologyKey": "kubernetes.io/hostname"}


def _build_init_containers(scope: ClusterScope, workload: Workload) -> Iterator[Object]:
    """Whatever runs before the process: a static busybox is fetched, then documents are delivered and followed."""
    yield {
        "name": "tools",
        "image": scope.build_reference(HELPER),
        "command": ["/bin/busybox", "cp", "/bin/busybox", f"{TOOLS}/busybox"],
        "resources": build_resources(32 * MIB, 0.1),
        "securityContext": build_security_context(workload, main=False),
        "volumeMounts": [{"name": "tools", "mountPath": TOOLS}],
    }
    if workload.config is not None:
        yield build_sidecar(scope, workload, workload.config)


def _build_main_container(scope: ClusterScope, workload: Workload) -> Object:
    container: Object = {
        "name": workload.name,
        "image": scope.build_reference(workload.image),
        "securityContext": build_security_context(workload, main=True),
        "resources": build_resources(workload.limits.memory, workload.limits.cpus),
        "volumeMounts": list(_build_mounts(workload)),
    }
    if workload.entrypoint:
        container["command"] = list(workload.entrypoint)
    if workload.args:
        container["args"] = list(workload.args)
    if env := [*_build_environment(workload)]:
        container["env"] = env
    if numbers := list_listening_ports(workload):
        named = {port.number: port.name for port in workload.ports}
        container["ports"] = [
            {"name": named.get(n, f"port-{n}"), "containerPort": n, "protocol": "TCP"} for n in numbers
        ]
    container |= _build_probes(workload)
    return container


def _build_environment(workload: Workload) -> Iterator[Object]:
    paths = {"node-name": "spec.nodeName", "instance-name": "metadata.name"}
    yield from ({"name": key, "value": value} for key, value in sorted(workload.env.items()))
    for key, what in sorted(workload.field_refs.items()):
        yield {"name": key, "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": paths[what]}}}


def _build_probes(workload: Workload) -> Object:
    """Started, ready and alive are one question; a slow start is not a death."""
    probe = workload.probe
    if probe is None:
        return {}
    check: Object
    if isinstance(probe, HttpProbe):
        check = {"httpGet": {"path": probe.path, "port": probe.port, "scheme": "HTTP"}}
    else:
        check = {"exec": {"command": list(probe.command)}}
    often = {"timeoutSeconds": probe.timeout, "periodSeconds": probe.interval}
    first = {"periodSeconds": 1, "timeoutSeconds": probe.timeout, "failureThreshold": max(probe.start_period, 60) + 30}
    return {
        "startupProbe": {**check, **first},
        "readinessProbe": {**check, **often, "failureThreshold": probe.retries},
        # Restarting what is only slow makes it worse, so life is given up later than readiness.
        "livenessProbe": {**check, **often, "failureThreshold": 2 * probe.retries},
    }


def _build_mounts(workload: Workload) -> Iterator[Object]:
    yield {"name": "tools", "mountPath": TOOLS, "readOnly": True}
    if workload.config:
        yield {"name": "config", "mountPath": workload.config.path, "readOnly": True}
    if workload.secrets:
        yield build_secret_mount()
    for volume in workload.volumes:
        yield {"name": volume.name, "mountPath": volume.path}
    for other in workload.shared_volumes:
        yield {"name": other.name, "mountPath": other.path, "readOnly": True}
    for number, mount in enumerate(workload.host_mounts):
        yield {"name": f"host-{number}", "mountPath": mount.path, "readOnly": not mount.writable}
    for number, path in enumerate(sorted(workload.tmpfs)):
        yield {"name": f"tmp-{number}", "mountPath": path}


def _build_volumes(scope: ClusterScope, workload: Workload) -> Iterator[Object]:
    yield {"name": "tools", "emptyDir": {"sizeLimit": "16Mi"}}
    if workload.config:
        yield {"name": "config", "emptyDir": {"sizeLimit": "256Mi"}}
        yield {"name": "delivery-tmp", "emptyDir": {"sizeLimit": "256Mi"}}
        yield {"name": "delivery", "configMap": {"name": "delivery", "defaultMode": 0o444}}
        yield {"name": "incoming", "configMap": {"name": f"{workload.name}-config", "defaultMode": 0o444}}
    if workload.secrets:
        sources = [{"secret": {"name": name}} for name in group_secret_files(workload)]
        yield {"name": "secrets", "projected": {"defaultMode": 0o440, "sources": sources}}
    if workload.placement == "node-agent":
        # what an agent remembers is about its node, so it stays there, where other agents of the node see it too
        for name in (each.name for volumes in (workload.volumes, workload.shared_volumes) for each in volumes):
            path = f"/var/lib/observability/{scope.namespace}/{name}"
            yield {"name": name, "hostPath": {"path": path, "type": "DirectoryOrCreate"}}
    elif workload.beside:
        for other in workload.shared_volumes:
            yield {"name": other.name, "persistentVolumeClaim": {"claimName": name_claim(other.name, workload.beside)}}
    for number, mount in enumerate(workload.host_mounts):
        kind = "DirectoryOrCreate" if mount.create else ""
        yield {"name": f"host-{number}", "hostPath": {"path": mount.source, "type": kind}}
    for number, _ in enumerate(workload.tmpfs):
        yield {"name": f"tmp-{number}", "emptyDir": {"medium": "Memory", "sizeLimit": "64Mi"}}
