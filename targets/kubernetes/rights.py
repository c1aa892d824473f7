"""What a deployment's user must be allowed to do on a cluster, and what of it the cluster would refuse."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import kubernetes  # type: ignore[import-untyped]  # it publishes no types

from model.extra_objects import ExtraObject
from model.workload import Workload
from targets.kubernetes import operator
from targets.kubernetes.api import SECONDS, ask_each
from targets.kubernetes.ownership import list_references, pluralize_kind
from targets.kubernetes.shared import ClusterScope

CRDS = "customresourcedefinitions"
WRITE = ("get", "create", "patch")
"""What writing an object takes: server-side apply is a patch, and a create as well where there is none yet."""
Right = tuple[str, str, str, str]
"""Verb, API group, resource (with its subresource) and namespace (empty: cluster-wide)."""


def list_required_rights(
    scope: ClusterScope, workloads: Sequence[Workload], extra_objects: Sequence[ExtraObject] = ()
) -> Iterator[Right]:
    """Everything that a deployment does, once: every object is looked at and written, and those that a later plan does
    not have are deleted; pods are annotated when there is something to deliver, and their logs say what came of it. In
    the end Prometheus lists its targets.
    """
    every = list_references(scope, workloads, extra_objects)
    for group, kind, namespace in sorted({(item.group, item.kind, item.namespace) for item in every}):
        for verb in (*WRITE, *(() if kind == "Namespace" else ("delete",))):
            yield verb, group, pluralize_kind(kind), namespace
    for namespace in sorted({scope.find_namespace(workload) for workload in workloads}):
        yield from ((verb, "", "pods", namespace) for verb in ("list", "patch"))
        yield "get", "", "pods/log", namespace
    # the targets come through a forwarded port; a request that becomes a web socket takes both verbs
    yield from ((verb, "", "pods/portforward", scope.namespace) for verb in ("get", "create"))
    secret = {scope.find_namespace(workload) for workload in workloads if workload.secrets}
    secret |= {scope.namespace} if any(item.secrets for item in extra_objects) else set()
    for namespace in sorted(secret):
        yield from ((verb, "", "secrets", namespace) for verb in (*WRITE, "delete"))
    if any(workload.volumes for workload in workloads):
        yield "list", "", "persistentvolumeclaims", scope.namespace
    if scope.settings.ingress_class:
        yield "list", "networking.k8s.io", "ingressclasses", ""
    if operator.list_kinds(extra_objects):
        yield "get", "apiextensions.k8s.io", CRDS, ""


def check_rights(client: Any, required: Sequence[Right]) -> list[str]:
    """Rights that this user lacks, by the cluster's own word: a sentence for each namespace."""
    api = kubernetes.client.AuthorizationV1Api(client)
    allowed = ask_each(required, lambda right: _is_allowed(api, right))
    lacking: dict[str, dict[str, list[str]]] = {}
    for (verb, group, resource, namespace), granted in allowed.items():
        if not granted:
            name = f"{resource}{f'.{group}' if group else ''}"
            lacking.setdefault(namespace, {}).setdefault(name, []).append(verb)
    return [_format_lacking_rights(namespace, what) for namespace, what in lacking.items()]


def _format_lacking_rights(namespace: str, what: Mapping[str, Sequence[str]]) -> str:
    each = ", ".join(f"{'/'.join(verbs)} {name}" for name, verbs in what.items())
    where = f"in namespace {namespace}" if namespace else "cluster-wide"
    return f"this user may not {each} {where}; ask for a role that allows it"


def _is_allowed(api: Any, right: Right) -> bool:
    verb, group, resource, namespace = right
    name, _, sub = resource.partition("/")
    attributes = {"verb": verb, "group": group, "resource": name, "namespace": namespace, "subresource": sub}
    review = api.create_self_subject_access_review(
        {"spec": {"resourceAttributes": {key: value for key, value in attributes.items() if value}}},
        _request_timeout=SECONDS,
    )
    return bool(review.status.allowed)
