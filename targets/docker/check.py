"""What can be said of the Docker target without an engine and without its provider: what it cannot express."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath

from model.workload import SECRETS_DIR, Workload


def check(workloads: Sequence[Workload]) -> list[str]:
    """What Docker cannot express: secrets outside their one directory, paths of the host that are not declared, and
    names that the target needs for its own containers and volumes.
    """
    found = _taken_names(workloads)
    for workload in workloads:
        if workload.replicas > 1:
            found.append(f"workload {workload.name!r}: {workload.replicas} replicas need a cluster; use one on Docker")
        for secret in workload.secrets:
            if str(PurePosixPath(secret.path).parent) != SECRETS_DIR:
                found.append(f"workload {workload.name!r}: secret file {secret.path!r} must lie in {SECRETS_DIR}")
        if workload.access or workload.told:
            found.append(f"workload {workload.name!r}: asks a cluster for what only a cluster has")
        if not all((*workload.args, *workload.entrypoint)):
            found.append(f"workload {workload.name!r}: an argument is empty, which the Docker provider refuses")
        if workload.host_mounts and not (workload.exempt("host-mount") or workload.exempt("docker-socket")):
            found.append(f"workload {workload.name!r}: mounts paths of the host without declaring the exemption")
    return found


def _taken_names(workloads: Sequence[Workload]) -> list[str]:
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
