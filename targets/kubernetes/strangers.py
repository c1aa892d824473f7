"""Objects of others in the namespaces of a stack, which would go with the namespace."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from kubernetes.client.exceptions import ApiException  # type: ignore[import-untyped]  # it publishes no types

from model.naming import LABEL
from targets.kubernetes.api import ask_api, ask_each
from targets.kubernetes.ownership import Reference

KINDS = {
    "v1": ("ConfigMap", "PersistentVolumeClaim", "Pod", "Secret", "Service"),
    "apps/v1": ("DaemonSet", "Deployment", "ReplicaSet", "StatefulSet"),
    "batch/v1": ("CronJob", "Job"),
    "networking.k8s.io/v1": ("Ingress",),
}
"""Kinds that run something or hold what somebody would miss, by API version."""
PUBLISHED = frozenset({"kube-root-ca.crt", "istio-ca-root-cert", "openshift-service-ca.crt"})
"""ConfigMaps that a cluster puts into every namespace."""
GENERATED = ("kubernetes.io/service-account.name", "cert-manager.io/certificate-name")
"""Annotations of Secrets that a controller made, and makes again, for an object that names them."""
_ONLY_METADATA = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1, application/json"
"""Asks for objects without their content: a Secret's is none of ours."""


def list_strangers(client: Any, stack: str, namespaces: Collection[str]) -> list[Reference]:
    """Objects in namespaces of a stack that are neither the stack's nor made by a controller for another object.

    Not looked at is a namespace that the stack did not make, as it stays, and a kind that this user may not list, or
    that the cluster does not have.

    Raises:
        kubernetes.client.exceptions.ApiException: the API server fails.
    """
    kinds = [(api, kind) for api, each in KINDS.items() for kind in each]
    own = [name for name in namespaces if _is_own(client, stack, name)]
    lists = [Reference(api, kind, namespace, "") for namespace in own for api, kind in kinds]
    found = ask_each(lists, lambda item: _list_metadata(client, item))
    return sorted(
        Reference(item.api, item.kind, item.namespace, str(meta["name"]))
        for item, answers in found.items()
        for meta in answers
        if _is_strange(meta, stack, item.kind)
    )


def _is_strange(meta: Mapping[str, Any], stack: str, kind: str) -> bool:
    """Whether somebody else made an object, so that nothing would make it again."""
    if (meta.get("labels") or {}).get(f"{LABEL}.stack") == stack or meta.get("ownerReferences"):
        return False
    if kind == "ConfigMap":
        return meta["name"] not in PUBLISHED
    return kind != "Secret" or not any(name in (meta.get("annotations") or {}) for name in GENERATED)


def _is_own(client: Any, stack: str, namespace: str) -> bool:
    try:
        meta = ask_api(client, Reference("v1", "Namespace", "", namespace).path)["metadata"]
    except ApiException as error:
        if error.status in (403, 404):
            return False
        raise
    return bool((meta.get("labels") or {}).get(f"{LABEL}.stack") == stack)


def _list_metadata(client: Any, item: Reference) -> list[Mapping[str, Any]]:
    return list(_list_pages(client, item.path.removesuffix("/")))


def _list_pages(client: Any, path: str) -> Iterator[Mapping[str, Any]]:
    query: tuple[tuple[str, str], ...] = (("limit", "500"),)
    while True:
        try:
            answer = ask_api(client, path, accept=_ONLY_METADATA, query=query)
        except ApiException as error:
            if error.status in (403, 404):
                return
            raise
        yield from (each["metadata"] for each in answer.get("items") or ())  # none are null
        if not (rest := (answer.get("metadata") or {}).get("continue")):
            return
        query = (("limit", "500"), ("continue", rest))
