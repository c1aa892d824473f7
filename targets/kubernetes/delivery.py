"""Proves that running pods took their documents, by what the container beside each process says.

The kubelet brings a changed ConfigMap to a pod at its next look, up to a minute later; it looks at once when the pod
itself changes, so each pod is given an annotation with the revision. Logs of the delivering container then tell the
outcome. No object of the deployment is needed for it, and every run asks again, so a refusal is never forgotten.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Any

import kubernetes  # type: ignore[import-untyped]  # it publishes no types
import pulumi
from kubernetes.client.exceptions import ApiException  # type: ignore[import-untyped]

from model.extra_objects import ExtraObject
from model.naming import LABEL
from model.settings import KubernetesSettings
from model.workload import ConfigDir, Workload
from targets.kubernetes.preflight import check_cluster, connect_cluster
from targets.kubernetes.shared import SIDECAR, ClusterScope

_OUTPUT_LENGTH = 4000
"""Characters of a process's own words that an error repeats."""
_SYNC_SECONDS = 90
"""The kubelet's own rhythm and the age of its cache, should the annotation not make it look."""
_POLL = 0.25


class DeliveryError(pulumi.RunError):
    """A process refused its new configuration; the old one is in force. Ends the run without a stack trace."""


class Cluster:
    """The cluster's API as this program's user sees it. Connects at the first question."""

    def __init__(self, settings: KubernetesSettings) -> None:
        self._settings = settings
        self._api: Any = None

    @property
    def api(self) -> Any:
        """A client of the core API."""
        if self._api is None:
            self._api = kubernetes.client.CoreV1Api(connect_cluster(self._settings))
        return self._api

    def check_preflight(
        self, scope: ClusterScope, workloads: Sequence[Workload], extra_objects: Sequence[ExtraObject] = ()
    ) -> list[str]:
        """See `targets.kubernetes.preflight.check_cluster`."""
        return check_cluster(scope, workloads, extra_objects)

    async def wait_until_applied(
        self, stack: str, namespace: str, workload: str, config: ConfigDir, mark: str = ""
    ) -> None:
        """Waits until every pod that runs says that it took this revision with the secrets of this mark; none need run.

        Raises:
            DeliveryError: a process refused it, or says nothing in time.
        """
        await asyncio.to_thread(self._wait_until_applied, stack, namespace, workload, config, mark)

    def _wait_until_applied(self, stack: str, namespace: str, workload: str, config: ConfigDir, mark: str) -> None:
        revision = "-".join(filter(None, (config.compute_revision(), mark)))
        reload_seconds = (config.reload.timeout if config.reload else 0) + (config.validate_seconds or 0)
        deadline = time.monotonic() + _SYNC_SECONDS + reload_seconds
        waiting = self._list_pods(stack, namespace, workload)
        for pod in waiting:
            self._trigger_kubelet_sync(pod, revision)
        while waiting:
            waiting = [pod for pod in waiting if not self._has_applied(pod, workload, revision)]
            if waiting and time.monotonic() > deadline:
                names = ", ".join(pod.metadata.name for pod in waiting)
                raise DeliveryError(f"{workload}: {names} did not take revision {revision} in time")
            if waiting:
                time.sleep(_POLL)

    def _list_pods(self, stack: str, namespace: str, workload: str) -> list[Any]:
        selector = f"{LABEL}.stack={stack},{LABEL}.workload={workload}"
        try:
            pods: Sequence[Any] = self.api.list_namespaced_pod(namespace, label_selector=selector).items
        except ApiException as error:
            raise DeliveryError(f"{workload}: cannot list its pods: {error.status} {error.reason}") from None
        return [pod for pod in pods if pod.status.phase == "Running" and not pod.metadata.deletion_timestamp]

    def _trigger_kubelet_sync(self, pod: Any, revision: str) -> None:
        if (pod.metadata.annotations or {}).get(f"{LABEL}/revision") == revision:
            return
        change = {"metadata": {"annotations": {f"{LABEL}/revision": revision}}}
        try:
            self.api.patch_namespaced_pod(pod.metadata.name, pod.metadata.namespace, change)
        except ApiException as error:
            if error.status != 404:  # gone meanwhile; its successor reads the new documents at its start
                raise DeliveryError(f"{pod.metadata.name}: cannot be told: {error.status} {error.reason}") from None

    def _has_applied(self, pod: Any, workload: str, revision: str) -> bool:
        """Whether the pod took the revision or is gone.

        Raises:
            DeliveryError: it refused it.
        """
        name = pod.metadata.name
        try:
            text = read_log(self.api, pod, SIDECAR, tail_lines=200)
        except ApiException as error:
            return bool(error.status == 404)
        state, output = parse_delivery_log(text, revision)
        if state is False:
            raise DeliveryError(
                f"{workload} did not take its new configuration ({name}):\n{output[-_OUTPUT_LENGTH:]}\n"
                "What runs keeps the previous one; correct the documents and deploy again"
            )
        return state is True


def read_log(api: Any, pod: Any, container: str, **options: int) -> str:
    """The log of a container of a pod; `options` are those of the client, such as tail_lines or since_seconds.

    Raises:
        ApiException: the API server has none.
    """
    name, namespace = pod.metadata.name, pod.metadata.namespace
    # decoded here: the client gives the text of the bytes' representation
    answer = api.read_namespaced_pod_log(name, namespace, container=container, _preload_content=False, **options)
    return str(answer.data.decode(errors="replace"))


def parse_delivery_log(log: str, revision: str) -> tuple[bool | None, str]:
    """What a delivering container's log says of a revision: taken, refused, or nothing yet (None); and its words."""
    lines = log.splitlines()
    ends = [number for number, line in enumerate(lines) if line.startswith("@ ")]
    if not ends:
        return None, ""
    _, last, status = lines[ends[-1]].split()
    if last != revision:
        return None, ""
    begin = ends[-2] + 1 if len(ends) > 1 else 0
    return status == "0", "\n".join(lines[begin : ends[-1]])
