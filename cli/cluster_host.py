"""A stack on a Kubernetes cluster, as commands need it: what is there, how it is, and how to ask its processes."""

from __future__ import annotations

import http.client
import itertools
import json
import socket
import threading
import time
from collections.abc import Callable, Collection, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import kubernetes  # type: ignore[import-untyped]  # it publishes no types
import urllib3.exceptions
from kubernetes.client.exceptions import ApiException  # type: ignore[import-untyped]
from kubernetes.config.config_exception import ConfigException  # type: ignore[import-untyped]
from kubernetes.stream import portforward, stream  # type: ignore[import-untyped]

from cli import alertmanagers, certificate, delivered, lines, operator_targets, recover
from cli.alertmanagers import Instance
from cli.refusals import Waiting
from cli.render import build_cluster_scope, build_config_maps, build_objects
from cli.tasks import Say, Tasks
from cli.tasks_cluster import ClusterTasks, run_in_pod
from cli.tunnel import SocketTunnel, Tunnel
from cli.verify import Health, describe_down, describe_unwell
from cli.waiting import Wait
from cli.workspace import Description, Workspace
from components.loki import settings as loki
from components.traefik.settings import INTERNAL_PORT
from model.checks.entry import TRAEFIK
from model.deviation import Drift
from model.errors import ConfigError, Problem
from model.naming import LABEL, derive_agent_namespace, derive_namespace
from model.operator import Operator
from model.plan import Plan
from model.settings import KubernetesSettings, Settings
from targets.kubernetes import drift, preflight, strangers
from targets.kubernetes.delivery import read_log
from targets.kubernetes.preflight import connect_cluster, explain_context_error
from targets.kubernetes.shared import parse_quantity

_RELOAD = ("/tools/busybox", "kill", "-HUP", "1")
"""Sends Traefik, the first process of its container, the signal to read its routes anew."""
_DELETE_SECONDS = 120
_ANSWER_SECONDS = 15
_TARGETS = "/prometheus/api/v1/targets?state=active"

Fetch = Callable[[Any, int, str, str | None], str]
"""What a pod answers, by port and path; with a body it is a POST of JSON."""


@dataclass(frozen=True)
class InPod:
    """An Alertmanager on a cluster; an operator's may have another prefix."""

    pod: Any
    fetch: Fetch
    api: Any
    prefix: str = alertmanagers.PREFIX

    def ask(self, path: str, body: str | None = None) -> str:
        """See `Instance`."""
        return self.fetch(self.pod, alertmanagers.PORT, f"{self.prefix}{path}", body)

    def read_log(self, since: float) -> str:
        """See `Instance`."""
        return read_log(self.api, self.pod, alertmanagers.NAME, since_seconds=max(1, int(time.time() - since) + 1))


class ClusterHost:
    """The two namespaces of a stack on a cluster; Prometheus is in a third one where an operator runs it."""

    at_once = 1  # while the client forwards a port, it takes every other call for one, too

    def __init__(self, stack: str, settings: KubernetesSettings, operator: Operator | None = None) -> None:
        self._stack, self._operator = stack, operator
        self._forwarding = threading.Lock()
        self.namespace = derive_namespace(stack, settings)
        try:
            self.api = kubernetes.client.CoreV1Api(connect_cluster(settings))
        except (ConfigException, OSError) as error:
            raise ConfigError([Problem("target kubernetes", explain_context_error(settings, error))]) from None

    def recover(self, space: Workspace) -> list[str]:
        """See `Host`. Objects that exist already are taken over by the next run, so none is removed here."""
        return recover.recover_stack(space, None, [pod.metadata.name for pod in self.list_pods()])

    def restore(self, plan: Plan) -> list[str]:
        """See `Host`: nothing, as the provider writes every declared field that somebody changed."""
        return []

    def compare(self, plan: Plan) -> Drift:
        """See `Host` and `targets.kubernetes.drift`."""
        declared = [*itertools.chain(*build_objects(plan).values()), *build_config_maps(plan).values()]
        try:
            return drift.compare_cluster(self.api.api_client, self._stack, declared)
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise RuntimeError(f"the cluster does not answer: {error}") from None

    def compare_documents(self, plan: Plan) -> dict[str, Drift]:
        """See `Host`."""
        return delivered.compare_documents(plan, self._run_in_pods, self.at_once)

    def _run_in_pods(self, workload: str, command: Sequence[str]) -> list[tuple[str, str]]:
        """What a command prints in each running pod of a workload, by the pod's name."""
        try:
            running = [pod for pod in self.list_pods(workload) if pod.status.phase == "Running"]
            return [(pod.metadata.name, self._run(pod, workload, *command)) for pod in running]
        except (ApiException, urllib3.exceptions.HTTPError, OSError) as error:
            raise RuntimeError(str(getattr(error, "reason", error))) from None

    def check_preflight(self, plan: Plan) -> list[str]:
        """See `Host` and `targets.kubernetes.preflight.check_cluster`."""
        return preflight.check_cluster(build_cluster_scope(plan), plan.list_workloads(), plan.extra_objects)

    def pull_images(self, plan: Plan) -> dict[str, str]:
        """See `Host`: nothing, as each node pulls for itself, and says in its events what it cannot have."""
        return {}

    def describe(self, settings: Settings) -> Description:
        """See `Host`: nothing, as no setting depends on it."""
        return Description()

    def list_unseen(self, plan: Plan, timeout: float) -> list[str]:
        """See `Host`: lines and the certificate, as the kubelets name their pods by themselves."""
        return lines.wait_service_lines(plan, self.ask_loki, timeout) + certificate.wait_certificate(
            plan.settings, self._fetch_metrics, lambda: self._read_log(self._get_entry_pod(), TRAEFIK), timeout
        )

    def order_certificate(self, plan: Plan) -> None:
        """See `Host`."""
        certificate.order_certificate(
            plan.settings, self._fetch_metrics, lambda: self._run(self._get_entry_pod(), TRAEFIK, *_RELOAD)
        )

    def _get_entry_pod(self) -> Any:
        return next(iter(self.list_pods(TRAEFIK)))

    def _fetch_metrics(self) -> str:
        return self.fetch(self._get_entry_pod(), INTERNAL_PORT, "/metrics")

    def _run(self, pod: Any, container: str, *command: str) -> str:
        """What a command prints in a container of a pod."""
        meta = pod.metadata
        said = stream(
            self.api.connect_get_namespaced_pod_exec, meta.name, meta.namespace, container=container,
            command=list(command), stdin=False, stdout=True, stderr=True, tty=False,
        )  # fmt: skip
        return str(said)

    def compute_digest(self, plan: Plan) -> str:
        """See `Host`: objects of a cluster change all the time, so Pulumi reads them back."""
        return ""

    def find_urns_to_replace(self, space: Workspace, plan: Plan) -> dict[str, str]:
        """See `Host`: none, as the provider looks again at what was not ready."""
        return {}

    def list_pods(self, workload: str | None = None) -> list[Any]:
        """The stack's pods, or those of one workload, without those that are going."""
        selector = f"{LABEL}.stack={self._stack}" + (f",{LABEL}.workload={workload}" if workload else "")
        namespaces = (self.namespace, derive_agent_namespace(self.namespace))
        pods = [
            pod
            for pod_namespace in namespaces
            for pod in self.api.list_namespaced_pod(pod_namespace, label_selector=selector).items
        ]
        return [pod for pod in pods if not pod.metadata.deletion_timestamp]

    def wait_healthy(self, timeout: float) -> list[Health]:
        """See `Host`."""
        wait = Wait(timeout)
        while True:
            health = [read_pod_health(pod) for pod in self.list_pods()]
            if all(item.good for item in health) or not wait.goes_on(describe_unwell(health)):
                return sorted(health, key=lambda item: item.workload)

    def list_alertmanagers(self) -> Sequence[Instance]:
        """See `Host`; those of the operator where there is one."""
        if self._operator is None:
            return [InPod(pod, self.fetch, self.api) for pod in self.list_pods(alertmanagers.NAME)]
        pods = self.api.list_namespaced_pod(self._operator.namespace, label_selector=alertmanagers.PODS).items
        prefix = urlsplit(self._operator.alertmanager).path
        return [InPod(pod, self.fetch, self.api, prefix) for pod in pods]

    def fetch(self, pod: Any, port: int, path: str, body: str | None = None) -> str:
        """What a GET of `path` (with its query) on a pod's port answers; with a body it is a POST of JSON.

        Asked through a forwarded port, which ends within the pod: the API server's own proxy comes from another node
        as a rule, and no network policy lets it in.

        Raises:
            RuntimeError: the request failed.
        """
        meta = pod.metadata
        try:
            with closing(self._forward_port(pod, port)) as forward, closing(forward.socket(port)) as tunnel:
                tunnel.settimeout(_ANSWER_SECONDS)
                answer = _ask_through(tunnel, path, body)
                refused = forward.error(port)
        except (ApiException, OSError, http.client.HTTPException) as error:
            raise RuntimeError(f"{path} of {meta.name}: {error}") from None
        if refused:
            raise RuntimeError(f"{path} of {meta.name}: {refused}")
        return answer

    def _forward_port(self, pod: Any, port: int) -> Any:
        meta, ask = pod.metadata, self.api.connect_get_namespaced_pod_portforward
        try:
            return portforward(ask, meta.name, meta.namespace, ports=str(port))
        except AttributeError as error:
            # the client decodes the body of a refusal, and that of a web socket has none: a pod that only begins
            if isinstance(refusal := error.__context__, ApiException):
                raise refusal from None
            raise

    def list_targets(self) -> list[dict[str, Any]]:
        """The active targets of the Prometheus instance that has fewest of them up, as its API describes them."""
        if self._operator:
            return operator_targets.list_targets(
                self._operator,
                self._list_operator_pods(self._operator),
                self.fetch,
                operator_targets.list_expected_pools(self._list_objects, self.namespace),
            )
        instances = self.list_pods("prometheus")
        answers = [json.loads(self.fetch(pod, 9090, _TARGETS))["data"]["activeTargets"] for pod in instances]
        return list(max(answers, key=lambda active: sum(t["health"] != "up" for t in active), default=[]))

    def _list_operator_pods(self, operator: Operator) -> list[Any]:
        """The pods of the Prometheus that an operator runs."""
        return list(self.api.list_namespaced_pod(operator.namespace, label_selector=operator_targets.PODS).items)

    def _list_objects(self, group: str, version: str, resource: str) -> list[Any]:
        """The stack's objects of a resource that the cluster was taught."""
        api = kubernetes.client.CustomObjectsApi(self.api.api_client)
        try:
            return list(api.list_namespaced_custom_object(group, version, self.namespace, resource)["items"])
        except ApiException as error:
            if error.status == 404:
                return []
            raise

    def wait_targets(self, timeout: float) -> list[dict[str, Any]]:
        """See `Host`."""
        wait = Wait(timeout * (operator_targets.PATIENCE if self._operator else 1))
        waiting = Waiting()
        while True:
            try:
                targets = self.list_targets()
            except RuntimeError:  # it may have only just begun
                if not wait.goes_on("Prometheus to answer"):
                    raise
                continue
            if waiting.is_over(targets) or not wait.goes_on(describe_down(targets)):
                return targets

    def ask_prometheus(self, path: str) -> Any:
        """See `Host`."""
        prefix = urlsplit(self._operator.prometheus).path if self._operator else "/prometheus"
        pods = self._list_operator_pods(self._operator) if self._operator else self.list_pods("prometheus")
        for pod in pods[:1]:
            return json.loads(self.fetch(pod, 9090, f"{prefix}/api/v1/{path}"))["data"]
        raise RuntimeError("no Prometheus runs")

    def open_tunnel(self, workload: str, port: int) -> Tunnel:
        """See `Host`. One after the other: while the client forwards a port, it takes every other call for one, too."""
        with self._forwarding:
            return self._open_tunnel(workload, port)

    def _open_tunnel(self, workload: str, port: int) -> Tunnel:
        running = [pod for pod in self.list_pods(workload) if pod.status.phase == "Running"]
        pods = sorted(running, key=lambda pod: not read_pod_health(pod).good)  # one that is not ready may answer too
        if not pods:
            raise RuntimeError(f"no pod of {workload} runs in {self.namespace}: make verify STACK={self._stack}")
        try:
            forward = self._forward_port(pods[0], port)
        except (ApiException, OSError) as error:
            raise RuntimeError(f"{pods[0].metadata.name}: {error}") from None
        return SocketTunnel(forward.socket(port), forward)

    def ask_loki(self, path: str) -> Any:
        """See `Host`; of its parts the one that answers queries, where it has parts."""
        for pod in [*self.list_pods(loki.READ), *self.list_pods(loki.NAME)][:1]:
            return json.loads(self.fetch(pod, loki.PORT, f"/loki/api/v1/{path}")).get("data")
        raise RuntimeError("no Loki runs")

    def explain_absences(self, names: Collection[str]) -> list[str]:
        """See `Host`: nothing, as a Service has its name whether or not a pod is behind it."""
        return []

    def read_last_log_lines(self) -> list[tuple[str, str]]:
        """See `Host`."""
        result = []
        for pod in self.list_pods():
            if not read_pod_health(pod).good:
                result.append((pod.metadata.name, self._describe_failure(pod)))
        return result

    def _describe_failure(self, pod: Any) -> str:
        states = [*(pod.status.init_container_statuses or []), *(pod.status.container_statuses or [])]
        sick = next((state for state in states if not state.ready), None)
        if sick is None:
            return str(pod.status.message or pod.status.phase)
        if sick.state.waiting:
            return f"{sick.name}: {sick.state.waiting.reason} {sick.state.waiting.message or ''}"
        return self._read_log(pod, sick.name, 5)

    def _read_log(self, pod: Any, container: str, count: int = certificate.LINES) -> str:
        try:
            return read_log(self.api, pod, container, tail_lines=count)
        except ApiException as error:
            return f"{container}: {error.reason}"

    def run_program(self, workload: str, command: Sequence[str], say: Say) -> int:
        """See `Host`."""
        running = [pod for pod in self.list_pods(workload) if pod.status.phase == "Running"]
        if not running:
            raise RuntimeError(f"no pod of {workload} runs in {self.namespace}: make verify STACK={self._stack}")
        try:
            return run_in_pod(self.api, running[0], workload, command, say)
        except (ApiException, urllib3.exceptions.HTTPError, OSError) as error:
            raise RuntimeError(str(getattr(error, "reason", error))) from None

    def open_tasks(self, plan: Plan) -> Tasks:
        """See `Host`."""
        return ClusterTasks(self.api, plan, self.list_pods)

    def list_volumes(self) -> list[str]:
        """See `Host`."""
        try:
            claims = self.api.list_namespaced_persistent_volume_claim(self.namespace).items
        except ApiException:
            return []
        return sorted(claim.metadata.name for claim in claims)

    def list_uses(self, *, data: bool) -> list[str]:
        """See `Host`: what would go with a namespace. That of the agents always goes, the other one with the data."""
        namespaces = [*([self.namespace] if data else []), derive_agent_namespace(self.namespace)]
        return [
            f"{item}, which is not part of it, would go with the namespace: move it elsewhere, or delete it"
            for item in strangers.list_strangers(self.api.api_client, self._stack, namespaces)
        ]

    def explain_stuck(self) -> list[str]:
        """See `Host`. Pulumi itself says what a cluster does not let go."""
        return []

    def purge_volumes(self) -> None:
        """See `Host`. The volumes go with the namespace."""
        try:
            owner = (self.api.read_namespace(self.namespace).metadata.labels or {}).get(f"{LABEL}.stack")
            if owner == self._stack:
                self.api.delete_namespace(self.namespace)
        except ApiException as error:
            if error.status != 404:
                raise
            return
        deadline = time.monotonic() + _DELETE_SECONDS
        while time.monotonic() < deadline:
            try:
                self.api.read_namespace(self.namespace)
            except ApiException:
                return
            time.sleep(0.5)


def read_pod_health(pod: Any) -> Health:
    """How one pod is."""
    ready = any(item.type == "Ready" and item.status == "True" for item in pod.status.conditions or ())
    states = pod.status.container_statuses or []
    reasons = [state.state.waiting.reason for state in states if state.state and state.state.waiting]
    restarts = sum(state.restart_count for state in states)
    phase = "not ready" if pod.status.phase == "Running" else str(pod.status.phase).lower()
    word = "healthy" if ready else (reasons[0] if reasons else phase)
    memory = sum(int(parse_quantity((c.resources.limits or {}).get("memory", "0"))) for c in pod.spec.containers)
    shown = f"{pod.metadata.namespace}/{pod.metadata.name}" + (f" ({restarts} restarts)" if restarts else "")
    return Health(pod.metadata.labels[f"{LABEL}.workload"], word, shown, memory)


def _ask_through(tunnel: socket.socket, path: str, body: str | None) -> str:
    """The answer to one request of HTTP. Raises OSError where it is an error's."""
    connection = http.client.HTTPConnection("127.0.0.1")
    connection.sock = tunnel
    headers = {"Connection": "close"} | ({"Content-Type": "application/json"} if body is not None else {})
    connection.request("GET" if body is None else "POST", path, body, headers)
    answer = connection.getresponse()
    text = answer.read().decode()
    if answer.status >= http.HTTPStatus.BAD_REQUEST:
        raise OSError(f"{answer.status} {answer.reason}: {text[:300]}")
    return text
