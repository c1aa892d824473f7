"""What can be said of the Docker target without an engine and without its provider: what it cannot express."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

from model.workload import SECRETS_DIR, Workload
from targets.fields import Fields


def check(workloads: Sequence[Workload]) -> list[str]:
    """What Docker cannot express: what `FIELDS` refuses, and names that the target needs for its own containers and
    volumes.
    """
    return [*_check_names(workloads), *FIELDS.check(workloads)]


def _check_replicas(workload: Workload) -> Iterator[str]:
    if workload.replicas > 1:
        yield f"{workload.replicas} replicas need a cluster; use one on Docker"


def _check_access(workload: Workload) -> Iterator[str]:
    if workload.access:
        yield "asks a cluster for what only a cluster has: rights on its API"


def _check_platform_values(workload: Workload) -> Iterator[str]:
    if workload.field_refs:
        yield f"asks a cluster for what only a cluster has: {', '.join(sorted(set(workload.field_refs.values())))}"


def _check_secrets(workload: Workload) -> Iterator[str]:
    for secret in workload.secrets:
        if str(PurePosixPath(secret.path).parent) != SECRETS_DIR:
            yield f"secret file {secret.path!r} must lie in {SECRETS_DIR}"


def _check_arguments(workload: Workload) -> Iterator[str]:
    if not all((*workload.args, *workload.entrypoint)):
        yield "an argument is empty, which the Docker provider refuses"


def _check_host_mounts(workload: Workload) -> Iterator[str]:
    if workload.host_mounts and not (workload.is_exempt("host-mount") or workload.is_exempt("docker-socket")):
        yield "mounts paths of the host without declaring the exemption"


FIELDS = Fields(
    expressed=frozenset(
        {
            "name",
            "image",
            "limits",
            "args",
            "entrypoint",
            "env",
            "config",
            "secrets",
            "secrets.path",
            "ports",
            "volumes",
            "shared_volumes",
            "host_mounts",
            "tmpfs",
            "probe",
            "exemptions",
            "aliases",
            "restart_with",
            "stop_seconds",
            "egress",
            "groups",
            "beside",
        }
    ),
    refused={
        "replicas": _check_replicas,
        "access": _check_access,
        "field_refs": _check_platform_values,
        "secrets.path": _check_secrets,
        "args": _check_arguments,
        "host_mounts": _check_host_mounts,
    },
    idle={
        "after": "components are deployed in this order on every target",
        "placement": "an engine is one node, so one container is one on every node",
        "exposed": "ports that people use are those with `publish`",
        "host": "the engine opens ports and knows no names of hosts",
        "accompanied": "an engine is one node, and takes any number of containers to a volume",
        "labels": "containers are looked for by the stack's own labels",
        "ports.name": "a container's ports have numbers alone",
        "ports.udp": "in the stack's own network every port takes datagrams",
        "ports.outside": "`publish` is the port outside",
        "ports.inbound": "the networks of others that a workload joins decide it",
        "ports.yields": "the plan has decided by it which ports have `publish`",
        "volumes.size": "a volume of the local driver has the size of its disk",
        "host_mounts.reason": "it is for readers; the exemption's reason is a label",
    },
)
"""By the fields of `model.workload.Workload`."""


def _check_names(workloads: Sequence[Workload]) -> list[str]:
    """Workloads and data volumes that are called like something this target makes beside them."""
    containers = {"tools": "the health probes' client"}
    volumes = dict(containers)
    for workload in workloads:
        if workload.config or workload.volumes:
            documents = f"the documents of workload {workload.name!r}"
            containers[f"{workload.name}-configure"] = volumes[f"{workload.name}-config"] = documents
        if workload.secrets:
            secrets = f"the secrets of workload {workload.name!r}"
            containers[f"{workload.name}-secrets"] = volumes[f"{workload.name}-secrets"] = secrets
    return [
        *(
            f"workload {workload.name!r}: the name is taken by the container for {containers[workload.name]}"
            for workload in workloads
            if workload.name in containers
        ),
        *(
            f"workload {workload.name!r}: the name of its volume {volume.name!r} is taken by the one for "
            f"{volumes[volume.name]}"
            for workload in workloads
            for volume in workload.volumes
            if volume.name in volumes
        ),
    ]
