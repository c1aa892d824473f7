"""The container that delivers documents in every pod that has some, as plain data. See docs/adr/0008."""

from __future__ import annotations

import shlex
from pathlib import Path

from model.workload import MIB, ConfigDir, Workload, compute_digest
from targets.environment import build_reload_environment
from targets.kubernetes.shared import (
    INCOMING,
    SCRIPTS,
    SIDECAR,
    TOOLS,
    ClusterScope,
    Object,
    build_metadata,
    build_resources,
    build_secret_mount,
    build_security_context,
)

FOLLOW = Path(__file__).parents[1].joinpath("follow.sh")
DELIVER = Path(__file__).parents[1].joinpath("deliver.sh")


def build_scripts(scope: ClusterScope, namespace: str) -> Object:
    """The scripts of the delivering container."""
    files = {path.name: path.read_text(encoding="utf-8") for path in (FOLLOW, DELIVER)}
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": build_metadata(scope, "delivery", namespace),
        "data": files,
    }


def compute_restart_digest(scope: ClusterScope, workload: Workload) -> str:
    """Digest of the documents that are read only at start, and of what delivers them: its change replaces the pods."""
    scripts = [path.read_text(encoding="utf-8") for path in (FOLLOW, DELIVER)]
    return compute_digest([workload.config.compute_restart_digest(), scripts]) if workload.config else ""


def build_sidecar(scope: ClusterScope, workload: Workload, config: ConfigDir) -> Object:
    """The container that delivers documents, from the service's own image: so its own validator judges them.

    Source: https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/
    """
    secrets = [build_secret_mount()] if workload.secrets else []
    memory = max(64 * MIB, workload.limits.memory // 2)
    delivered = ["/tools/busybox", "test", "-e", "/config/..data"]
    return {
        "name": SIDECAR,
        "image": scope.build_reference(workload.image),
        "restartPolicy": "Always",
        "command": [f"{TOOLS}/busybox", "sh", f"{SCRIPTS}/follow.sh"],
        "env": [{"name": key, "value": value} for key, value in sorted(_build_environment(workload, config).items())],
        "resources": build_resources(memory, workload.limits.cpus, requested=16 * MIB),
        "securityContext": build_security_context(workload, main=False),
        # without a time of its own a probe has one second, which a busy node needs to start a process
        "startupProbe": {
            "exec": {"command": delivered},
            "periodSeconds": 1,
            "timeoutSeconds": 5,
            "failureThreshold": 60,
        },
        "volumeMounts": [
            {"name": "tools", "mountPath": TOOLS, "readOnly": True},
            {"name": "delivery", "mountPath": SCRIPTS, "readOnly": True},
            {"name": "incoming", "mountPath": INCOMING, "readOnly": True},
            {"name": "config", "mountPath": "/config"},
            {"name": "delivery-tmp", "mountPath": "/tmp"},  # noqa: S108 - inside the container
            *secrets,
        ],
    }


def _build_environment(workload: Workload, config: ConfigDir) -> dict[str, str]:
    """The environment of follow.sh and deliver.sh. It holds no secret."""
    values = {"NAME": workload.name, "HOST": "127.0.0.1"} | build_delivery_environment(config)
    return {key: value for key, value in values.items() if value}


def build_delivery_environment(config: ConfigDir) -> dict[str, str]:
    """What deliver.sh must know of a process: how it judges, takes and confirms its documents."""
    values: dict[str, str] = {}
    if config.validate:
        values["VALIDATE_TEMPLATE"] = shlex.join(config.validate)
        if config.validate_seconds:
            values["VALIDATE_SECONDS"] = str(config.validate_seconds)
            values["VALIDATE_MARKER"] = config.validate_marker
            values["VALIDATE_IGNORE"] = config.validate_ignore or ""
    if config.reload:
        values |= build_reload_environment(config.reload)
    return values
