"""Pods of the tests' own, beside a stack's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from toolchain.images import select_images

IMAGES = select_images("kubernetes")


def pod(name: str, image: str, *command: str, args: Sequence[str] = (), **spec: Any) -> dict[str, Any]:
    """A pod that the strictest Pod Security level admits."""
    security = {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": True,
        "runAsNonRoot": True,
        "runAsUser": 10000,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    mounts = [{"name": v["name"], "mountPath": f"/{v['name']}"} for v in spec.get("volumes", [])]
    container = {
        "name": "main",
        "image": IMAGES[image].reference.removeprefix("docker.io/"),
        "imagePullPolicy": "IfNotPresent",
        "securityContext": security,
        "volumeMounts": mounts,
        **({"command": list(command)} if command else {}),
        **({"args": args} if args else {}),
    }
    meta = {"name": name, "labels": {"app": name}}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": {"containers": [container], **spec}}


def web(name: str, text: str, port: int) -> dict[str, Any]:
    """A pod that answers every request with a text."""
    serve = f"echo {text} > /www/index.html; exec httpd -f -p {port} -h /www"
    return pod(name, "busybox", "sh", "-c", serve, volumes=[{"name": "www", "emptyDir": {}}])
