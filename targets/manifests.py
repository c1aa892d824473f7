"""Kubernetes objects as plain data: a Workload becomes a controller and what stands around it.

Pure functions: nothing here talks to a cluster or knows of Pulumi, so the same objects can be written to files,
validated and compared. Formats: https://kubernetes.io/docs/reference/kubernetes-api/.
"""

from __future__ import annotations

import gzip
import io
import shlex
import tarfile
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from model.declared import Declared
from model.images import Image
from model.naming import LABEL, agents, namespace, user_id
from model.settings import KubernetesSettings
from model.workload import (
    SECRETS_DIR,
    Access,
    ConfigDir,
    DataVolume,
    HttpProbe,
    SecretFile,
    Workload,
    digest,
)
from targets.environment import reload_environment

Object = dict[str, Any]

MARK = ".mark"
"""A file beside the secrets that are read again: a text that is another one when one of them changes."""
FOLLOW = Path(__file__).with_name("follow.sh")
DELIVER = Path(__file__).with_name("deliver.sh")
TOOLS, INCOMING, SCRIPTS = "/tools", "/incoming", "/delivery"
SIDECAR = "configure"
"""Name of the container that delivers documents, in every pod that has some."""
REVISION_KEY = ".revision"
ARCHIVE_KEY = ".documents.tar.gz"
SLASH = "__"
"""Stands for the slash in a document's path, as keys of a ConfigMap may not have one."""
LARGEST = 900_000
"""Bytes of documents that a ConfigMap takes as text; it may hold 1 MiB in all, so more than this goes in packed."""
_MIB = 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where objects go: the stack's name, its two namespaces, images and the target's settings.

    `neighbours` are namespaces of others whose pods and the stack's may connect to each other.
    """

    stack: str
    settings: KubernetesSettings
    images: Mapping[str, Image]
    neighbours: tuple[str, ...] = ()

    @property
    def namespace(self) -> str:
        """The namespace of all that is no node-level agent."""
        return namespace(self.stack, self.settings)

    def home(self, workload: Workload) -> str:
        """The namespace of a workload."""
        return agents(self.namespace) if workload.placement == "node-agent" else self.namespace

    def image(self, name: str) -> str:
        """The reference to pull."""
        return self.images[name].reference(self.settings.registry_mirror)


# -- what every object carries ---------------------------------------------------------------------------------------


def selector(place: Place, workload: str) -> dict[str, str]:
    """The labels by which a workload's pods are found; they never change."""
    return {f"{LABEL}.stack": place.stack, f"{LABEL}.workload": workload}


def metadata(place: Place, name: str, home: str | None, **labels: str) -> Object:
    """Name, namespace, labels and annotations. Objects that exist already and carry the stack's label are written to;
    those of others are refused before (see `targets.ownership`).
    """
    return {
        "name": name,
        **({"namespace": home} if home else {}),
        "labels": {
            "app.kubernetes.io/managed-by": "pulumi",
            "app.kubernetes.io/part-of": "observability",
            f"{LABEL}.stack": place.stack,
            **labels,
            **place.settings.labels,
        },
        "annotations": {"pulumi.com/patchForce": "true", **place.settings.annotations},
    }


def _own(place: Place, workload: Workload, suffix: str = "") -> Object:
    return metadata(
        place,
        workload.name + suffix,
        place.home(workload),
        **{"app.kubernetes.io/name": workload.name, **selector(place, workload.name), **workload.labels},
    )


# -- all of a stack --------------------------------------------------------------------------------------------------


def of_workload(place: Place, workload: Workload) -> Iterator[Object]:
    """Every object of a workload but its ConfigMap and its Secret: what is registered, in this order."""
    yield service_account(place, workload)
    yield policy(place, workload)
    yield from roles(place, workload)
    yield from services(place, workload)
    if way_in := ingress(place, workload):
        yield way_in
    if budget := disruption_budget(place, workload):
        yield budget
    yield from (claim for _, claim in claims(place, workload))
    yield workload_object(place, workload)


def of_stack(place: Place, workloads: Sequence[Workload]) -> Iterator[Object]:
    """Every object that belongs to no workload alone."""
    for home in namespaces(place, workloads):
        yield home
        name = home["metadata"]["name"]
        yield scripts(place, name)
        yield from closed(place, name)


def declared(place: Place, item: Declared) -> Object:
    """An object that somebody else reads. Where it refers to secrets, their Secret's name is still to be filled in."""
    meta = metadata(place, item.name, place.namespace, **item.labels)
    # nothing hangs on it, so it is gone as soon as it is deleted
    meta["annotations"] |= {"pulumi.com/deletionPropagationPolicy": "background", **item.annotations}
    return {"apiVersion": item.api, "kind": item.kind, "metadata": meta, **item.body}


# -- shared objects --------------------------------------------------------------------------------------------------


def namespaces(place: Place, workloads: Sequence[Workload]) -> Iterator[Object]:
    """The stack's namespace, and that of agents where there are any, each with its Pod Security level enforced.

    Source: https://kubernetes.io/docs/concepts/security/pod-security-standards/
    """
    for home, level in {place.namespace: "restricted", agents(place.namespace): "privileged"}.items():
        if home == place.namespace or any(place.home(workload) == home for workload in workloads):
            labels = {f"pod-security.kubernetes.io/{mode}": level for mode in ("enforce", "audit", "warn")}
            yield {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata(place, home, None, **labels)}


def scripts(place: Place, home: str) -> Object:
    """The scripts of the delivering container."""
    files = {path.name: path.read_text(encoding="utf-8") for path in (FOLLOW, DELIVER)}
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": metadata(place, "delivery", home),
        "data": files,
    }


def closed(place: Place, home: str) -> Iterator[Object]:
    """Nothing is let in or out of a namespace unless a workload's own policy says so, save questions to DNS."""
    policy = {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy"}
    both = ["Ingress", "Egress"]
    yield {**policy, "metadata": metadata(place, "deny-all", home), "spec": {"podSelector": {}, "policyTypes": both}}
    names = [{"port": 53, "protocol": protocol} for protocol in ("UDP", "TCP")]
    yield {
        **policy,
        "metadata": metadata(place, "allow-dns", home),
        "spec": {"podSelector": {}, "policyTypes": ["Egress"], "egress": [{"ports": names}]},
    }


# -- a workload's objects --------------------------------------------------------------------------------------------


def policy(place: Place, workload: Workload) -> Object:
    """The stack's own pods and its neighbours' may connect to a workload's ports, people to the edge's; out it goes as
    far as declared.
    """
    ours = [_namespace(home) for home in (place.namespace, agents(place.namespace), *place.neighbours)]
    datagrams = [{"port": port.number, "protocol": "UDP"} for port in workload.ports if port.udp]
    heard = [{"from": ours, "ports": [*_ports(listening(workload)), *datagrams]}] if listening(workload) else []
    if workload.edge:
        given = place.settings.ingress_namespace
        by = {"from": [_namespace(given)]} if given else {}
        heard.append({**by, "ports": _ports([port.number for port in workload.ports])})
    anywhere = workload.egress == "anywhere" or bool(workload.access)
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": _own(place, workload),
        "spec": {
            "podSelector": {"matchLabels": selector(place, workload.name)},
            "policyTypes": ["Ingress", "Egress"],
            "ingress": heard,
            "egress": [{}] if anywhere else [{"to": ours}],
        },
    }


def _namespace(name: str) -> Object:
    return {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": name}}}


def _ports(numbers: Sequence[int]) -> list[Object]:
    return [{"port": number, "protocol": "TCP"} for number in numbers]


def ingress(place: Place, workload: Workload) -> Object | None:
    """What leads people from the edge's host to it, by a controller that is in the cluster already.

    Source: https://kubernetes.io/docs/concepts/services-networking/ingress/
    """
    settings = place.settings
    if not (workload.edge and settings.ingress_class and workload.ports):
        return None
    backend = {"service": {"name": workload.name, "port": {"number": workload.ports[0].number}}}
    rule = {"host": workload.host, "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]}}
    spec: Object = {"ingressClassName": settings.ingress_class, "rules": [rule]}
    if settings.tls_secret:
        spec["tls"] = [{"hosts": [workload.host], "secretName": settings.tls_secret}]
    meta = _own(place, workload)
    # not every controller says when it is done, so that waiting for it could last for ever
    meta["annotations"] |= {"pulumi.com/skipAwait": "true", **settings.ingress_annotations}
    return {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": meta, "spec": spec}


def listening(workload: Workload) -> list[int]:
    """Every TCP port on which something is expected to answer."""
    probed = [workload.probe.port] if isinstance(workload.probe, HttpProbe) else []
    reloaded = [workload.config.reload.port] if workload.config and workload.config.reload else []
    return sorted({*(port.number for port in workload.ports), *probed, *reloaded})


def service_account(place: Place, workload: Workload) -> Object:
    """An identity of its own; its token is in the pod only if it may ask the API for something."""
    return {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": _own(place, workload),
        "automountServiceAccountToken": False,
    }


def roles(place: Place, workload: Workload) -> Iterator[Object]:
    """A role and its binding for each scope: cluster-wide, and one for each namespace."""
    scopes: dict[str, list[Access]] = {}
    for access in workload.access:
        for where in access.namespaces or ("",):
            scopes.setdefault(where, []).append(access)
    for where, wanted in scopes.items():
        kind = "Role" if where else "ClusterRole"
        name = f"{place.namespace}-{workload.name}"
        meta = metadata(place, name, where or None, **selector(place, workload.name))
        group = "rbac.authorization.k8s.io"
        rules = [{"apiGroups": list(a.groups), "resources": list(a.resources), "verbs": list(a.verbs)} for a in wanted]
        yield {"apiVersion": f"{group}/v1", "kind": kind, "metadata": meta, "rules": rules}
        yield {
            "apiVersion": f"{group}/v1",
            "kind": f"{kind}Binding",
            "metadata": meta,
            "roleRef": {"apiGroup": group, "kind": kind, "name": name},
            "subjects": [{"kind": "ServiceAccount", "name": workload.name, "namespace": place.home(workload)}],
        }


def config_map(place: Place, workload: Workload) -> Object | None:
    """A workload's documents, slashes in their names replaced; packed into one archive where they are too large."""
    config = workload.config
    if config is None:
        return None
    held: Object = {"data": {path.replace("/", SLASH): text for path, text in sorted(config.files.items())}}
    if sum(len(text.encode()) for text in config.files.values()) > LARGEST:
        held = {"data": {}, "binaryData": {ARCHIVE_KEY: b64encode(archive(config.files)).decode()}}
    held["data"][REVISION_KEY] = config.revision()
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": _own(place, workload, "-config"), **held}


def archive(files: Mapping[str, str]) -> bytes:
    """The files as a tar.gz, the same bytes for the same content."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as tar:
        for path, text in sorted(files.items()):
            content = text.encode()
            entry = tarfile.TarInfo(path)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return gzip.compress(raw.getvalue(), mtime=0)


def claims(place: Place, workload: Workload) -> Iterator[tuple[DataVolume, Object]]:
    """A claim for each data volume of each instance, named as the StatefulSet looks for it, so that it can grow."""
    for volume in workload.volumes if controller(workload) == "StatefulSet" else ():
        for number in range(workload.replicas):
            name = f"{volume.name}-{workload.name}-{number}"
            meta = metadata(place, name, place.home(workload), **selector(place, workload.name))
            yield (
                volume,
                {**_claim(place, volume), "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": meta},
            )


def _claim(place: Place, volume: DataVolume) -> Object:
    chosen = place.settings.storage_class
    return {
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": quantity(volume.size)}},
            **({"storageClassName": chosen} if chosen else {}),
        }
    }


def quantity(size: int) -> str:
    """Bytes in the notation that the API gives back."""
    units = (("Gi", 1024**3), ("Mi", _MIB), ("Ki", 1024))
    return next((f"{size // factor}{unit}" for unit, factor in units if size % factor == 0), str(size))


def services(place: Place, workload: Workload) -> Iterator[Object]:
    """A Service under each of the workload's names, and a headless one that gives every instance a name of its own.

    That of the edge, which may be open to the world, has the ports that are meant for people and no other one.
    """
    numbers = [port.number for port in workload.ports] if workload.edge else listening(workload)
    if not numbers:
        return
    named = {port.number: port.name for port in workload.ports}
    outside = {port.number: port.outside or port.number for port in workload.ports}
    ports = [
        {"name": named.get(n, f"port-{n}"), "port": outside.get(n, n), "targetPort": n, "protocol": "TCP"}
        for n in numbers
    ]
    pods = selector(place, workload.name)
    for name in (workload.name, *workload.aliases):
        meta = _own(place, workload) | {"name": name}
        kind = place.settings.service_type if workload.edge else "ClusterIP"
        yield _service(meta, {"type": kind, "selector": pods, "ports": ports})
    if controller(workload) == "StatefulSet":
        headless = {"clusterIP": "None", "publishNotReadyAddresses": True, "selector": pods, "ports": ports}
        yield _service(_own(place, workload, "-pods"), headless)


def _service(meta: Object, spec: Object) -> Object:
    # its endpoints come with the pods, for which there is a wait already
    meta = {**meta, "annotations": {**meta["annotations"], "pulumi.com/skipAwait": "true"}}
    return {"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": spec}


def disruption_budget(place: Place, workload: Workload) -> Object | None:
    """At most one of several instances is taken away on purpose at a time."""
    if workload.replicas < 2 or workload.placement == "node-agent":
        return None
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": _own(place, workload),
        "spec": {"maxUnavailable": 1, "selector": {"matchLabels": selector(place, workload.name)}},
    }


def controller(workload: Workload) -> str:
    """The kind of the object that keeps the pods running."""
    if workload.placement == "node-agent":
        return "DaemonSet"
    return "StatefulSet" if workload.volumes else "Deployment"


def generation(place: Place, workload: Workload) -> str:
    """Digest of the documents that are read only at start, and of what delivers them: its change replaces the pods."""
    scripts = [path.read_text(encoding="utf-8") for path in (FOLLOW, DELIVER)]
    return digest([workload.config.restart_digest(), scripts]) if workload.config else ""


def workload_object(place: Place, workload: Workload) -> Object:
    """The StatefulSet, Deployment or DaemonSet."""
    kind = controller(workload)
    spec: Object = {
        "selector": {"matchLabels": selector(place, workload.name)},
        "template": {
            "metadata": {
                "labels": {
                    "app.kubernetes.io/name": workload.name,
                    **selector(place, workload.name),
                    **workload.labels,
                    **place.settings.labels,
                },
                "annotations": {f"{LABEL}/generation": generation(place, workload), **place.settings.annotations},
            },
            "spec": pod(place, workload),
        },
    }
    if kind != "DaemonSet":
        spec["replicas"] = workload.replicas
    if kind == "StatefulSet":
        spec |= {
            "serviceName": f"{workload.name}-pods",
            "podManagementPolicy": "Parallel",
            "volumeClaimTemplates": [
                {"metadata": {"name": volume.name}, **_claim(place, volume)} for volume in workload.volumes
            ],
        }
    if kind == "Deployment":
        spec["strategy"] = {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}}
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": _own(place, workload), "spec": spec}


# -- the pod ---------------------------------------------------------------------------------------------------------


def pod(place: Place, workload: Workload) -> Object:
    """The pod's specification."""
    settings = place.settings
    owner = user_id(place.stack, workload.name)
    root = workload.exempt("root-user")
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
        "initContainers": list(_first_containers(place, workload)),
        "containers": [_main(place, workload)],
        "volumes": list(_volumes(place, workload)),
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
        spec |= _apart(place, workload)
    return {key: value for key, value in spec.items() if value != []}


def _apart(place: Place, workload: Workload) -> Object:
    """Instances of one workload go to different nodes and zones where there are several."""
    pods = {"labelSelector": {"matchLabels": selector(place, workload.name)}}
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


def _hardened(workload: Workload, *, main: bool) -> Object:
    capabilities: Object = {"drop": ["ALL"]}
    if main and workload.capabilities():
        capabilities["add"] = list(workload.capabilities())
    return {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": not (main and workload.exempt("writable-root")),
        "capabilities": capabilities,
    }


def _first_containers(place: Place, workload: Workload) -> Iterator[Object]:
    """Whatever runs before the process: a static busybox is fetched, then documents are delivered and followed."""
    yield {
        "name": "tools",
        "image": place.image("busybox"),
        "command": ["/bin/busybox", "cp", "/bin/busybox", f"{TOOLS}/busybox"],
        "resources": _resources(32 * _MIB, 0.1),
        "securityContext": _hardened(workload, main=False),
        "volumeMounts": [{"name": "tools", "mountPath": TOOLS}],
    }
    if workload.config is not None:
        yield _sidecar(place, workload, workload.config)


def _sidecar(place: Place, workload: Workload, config: ConfigDir) -> Object:
    """The container that delivers documents, from the service's own image: so its own validator judges them.

    Source: https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/
    """
    secrets = [_secret_mount()] if workload.secrets else []
    memory = max(64 * _MIB, workload.limits.memory // 2)
    delivered = ["/tools/busybox", "test", "-e", "/config/..data"]
    return {
        "name": SIDECAR,
        "image": place.image(workload.image),
        "restartPolicy": "Always",
        "command": [f"{TOOLS}/busybox", "sh", f"{SCRIPTS}/follow.sh"],
        "env": [{"name": key, "value": value} for key, value in sorted(_delivery(workload, config).items())],
        "resources": _resources(memory, workload.limits.cpus, requested=16 * _MIB),
        "securityContext": _hardened(workload, main=False),
        "startupProbe": {"exec": {"command": delivered}, "periodSeconds": 1, "failureThreshold": 60},
        "volumeMounts": [
            {"name": "tools", "mountPath": TOOLS, "readOnly": True},
            {"name": "delivery", "mountPath": SCRIPTS, "readOnly": True},
            {"name": "incoming", "mountPath": INCOMING, "readOnly": True},
            {"name": "config", "mountPath": "/config"},
            {"name": "delivery-tmp", "mountPath": "/tmp"},  # noqa: S108 - inside the container
            *secrets,
        ],
    }


def _delivery(workload: Workload, config: ConfigDir) -> dict[str, str]:
    """The environment of follow.sh and deliver.sh. It holds no secret."""
    values = {"NAME": workload.name, "HOST": "127.0.0.1"} | delivery_environment(config)
    return {key: value for key, value in values.items() if value}


def delivery_environment(config: ConfigDir) -> dict[str, str]:
    """What deliver.sh must know of a process: how it judges, takes and confirms its documents."""
    values: dict[str, str] = {}
    if config.validate:
        values["VALIDATE_TEMPLATE"] = shlex.join(config.validate)
        if config.validate_seconds:
            values["VALIDATE_SECONDS"] = str(config.validate_seconds)
            values["VALIDATE_MARKER"] = config.validate_marker
            values["VALIDATE_IGNORE"] = config.validate_ignore or ""
    if config.reload:
        values |= reload_environment(config.reload)
    return values


def _main(place: Place, workload: Workload) -> Object:
    container: Object = {
        "name": workload.name,
        "image": place.image(workload.image),
        "securityContext": _hardened(workload, main=True),
        "resources": _resources(workload.limits.memory, workload.limits.cpus),
        "volumeMounts": list(_mounts(workload)),
    }
    if workload.entrypoint:
        container["command"] = list(workload.entrypoint)
    if workload.args:
        container["args"] = list(workload.args)
    if env := [*_environment(workload)]:
        container["env"] = env
    if numbers := listening(workload):
        named = {port.number: port.name for port in workload.ports}
        container["ports"] = [
            {"name": named.get(n, f"port-{n}"), "containerPort": n, "protocol": "TCP"} for n in numbers
        ]
    container |= _probes(workload)
    return container


def _environment(workload: Workload) -> Iterator[Object]:
    paths = {"node-name": "spec.nodeName", "instance-name": "metadata.name"}
    yield from ({"name": key, "value": value} for key, value in sorted(workload.env.items()))
    for key, what in sorted(workload.told.items()):
        yield {"name": key, "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": paths[what]}}}


def _probes(workload: Workload) -> Object:
    """Started, ready and alive are one question; a slow start is not a death."""
    probe = workload.probe
    if probe is None:
        return {}
    asked: Object
    if isinstance(probe, HttpProbe):
        asked = {"httpGet": {"path": probe.path, "port": probe.port, "scheme": "HTTP"}}
    else:
        asked = {"exec": {"command": list(probe.command)}}
    often = {"timeoutSeconds": probe.timeout, "periodSeconds": probe.interval}
    first = {"periodSeconds": 1, "timeoutSeconds": probe.timeout, "failureThreshold": max(probe.start_period, 60) + 30}
    return {
        "startupProbe": {**asked, **first},
        "readinessProbe": {**asked, **often, "failureThreshold": probe.retries},
        # Restarting what is only slow makes it worse, so life is given up later than readiness.
        "livenessProbe": {**asked, **often, "failureThreshold": 2 * probe.retries},
    }


def _resources(memory: int, cpus: float, requested: int | None = None) -> Object:
    """Limits as declared; half of the memory and a twentieth of the CPU is set aside for it."""
    wanted = requested if requested is not None else max(memory // 2, 16 * _MIB)
    return {
        "limits": {"memory": quantity(memory), "cpu": millis(cpus)},
        "requests": {"memory": quantity(wanted), "cpu": millis(0.01 if requested else max(cpus / 20, 0.01))},
    }


def millis(cpus: float) -> str:
    """Cores in the notation that the API gives back: 0.5 is 500m, 2.0 is 2."""
    return str(int(cpus)) if cpus == int(cpus) else f"{round(cpus * 1000)}m"


def secret_files(workload: Workload) -> dict[str, tuple[SecretFile, ...]]:
    """A workload's secret files by the name of their Secret: those of new pods, and those that running ones read again.

    The former never changes: new content is another Secret, with a random end to its name.
    """
    found = {secret_name(workload, again=again): workload.secrets_read(again=again) for again in (False, True)}
    return {name: files for name, files in found.items() if files}


def secret_name(workload: Workload, *, again: bool) -> str:
    """The name of the Secret with the files that running pods read again, or the begin of the other one's."""
    return f"{workload.name}-{'reread' if again else 'secrets'}"


def _secret_mount() -> Object:
    return {"name": "secrets", "mountPath": SECRETS_DIR, "readOnly": True}


def _mounts(workload: Workload) -> Iterator[Object]:
    yield {"name": "tools", "mountPath": TOOLS, "readOnly": True}
    if workload.config:
        yield {"name": "config", "mountPath": workload.config.path, "readOnly": True}
    if workload.secrets:
        yield _secret_mount()
    for volume in workload.volumes:
        yield {"name": volume.name, "mountPath": volume.path}
    for number, mount in enumerate(workload.host_mounts):
        yield {"name": f"host-{number}", "mountPath": mount.path, "readOnly": True}
    for number, path in enumerate(sorted(workload.tmpfs)):
        yield {"name": f"tmp-{number}", "mountPath": path}


def _volumes(place: Place, workload: Workload) -> Iterator[Object]:
    yield {"name": "tools", "emptyDir": {"sizeLimit": "16Mi"}}
    if workload.config:
        yield {"name": "config", "emptyDir": {"sizeLimit": "256Mi"}}
        yield {"name": "delivery-tmp", "emptyDir": {"sizeLimit": "256Mi"}}
        yield {"name": "delivery", "configMap": {"name": "delivery", "defaultMode": 0o444}}
        yield {"name": "incoming", "configMap": {"name": f"{workload.name}-config", "defaultMode": 0o444}}
    if workload.secrets:
        sources = [{"secret": {"name": name}} for name in secret_files(workload)]
        yield {"name": "secrets", "projected": {"defaultMode": 0o440, "sources": sources}}
    if workload.placement == "node-agent":
        for volume in workload.volumes:  # what an agent remembers is about its node, so it stays there
            path = f"/var/lib/observability/{place.namespace}/{volume.name}"
            yield {"name": volume.name, "hostPath": {"path": path, "type": "DirectoryOrCreate"}}
    for number, mount in enumerate(workload.host_mounts):
        kind = "DirectoryOrCreate" if mount.create else ""
        yield {"name": f"host-{number}", "hostPath": {"path": mount.source, "type": kind}}
    for number, _ in enumerate(workload.tmpfs):
        yield {"name": f"tmp-{number}", "emptyDir": {"medium": "Memory", "sizeLimit": "64Mi"}}
