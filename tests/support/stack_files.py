"""Stack files that use every key that says where a stack runs."""

from __future__ import annotations

from typing import Any

DOCKER: dict[str, Any] = {
    "host": "ssh://ops@engine.example.com",
    "sshOptions": ["-i", "key"],
    "registryMirror": "mirror.example.com:5000",
    "registryLogins": [{"address": "ghcr.io", "username": "u", "passwordSecret": "ghcr-token"}],
    "bindAddress": "127.0.0.1",
    "externalNetworks": ["shop_default"],
    "socket": "/run/docker.sock",
    "dataRoot": "/srv/docker",
    "imageStore": "containerd",
    "swapLimit": False,
    "userNamespaces": True,
    "selinux": True,
    "logMaxSize": "50m",
    "logMaxFiles": 5,
}
KUBERNETES: dict[str, Any] = {
    "kubeconfig": "/home/ops/kubeconfig",
    "context": "production",
    "namespace": "watch",
    "storageClass": "fast",
    "registryMirror": "mirror.example.com:5000",
    "imagePullSecrets": ["registry-login"],
    "serviceType": "ClusterIP",
    "ingressClass": "traefik",
    "ingressAnnotations": {"cert-manager.io/cluster-issuer": "letsencrypt"},
    "ingressNamespace": "traefik",
    "tlsSecret": "monitoring-tls",
    "nodeSelector": {"disk": "ssd"},
    "tolerations": [{"key": "dedicated", "operator": "Equal", "value": "monitoring", "effect": "NoSchedule"}],
    "expectedNodes": 5,
    "expectedPods": 200,
    "priorityClass": "high",
    "labels": {"team": "ops"},
    "annotations": {"owner": "ops"},
}


def stack_file(target: str, **more: Any) -> dict[str, Any]:
    """The document of a stack on a target with every key of that target's section, and `more` settings by key."""
    section = {"docker": DOCKER, "kubernetes": KUBERNETES}[target]
    settings = {"system": "shop", "target": target, "baseUrl": "https://monitoring.example.com", target: section}
    secret = {"ghcr-token": {"secure": "v1:x"}} if target == "docker" else {}
    return {"config": {f"observability:{key}": value for key, value in {**settings, **secret, **more}.items()}}
