"""What all objects of a stack share on a cluster: names, labels, hardening and quantities.

Pure: nothing here talks to a cluster or knows of Pulumi.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from model.images import Image
from model.naming import LABEL, derive_agent_namespace, derive_namespace
from model.settings import KubernetesSettings
from model.workload import MIB, SECRETS_DIR, Workload

Object = dict[str, Any]
TOOLS, INCOMING, SCRIPTS = "/tools", "/incoming", "/delivery"
SIDECAR = "configure"
"""Name of the container that delivers documents, in every pod that has some."""
SLASH = "__"
"""Stands for the slash in a document's path, as keys of a ConfigMap may not have one."""


@dataclass(frozen=True, kw_only=True)
class ClusterScope:
    """Where objects go: the stack's name, its two namespaces, images and the target's settings.

    `allowed_namespaces` are namespaces of others whose pods and the stack's may connect to each other.
    """

    stack: str
    settings: KubernetesSettings
    images: Mapping[str, Image]
    allowed_namespaces: tuple[str, ...] = ()

    @property
    def namespace(self) -> str:
        """The namespace of all that is no node-level agent."""
        return derive_namespace(self.stack, self.settings)

    def find_namespace(self, workload: Workload) -> str:
        """The namespace of a workload."""
        return derive_agent_namespace(self.namespace) if workload.placement == "node-agent" else self.namespace

    def build_reference(self, name: str) -> str:
        """The reference to pull."""
        return self.images[name].reference(self.settings.registry_mirror)


def build_selector(scope: ClusterScope, workload: str) -> dict[str, str]:
    """The labels by which a workload's pods are found; they never change."""
    return {f"{LABEL}.stack": scope.stack, f"{LABEL}.workload": workload}


def build_metadata(scope: ClusterScope, name: str, namespace: str | None, **labels: str) -> Object:
    """Name, namespace, labels and annotations. Objects that exist already and carry the stack's label are written to;
    those of others are refused before (see `targets.kubernetes.ownership`).
    """
    return {
        "name": name,
        **({"namespace": namespace} if namespace else {}),
        "labels": {
            "app.kubernetes.io/managed-by": "pulumi",
            "app.kubernetes.io/part-of": "observability",
            f"{LABEL}.stack": scope.stack,
            **labels,
            **scope.settings.labels,
        },
        "annotations": {"pulumi.com/patchForce": "true", **scope.settings.annotations},
    }


def build_workload_metadata(scope: ClusterScope, workload: Workload, suffix: str = "") -> Object:
    """The metadata of an object of a workload."""
    return build_metadata(
        scope,
        workload.name + suffix,
        scope.find_namespace(workload),
        **{"app.kubernetes.io/name": workload.name, **build_selector(scope, workload.name), **workload.labels},
    )


def find_controller_kind(workload: Workload) -> str:
    """The kind of the object that keeps the pods running."""
    if workload.placement == "node-agent":
        return "DaemonSet"
    return "StatefulSet" if workload.volumes else "Deployment"


def build_security_context(workload: Workload, *, main: bool) -> Object:
    """What a container may do; only the `main` one of a workload has its declared exceptions."""
    capabilities: Object = {"drop": ["ALL"]}
    if main and workload.list_capabilities():
        capabilities["add"] = list(workload.list_capabilities())
    return {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": not (main and workload.is_exempt("writable-root")),
        "capabilities": capabilities,
    }


def build_resources(memory: int, cpus: float, requested: int | None = None) -> Object:
    """Limits as declared; half of the memory and a twentieth of the CPU is set aside for it."""
    request = requested if requested is not None else max(memory // 2, 16 * MIB)
    return {
        "limits": {"memory": format_quantity(memory), "cpu": format_millis(cpus)},
        "requests": {
            "memory": format_quantity(request),
            "cpu": format_millis(0.01 if requested else max(cpus / 20, 0.01)),
        },
    }


def format_millis(cpus: float) -> str:
    """Cores in the notation that the API gives back: 0.5 is 500m, 2.0 is 2."""
    return str(int(cpus)) if cpus == int(cpus) else f"{round(cpus * 1000)}m"


_UNITS = {
    **{"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40, "Pi": 2**50},
    **{"k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "m": 1e-3},
}


def parse_quantity(quantity: str) -> float:
    """The number that a quantity such as 10Gi or 250m means.

    Source: https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/

    Raises:
        ValueError: it is none.
    """
    unit = next((unit for unit in _UNITS if quantity.endswith(unit)), "")
    return float(quantity.removesuffix(unit)) * _UNITS.get(unit, 1)


def format_quantity(size: int) -> str:
    """Bytes in the notation that the API gives back."""
    units = (("Gi", 1024**3), ("Mi", MIB), ("Ki", 1024))
    return next((f"{size // factor}{unit}" for unit, factor in units if size % factor == 0), str(size))


def build_secret_mount() -> Object:
    """The workload's secret files in a container."""
    return {"name": "secrets", "mountPath": SECRETS_DIR, "readOnly": True}
