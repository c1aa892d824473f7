"""What can be said of the Kubernetes target without a cluster and without its provider: addresses and refusals."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

from model.naming import derive_namespace
from model.settings import KubernetesSettings
from model.workload import SECRETS_DIR, Workload
from targets.fields import Fields
from targets.kubernetes.shared import SIDECAR, SLASH


def build_address(stack: str, settings: KubernetesSettings, name: str, port: int) -> str:
    """`host:port` of a workload's Service, from any namespace of the cluster."""
    return f"{name}.{derive_namespace(stack, settings)}.svc:{port}"


def check(workloads: Sequence[Workload]) -> list[str]:
    """What Kubernetes cannot express: see `FIELDS`."""
    return FIELDS.check(workloads)


def _check_name(workload: Workload) -> Iterator[str]:
    if workload.name == SIDECAR:
        yield "the name is taken by the container that delivers documents"


def _check_secrets(workload: Workload) -> Iterator[str]:
    for secret in workload.secrets:
        if str(PurePosixPath(secret.path).parent) != SECRETS_DIR:
            yield f"secret file {secret.path!r} must lie in {SECRETS_DIR}"


def _check_files(workload: Workload) -> Iterator[str]:
    for path in workload.config.files if workload.config else ():
        if SLASH in path:
            yield f"document {path!r} must not have {SLASH!r} in its path"


def _check_host_mounts(workload: Workload) -> Iterator[str]:
    if workload.placement != "node-agent" and workload.host_mounts:
        yield "only node-level agents see files of the host here"


def _check_exemptions(workload: Workload) -> Iterator[str]:
    if workload.placement != "node-agent" and workload.is_exempt("root-user"):
        yield "only node-level agents may run as root here"
    if workload.is_exempt("docker-socket"):
        yield "there is no Docker socket here"
    if workload.is_exempt("host-gateway"):
        yield "reaches processes of the host by `onHost`; give their address instead"


def _check_restart_with(workload: Workload) -> Iterator[str]:
    if workload.restart_with:
        yield "is started anew with another workload, which nothing here does"


def _check_shared_volumes(workload: Workload) -> Iterator[str]:
    if workload.shared_volumes and workload.placement != "node-agent" and not workload.beside:
        names = ", ".join(volume.name for volume in workload.shared_volumes)
        yield f"borrows the volumes {names}, which one pod alone can mount here"


def _check_publish(workload: Workload) -> Iterator[str]:
    for port in workload.ports:
        if port.publish is not None:
            yield f"port {port.number} cannot be published on a host here; leave `publish` out"


def _check_port_names(workload: Workload) -> Iterator[str]:
    if len({port.name for port in workload.ports}) < len(workload.ports):
        yield "two ports have one name"


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
            "config.files",
            "secrets",
            "secrets.path",
            "ports",
            "ports.name",
            "volumes",
            "shared_volumes",
            "host_mounts",
            "tmpfs",
            "probe",
            "exemptions",
            "placement",
            "aliases",
            "stop_seconds",
            "replicas",
            "access",
            "field_refs",
            "egress",
            "exposed",
            "host",
            "labels",
            "groups",
            "beside",
            "accompanied",
        }
    ),
    refused={
        "name": _check_name,
        "secrets.path": _check_secrets,
        "config.files": _check_files,
        "host_mounts": _check_host_mounts,
        "exemptions": _check_exemptions,
        "restart_with": _check_restart_with,
        "shared_volumes": _check_shared_volumes,
        "ports.publish": _check_publish,
        "ports.name": _check_port_names,
    },
    idle={
        "after": "components are deployed in this order on every target",
        "limits.pids": "the kubelet has one limit for all pods of a node (podPidsLimit)",
        "ports.bind": "it is the address of `publish`, which is refused",
        "ports.yields": "it is about `publish`, which is refused",
    },
)
"""By the fields of `model.workload.Workload`."""
