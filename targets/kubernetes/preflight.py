"""Asks a cluster, before anything is touched, whether a stack can be deployed to it at all.

All questions read. Whatever stands in the way is told at once, each with what would help.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import kubernetes  # type: ignore[import-untyped]  # it publishes no types
import urllib3.exceptions
from kubernetes.client.exceptions import ApiException  # type: ignore[import-untyped]
from kubernetes.config.config_exception import ConfigException  # type: ignore[import-untyped]

from model.errors import suggest_name
from model.extra_objects import ExtraObject
from model.settings import KubernetesSettings
from model.workload import Workload
from targets.kubernetes import operator, shared, storage
from targets.kubernetes.api import SECONDS
from targets.kubernetes.ownership import check_ownership, list_references
from targets.kubernetes.rights import CRDS, check_rights, list_required_rights
from targets.kubernetes.shared import ClusterScope


def check_cluster(
    scope: ClusterScope, workloads: Sequence[Workload], extra_objects: Sequence[ExtraObject] = ()
) -> list[str]:
    """Everything that stands in the way, as sentences; empty when nothing does."""
    try:
        client = connect_cluster(scope.settings)
    except (ConfigException, OSError) as error:
        return [explain_context_error(scope.settings, error)]
    if problem := _check_answer(client):
        return [problem]
    lacking = check_rights(client, [*list_required_rights(scope, workloads, extra_objects)])
    unread = [] if any(CRDS in text for text in lacking) else operator.check_operator(client, scope, extra_objects)
    return [
        *lacking,
        *unread,
        *check_ownership(client, scope, list_references(scope, workloads, extra_objects)),
        *_check_volumes(client, scope, workloads),
        *_check_ingress_class(client, scope.settings.ingress_class),
    ]


def connect_cluster(settings: KubernetesSettings) -> Any:
    """A client of the cluster that the settings name; it does not try again and again."""
    configuration = kubernetes.client.Configuration()
    kubernetes.config.load_kube_config(
        config_file=settings.kubeconfig, context=settings.context, client_configuration=configuration
    )
    configuration.retries = False
    return kubernetes.client.ApiClient(configuration)


def explain_context_error(settings: KubernetesSettings, error: Exception) -> str:
    """Why the kubeconfig leads to no cluster, and what would be right."""
    try:
        every, _ = kubernetes.config.list_kube_config_contexts(config_file=settings.kubeconfig)
        known = [str(item["name"]) for item in every]
    except (ConfigException, OSError):
        return f"no kubeconfig can be read: {error}; set kubernetes.kubeconfig, or KUBECONFIG"
    if settings.context and settings.context not in known:
        return f"the kubeconfig has no context {settings.context!r}; {suggest_name(settings.context, known)}"
    return f"the kubeconfig cannot be used: {error}"


def _check_answer(client: Any) -> str | None:
    """Why the cluster gives no answer; None when it does."""
    try:
        kubernetes.client.VersionApi(client).get_code(_request_timeout=SECONDS)
    except ApiException as error:
        return f"the cluster at {client.configuration.host} answers {error.status} {error.reason}: who are you?"
    except (urllib3.exceptions.HTTPError, OSError) as error:
        why = str(error).rpartition(": ")[2] or type(error).__name__
        return f"no cluster answers at {client.configuration.host} within {SECONDS} s: {why}"
    return None


def _check_volumes(client: Any, scope: ClusterScope, workloads: Sequence[Workload]) -> Iterator[str]:
    """Claims that would have to shrink, or to grow where their class does not let them."""
    api = kubernetes.client.CoreV1Api(client)
    try:
        claims = api.list_namespaced_persistent_volume_claim(scope.namespace, _request_timeout=SECONDS).items
    except ApiException as error:
        if error.status != 404:
            yield f"volumes in {scope.namespace} cannot be listed: {error.status} {error.reason}"
        return
    existing = {claim.metadata.name: claim for claim in claims}
    for workload in workloads:
        for volume, item in storage.build_claims(scope, workload):
            claim = existing.get(item["metadata"]["name"])
            if claim is None:
                continue
            has = int(shared.parse_quantity(claim.spec.resources.requests["storage"]))
            where = f"volume {volume.name} of {workload.name} has {shared.format_quantity(has)}"
            if volume.size < has:
                limit = shared.format_quantity(volume.size)
                yield f"{where} and cannot shrink to {limit}; a smaller one needs a new name"
            elif volume.size > has and not _is_expandable(client, claim.spec.storage_class_name):
                yield f"{where} and its class {claim.spec.storage_class_name} does not let volumes grow"


def _check_ingress_class(client: Any, name: str | None) -> Iterator[str]:
    """That nobody would care for the ingress."""
    if name is None:
        return
    try:
        every = kubernetes.client.NetworkingV1Api(client).list_ingress_class(_request_timeout=SECONDS).items
    except ApiException:
        return  # a right that this user lacks, which has been told
    known = [str(item.metadata.name) for item in every]
    if name not in known:
        yield f"kubernetes.ingressClass {name!r} is not in this cluster; {suggest_name(name, known)}"


def _is_expandable(client: Any, storage_class: str | None) -> bool:
    if not storage_class:
        return False
    try:
        storage = kubernetes.client.StorageV1Api(client).read_storage_class(storage_class, _request_timeout=SECONDS)
    except ApiException:
        return True  # this user may not look; the API itself refuses if it must
    return bool(storage.allow_volume_expansion)
