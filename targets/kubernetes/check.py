"""What can be said of the Kubernetes target without a cluster and without its provider: addresses and refusals."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath

from model.naming import namespace
from model.settings import KubernetesSettings
from model.workload import SECRETS_DIR, Workload
from targets.kubernetes.shared import SIDECAR, SLASH

_LARGEST_VOLUME_NAME = 63


def address(stack: str, settings: KubernetesSettings, name: str, port: int) -> str:
    """`host:port` of a workload's Service, from any namespace of the cluster."""
    return f"{name}.{namespace(stack, settings)}.svc:{port}"


def check(workloads: Sequence[Workload]) -> list[str]:
    """What Kubernetes cannot express: files in each other's way, and views of the host in the restricted namespace."""
    found = []
    for workload in workloads:
        where = f"workload {workload.name!r}"
        if workload.name == SIDECAR:
            found.append(f"{where}: the name is taken by the container that delivers documents")
        found += [
            f"{where}: secret file {secret.path!r} must lie in {SECRETS_DIR}"
            for secret in workload.secrets
            if str(PurePosixPath(secret.path).parent) != SECRETS_DIR
        ]
        found += [
            f"{where}: document {path!r} must not have {SLASH!r} in its path"
            for path in (workload.config.files if workload.config else ())
            if SLASH in path
        ]
        found += _host_problems(where, workload)
        found += [
            f"{where}: port {port.number} cannot be published on a host here; leave `publish` out"
            for port in workload.ports
            if port.publish is not None
        ]
        if len({port.name for port in workload.ports}) < len(workload.ports):
            found.append(f"{where}: two ports have one name")
    return found


def _host_problems(where: str, workload: Workload) -> list[str]:
    found = []
    if workload.placement != "node-agent" and workload.host_mounts:
        found.append(f"{where}: only node-level agents see files of the host here")
    if workload.placement != "node-agent" and workload.exempt("root-user"):
        found.append(f"{where}: only node-level agents may run as root here")
    if workload.restart_with:
        found.append(f"{where}: is started anew with another workload, which nothing here does")
    if workload.exempt("docker-socket"):
        found.append(f"{where}: there is no Docker socket here")
    if workload.exempt("host-gateway"):
        found.append(f"{where}: reaches processes of the host by `onHost`; give their address instead")
    if workload.borrowed:
        names = ", ".join(volume.name for volume in workload.borrowed)
        found.append(f"{where}: borrows the volumes {names}, which one pod alone can mount here")
    return found
