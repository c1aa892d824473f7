"""What a deployment's user must be allowed to do on a cluster, and what of it the cluster would refuse."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import kubernetes  # type: ignore[import-untyped]  # it publishes no types

from model.extra_objects import ExtraObject
from model.workload import Workload
from targets.kubernetes import operator
from targets.kubernetes.ownership import AT_ONCE, SECONDS, plural, references
from targets.kubernetes.shared import ClusterScope

CRDS = "customresourcedefinitions"
WRITE = ("get", "create", "patch")
"""What writing an object takes: server-side apply is a patch, and a create as well where there is none yet."""
Right = tuple[str, str, str, str]
"""Verb, API group, resource (with its subresource) and namespace (empty: cluster-wide)."""


def wanted_rights(
    scope: ClusterScope, workloads: Sequence[Workload], extra_objects: Sequence[ExtraObject] = ()
) -> Iterator[Right]:
    """Everything that a deployment does, once: every object is looked at and written, and those that a later plan does
    not have are deleted; pods are told that there is something to deliver, and their logs say what came of it.
    """
    every = references(scope, workloads, extra_objects)
    for group, kind, home in sorted({(item.group, item.kind, item.namespace) for item in every}):
        for verb in (*WRITE, *(() if kind == "Namespace" else ("delete",))):
            yield verb, group, plural(kind), home
    for home in sorted({scope.home(workload) for workload in workloads}):
        yield from ((verb, "", "pods", home) for verb in ("list", "patch"))
        yield "get", "", "pods/log", home
    secret = {scope.home(workload) for workload in workloads if workload.secrets}
    secret |= {scope.namespace} if any(item.secrets for item in extra_objects) else set()
    for home in sorted(secret):
        yield from ((verb, "", "secrets", home) for verb in (*WRITE, "delete"))
    if any(workload.volumes for workload in workloads):
        yield "list", "", "persistentvolumeclaims", scope.namespace
    if scope.settings.ingress_class:
        yield "list", "networking.k8s.io", "ingressclasses", ""
    if operator.kinds(extra_objects):
        yield "get", "apiextensions.k8s.io", CRDS, ""


def forbidden(client: Any, wanted: Sequence[Right]) -> list[str]:
    """Rights that this user lacks, by the cluster's own word: a sentence for each namespace."""
    api = kubernetes.client.AuthorizationV1Api(client)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        allowed = [*pool.map(lambda right: _allowed(api, right), wanted)]
    lacking: dict[str, dict[str, list[str]]] = {}
    for (verb, group, resource, home), granted in zip(wanted, allowed, strict=True):
        if not granted:
            name = f"{resource}{f'.{group}' if group else ''}"
            lacking.setdefault(home, {}).setdefault(name, []).append(verb)
    return [_field_refs(home, what) for home, what in lacking.items()]


def _field_refs(home: str, what: Mapping[str, Sequence[str]]) -> str:
    each = ", ".join(f"{'/'.join(verbs)} {name}" for name, verbs in what.items())
    where = f"in namespace {home}" if home else "cluster-wide"
    return f"this user may not {each} {where}; ask for a role that allows it"


def _allowed(api: Any, right: Right) -> bool:
    verb, group, resource, home = right
    name, _, sub = resource.partition("/")
    asked = {"verb": verb, "group": group, "resource": name, "namespace": home, "subresource": sub}
    review = api.create_self_subject_access_review(
        {"spec": {"resourceAttributes": {key: value for key, value in asked.items() if value}}},
        _request_timeout=SECONDS,
    )
    return bool(review.status.allowed)
