"""Tasks on a cluster: Jobs in the stack's namespace, and programs in pods that run."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import kubernetes  # type: ignore[import-untyped]  # it publishes no types
from kubernetes.client.exceptions import ApiException  # type: ignore[import-untyped]
from kubernetes.stream import stream  # type: ignore[import-untyped]

from cli.render import build_cluster_scope
from cli.tasks import Say, Task, read_lines
from components.backup.settings import DATA_DIR
from model.images import HELPER
from model.naming import LABEL
from model.plan import Plan
from model.workload import Workload
from targets.kubernetes import manifests, storage, task
from targets.kubernetes.shared import Object

_GONE, _THERE = 404, 409
_BEGIN_SECONDS = 300
"""For a pod to be scheduled, its claim to be bound and its image to be pulled."""
_END_SECONDS = 120
"""For a pod to be gone, so that its claim can be used elsewhere."""
_POLL = 0.5


class ClusterTasks:
    """Tasks of a stack on a cluster. See `Tasks`.

    Args:
        api: a client of the core API.
        plan: the stack.
        list_pods: what lists the pods of the stack.
    """

    def __init__(self, api: Any, plan: Plan, list_pods: Callable[[], Sequence[Any]]) -> None:
        self._api, self._plan, self._list_pods = api, plan, list_pods
        self._jobs = kubernetes.client.BatchV1Api(api.api_client)
        self._scope = build_cluster_scope(plan)
        self._workloads = {workload.name: workload for workload in plan.list_workloads()}

    def list_running(self) -> list[str]:
        """See `Tasks`."""
        return sorted(str(pod.metadata.name) for pod in self._list_pods())

    def list_volumes(self, agent: Workload) -> list[str]:
        """See `Tasks`: a claim for each instance."""
        return [item["metadata"]["name"] for item in self._build_claims(agent)]

    def list_content(self, agent: Workload, volume: str) -> list[str]:
        """See `Tasks`."""
        if not self._exists(volume):
            return []
        lines: list[str] = []
        command = ("/bin/busybox", "ls", "-A", DATA_DIR)
        if self._run(Task(agent=agent, command=command, volume=volume), lines.append, image=HELPER):
            raise RuntimeError(f"the claim {volume} cannot be looked into: {' '.join(lines)}")
        return lines

    def make_volume(self, agent: Workload, volume: str) -> None:
        """See `Tasks`. A claim's file system is given to its user when a pod mounts it."""
        self._make_namespace()
        claim = next(item for item in self._build_claims(agent) if item["metadata"]["name"] == volume)
        self._create(self._api.create_namespaced_persistent_volume_claim, self._scope.namespace, claim)

    def run(self, item: Task, say: Say) -> int:
        """See `Tasks`."""
        self._make_namespace()
        return self._run(item, say)

    def _build_claims(self, agent: Workload) -> list[Object]:
        names = {volume.name for volume in agent.shared_volumes}
        claims = storage.build_claims(self._scope, self._workloads[agent.beside])
        return [item for volume, item in claims if volume.name in names]

    def _exists(self, claim: str) -> bool:
        try:
            self._api.read_namespaced_persistent_volume_claim(claim, self._scope.namespace)
        except ApiException as error:
            if error.status == _GONE:
                return False
            raise RuntimeError(f"the claim {claim}: {error.status} {error.reason}") from None
        return True

    def _make_namespace(self) -> None:
        namespace = next(iter(manifests.build_namespaces(self._scope, ())))
        self._create(self._api.create_namespace, namespace)

    def _create(self, create: Callable[..., Any], *arguments: Any) -> None:
        """Creates what is not there yet."""
        try:
            create(*arguments)
        except ApiException as error:
            if error.status != _THERE:
                meta = arguments[-1]["metadata"]["name"]
                raise RuntimeError(f"{arguments[-1]['kind']} {meta}: {error.status} {error.reason}") from None

    def _run(self, item: Task, say: Say, *, image: str = "") -> int:
        claim = (item.volume, DATA_DIR) if item.volume else None
        objects = task.build_task_objects(self._scope, item.agent, item.command, item.secrets, image=image, claim=claim)
        name = task.name_task(item.agent)
        self._remove(name)  # of one that was killed
        try:
            with self._made(objects, name):
                return self._follow(name, say)
        except ApiException as error:
            raise RuntimeError(f"{name}: {error.status} {error.reason}") from None

    @contextmanager
    def _made(self, objects: Sequence[Object], name: str) -> Iterator[None]:
        create = {
            "Secret": self._api.create_namespaced_secret,
            "ConfigMap": self._api.create_namespaced_config_map,
            "Job": self._jobs.create_namespaced_job,
        }
        try:
            for item in objects:
                create[item["kind"]](self._scope.namespace, item)
            yield
        finally:
            self._remove(name)

    def _remove(self, name: str) -> None:
        """Removes all that a task had, and waits until its pod is gone."""
        delete = {
            self._jobs.delete_namespaced_job: {"propagation_policy": "Background"},
            self._api.delete_namespaced_secret: {},
            self._api.delete_namespaced_config_map: {},
        }
        for call, options in delete.items():
            try:
                call(name, self._scope.namespace, **options)
            except ApiException as error:
                if error.status != _GONE:
                    raise
        deadline = time.monotonic() + _END_SECONDS
        while self._find_pods(name):
            if time.monotonic() > deadline:
                raise RuntimeError(
                    f"the pod of {name} does not end: kubectl --namespace {self._scope.namespace} get pods"
                )
            time.sleep(_POLL)

    def _find_pods(self, name: str) -> list[Any]:
        selector = f"{LABEL}.task={name}"
        return list(self._api.list_namespaced_pod(self._scope.namespace, label_selector=selector).items)

    def _follow(self, name: str, say: Say) -> int:
        """Hands on what the pod of a Job prints, and returns its exit status.

        Raises:
            RuntimeError: it does not begin.
        """
        since: dict[str, int] = {}
        deadline = time.monotonic() + _BEGIN_SECONDS
        while True:
            pod = next(iter(self._find_pods(name)), None)
            phase = pod.status.phase if pod else "Pending"
            if pod and phase in ("Running", "Succeeded", "Failed"):
                read_lines(self._open_log(pod, since), say)
                since = {"since_seconds": 1}  # a log that breaks off is gone on with
                if phase != "Running":
                    return _find_status(pod)
            elif time.monotonic() > deadline:
                raise RuntimeError(f"{name} does not begin within {_BEGIN_SECONDS} s: {_explain_wait(pod)}")
            time.sleep(_POLL)

    def _open_log(self, pod: Any, options: dict[str, int]) -> Iterator[bytes]:
        meta = pod.metadata
        answer = self._api.read_namespaced_pod_log(
            meta.name, meta.namespace, follow=True, _preload_content=False, **options
        )
        yield from answer.stream()


def _find_status(pod: Any) -> int:
    states = [state.state.terminated for state in pod.status.container_statuses or ()]
    return next((int(state.exit_code) for state in states if state), 1)


def _explain_wait(pod: Any) -> str:
    """Why a pod does not begin, by the cluster's words."""
    if pod is None:
        return "the cluster has made no pod of it; see the events of its Job"
    waiting = [state.state.waiting for state in pod.status.container_statuses or () if state.state.waiting]
    said = [f"{item.reason}: {item.message or ''}" for item in waiting]
    said += [str(item.message) for item in pod.status.conditions or () if item.status != "True" and item.message]
    return "; ".join(said) or str(pod.status.phase)


def run_in_pod(api: Any, pod: Any, container: str, command: Sequence[str], say: Say) -> int:
    """Runs a program in a container of a pod, hands on what it prints, and returns its exit status."""
    meta = pod.metadata
    channel = stream(
        api.connect_get_namespaced_pod_exec, meta.name, meta.namespace, container=container, command=list(command),
        stdin=False, stdout=True, stderr=True, tty=False, _preload_content=False,
    )  # fmt: skip
    read_lines(_read_channel(channel), say)
    return int(channel.returncode or 0)


def _read_channel(channel: Any) -> Iterator[bytes]:
    while channel.is_open():
        channel.update(timeout=1)
        yield from _read_ready(channel)
    yield from _read_ready(channel)


def _read_ready(channel: Any) -> Iterator[bytes]:
    for peek, read in ((channel.peek_stdout, channel.read_stdout), (channel.peek_stderr, channel.read_stderr)):
        if peek():
            yield str(read()).encode()
