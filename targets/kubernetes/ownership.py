"""What a deployment would write to that is somebody else's: asked of the cluster before anything is touched.

The provider writes to objects that exist already (see `targets.kubernetes.register`), as a stack that was removed
leaves its namespace and its volumes behind, and a run that was killed whatever it had made. So every object that is
there under a name of ours must carry the stack's label.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kubernetes.client.exceptions import ApiException  # type: ignore[import-untyped]  # it publishes no types

from model.extra_objects import ExtraObject
from model.naming import LABEL
from model.workload import Workload
from targets.kubernetes import manifests, storage
from targets.kubernetes.api import ask_api, ask_each
from targets.kubernetes.shared import ClusterScope, Object

_ONLY_METADATA = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1, application/json"
"""Asks for an object without its content: a ConfigMap may hold a megabyte."""

Answer = Mapping[str, Any] | str | None
"""An object's metadata; None where it is not there, and the API's words where it gives none.

They are empty where this user may not look, which is told with all other rights that are missing.
"""


@dataclass(frozen=True, order=True)
class Reference:
    """An object by where it is: API version, kind, namespace (empty: cluster-wide) and name."""

    api: str
    kind: str
    namespace: str
    name: str

    @property
    def group(self) -> str:
        """The API group; empty for the core API."""
        return self.api.rpartition("/")[0]

    @property
    def path(self) -> str:
        """Its address on the API server."""
        prefix = f"/namespaces/{self.namespace}" if self.namespace else ""
        return f"/{'apis' if self.group else 'api'}/{self.api}{prefix}/{pluralize_kind(self.kind)}/{self.name}"

    def __str__(self) -> str:
        return f"{self.kind} {self.name}" + (f" in namespace {self.namespace}" if self.namespace else "")


def get_reference(item: Mapping[str, Any]) -> Reference:
    """Where an object is."""
    meta = item["metadata"]
    return Reference(item["apiVersion"], item["kind"], meta.get("namespace", ""), meta["name"])


def pluralize_kind(kind: str) -> str:
    """The name of a kind in addresses: `NetworkPolicy` is `networkpolicies`, `Ingress` is `ingresses`."""
    name = kind.lower()
    return f"{name[:-1]}ies" if name.endswith("y") else f"{name}es" if name.endswith("s") else f"{name}s"


def list_references(
    scope: ClusterScope, workloads: Sequence[Workload], extra_objects: Sequence[ExtraObject] = ()
) -> list[Reference]:
    """Every object that a deployment writes under a name that is known before; Secrets get names that are free."""
    objects: list[Object] = [*manifests.build_stack_objects(scope, workloads)]
    for workload in workloads:
        objects += [*manifests.build_workload_objects(scope, workload)]
        objects += [item for item in (storage.build_config_map(scope, workload),) if item]
    objects += [manifests.build_extra_object(scope, item) for item in extra_objects]
    return sorted({get_reference(item) for item in objects})


def check_ownership(client: Any, scope: ClusterScope, required: Sequence[Reference]) -> list[str]:
    """What exists under a name of the stack's without its label, and namespaces of others that are not there."""
    namespaces = sorted({item for item in required if item.kind == "Namespace"})
    foreign = sorted(
        {item.namespace for item in required if item.namespace} - {namespace.name for namespace in namespaces}
    )
    spaces = _read_metadata(client, [*namespaces, *(Reference("v1", "Namespace", "", name) for name in foreign)])
    problems = [text for namespace in namespaces for text in _check_owner(scope, namespace, spaces[namespace])]
    there = {item.name for item, answer in spaces.items() if answer is not None}
    problems += [
        f"namespace {name} does not exist, and a service of the system is to be found in it; make it first, or correct"
        f" the service's kubernetes.namespace"
        for name in foreign
        if name not in there
    ]
    if problems:
        return problems
    readable = [item for item in required if item not in namespaces and (not item.namespace or item.namespace in there)]
    return [
        text for item, answer in _read_metadata(client, readable).items() for text in _check_owner(scope, item, answer)
    ]


def _check_owner(scope: ClusterScope, item: Reference, answer: Answer) -> Iterator[str]:
    """That an object is somebody else's, or a namespace on its way out; nothing where it is ours or is not there."""
    if answer is None or answer == "":
        return
    if isinstance(answer, str):
        yield f"{item} cannot be read: {answer}"
        return
    owner = (answer.get("labels") or {}).get(f"{LABEL}.stack")
    if owner != scope.stack:
        whose = f"belongs to the stack {owner!r}" if owner else "was not made by this program"
        remedy = "choose another namespace with kubernetes.namespace"
        yield f"{item} exists and {whose}; {remedy if item.kind == 'Namespace' else f'remove it, or {remedy}'}"
    elif item.kind == "Namespace" and answer.get("deletionTimestamp"):
        yield f"{item} is being deleted; try again once it is gone"


def _read_metadata(client: Any, required: Sequence[Reference]) -> dict[Reference, Answer]:
    """What the cluster answers about each of several objects."""
    return ask_each(required, lambda item: _read_object(client, item))


def _read_object(client: Any, item: Reference) -> Answer:
    try:
        return dict(ask_api(client, item.path, accept=_ONLY_METADATA)["metadata"])
    except ApiException as error:
        return {403: "", 404: None}.get(error.status, f"{error.status} {error.reason}")
