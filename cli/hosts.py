"""Where a stack runs, as the commands see it: a Docker engine or a cluster, looked at and tidied up in one way."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import parse_qsl, urlsplit

import docker
import kubernetes  # type: ignore[import-untyped]  # it publishes no types
import urllib3.exceptions
from docker.models.containers import Container
from kubernetes.client.exceptions import ApiException  # type: ignore[import-untyped]
from kubernetes.config.config_exception import ConfigException  # type: ignore[import-untyped]
from kubernetes.stream import stream  # type: ignore[import-untyped]

from cli import alertmanagers, certificate, drift, engine, operator_targets, recover, render, verify
from cli.alertmanagers import InContainer, InPod, Instance
from cli.render import build_cluster_scope
from cli.stack_file import Location
from cli.verify import Health
from cli.workspace import Workspace
from components.traefik.settings import INTERNAL_PORT
from model.checks.entry import TRAEFIK
from model.errors import ConfigError, Problem
from model.naming import LABEL, derive_agent_namespace, derive_namespace
from model.operator import Operator
from model.plan import Plan
from model.settings import KubernetesSettings, Settings
from targets.docker import engine as docker_engine
from targets.docker import host_ports
from targets.kubernetes import preflight
from targets.kubernetes.delivery import read_log
from targets.kubernetes.preflight import connect_cluster, explain_context_error, parse_quantity

_RELOAD = ("/tools/busybox", "kill", "-HUP", "1")
"""Sends Traefik, the first process of its container, the signal to read its routes anew."""
_DELETE_SECONDS = 120
_TARGETS = "/prometheus/api/v1/targets?state=active"


@dataclass(frozen=True, kw_only=True)
class Description:
    """What a platform says of itself: settings by section, and what it cannot give to a stack, as sentences."""

    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    remarks: Sequence[str] = ()


class Host(Protocol):
    """A place where a stack runs."""

    def recover(self, space: Workspace) -> list[str]:
        """Makes a run possible after one that was killed. Returns what was done, as sentences."""

    def check_preflight(self, plan: Plan) -> list[str]:
        """What stands in the way of a run, asked before Pulumi asks for each resource, as sentences."""

    def describe(self, settings: Settings) -> Description:
        """What the platform says of itself that a stack's settings must agree with."""

    def list_unseen(self, plan: Plan, timeout: float) -> list[str]:
        """What runs and is watched by nobody although all is up, after at most `timeout` seconds, as sentences."""

    def order_certificate(self, plan: Plan) -> None:
        """Has the entry point order a certificate that it lacks."""

    def compute_digest(self, plan: Plan) -> str:
        """Digest of all that is there of the stack, as `cli.drift` compares it; empty where that is not known."""

    def list_urns_to_replace(self, space: Workspace) -> list[str]:
        """URNs of what must be made again although its inputs are the same."""

    def wait_healthy(self, timeout: float) -> list[Health]:
        """Waits until every workload is well, at most `timeout` seconds; returns how they are then."""

    def wait_targets(self, timeout: float) -> list[dict[str, Any]]:
        """Waits until every target is up, at most `timeout` seconds; returns them as Prometheus' API describes them."""

    def read_last_log_lines(self) -> list[tuple[str, str]]:
        """Name and last lines of everything that is not well."""

    def list_alertmanagers(self) -> Sequence[Instance]:
        """The running Alertmanagers."""

    def list_volumes(self) -> list[str]:
        """Names of the data volumes that are there."""

    def purge_volumes(self) -> None:
        """Removes the data volumes."""


def open_host(stack: str, location: Location) -> Host:
    """The engine or the cluster where a stack runs.

    Raises:
        ConfigError: the kubeconfig leads to no cluster.
        SystemExit: no engine answers.
    """
    if location.target == "kubernetes":
        return ClusterHost(stack, location.kubernetes, location.operator)
    return DockerHost(stack, engine.connect_engine(location.docker))


class DockerHost:
    """A Docker engine."""

    def __init__(self, stack: str, client: docker.DockerClient) -> None:
        self._stack, self._client = stack, client

    def recover(self, space: Workspace) -> list[str]:
        """See `Host`."""
        return recover.recover_stack(space, self._client)

    def check_preflight(self, plan: Plan) -> list[str]:
        """See `Host`, `targets.docker.engine.check_engine` and `targets.docker.host_ports.check_host_ports`."""
        settings = plan.settings.docker
        facts = docker_engine.read_facts(self._client, engine.find_address(settings))
        ports = host_ports.check_host_ports(plan, self._client.api.containers(), local=facts.local)
        return [*docker_engine.check_engine(settings, facts), *ports]

    def describe(self, settings: Settings) -> Description:
        """See `Host`."""
        facts = docker_engine.read_facts(self._client, engine.find_address(settings.docker))
        return Description(settings={"docker": facts.list_settings()}, remarks=facts.list_remarks())

    def list_unseen(self, plan: Plan, timeout: float) -> list[str]:
        """See `Host`: containers without metrics, a stack without lines, an entry point without its certificate."""
        sentences = verify.list_unseen(self._client, plan, timeout)
        return sentences + certificate.wait_certificate(
            plan.settings,
            self._fetch_metrics,
            lambda: verify.read_last_log_lines(self._get_entry_container(), certificate.LINES),
            timeout,
        )

    def order_certificate(self, plan: Plan) -> None:
        """See `Host`."""
        certificate.order_certificate(
            plan.settings, self._fetch_metrics, lambda: self._get_entry_container().kill(signal="SIGHUP")
        )

    def _get_entry_container(self) -> Container:
        return self._client.containers.get(f"{self._stack}-{TRAEFIK}")

    def _fetch_metrics(self) -> str:
        url = f"http://127.0.0.1:{INTERNAL_PORT}/metrics"
        return verify.fetch_url(self._client, self._stack, TRAEFIK, url)

    def compute_digest(self, plan: Plan) -> str:
        """See `Host` and `cli.drift.read_digest`."""
        mirror = plan.settings.docker.registry_mirror
        names = {plan.images[name].reference(mirror) for name in render.list_images(plan)}
        return drift.read_digest(self._client, self._stack, names)

    def list_urns_to_replace(self, space: Workspace) -> list[str]:
        """See `Host`: what was left unfinished, who sees no container, and who is not in a network of its own."""
        state = space.export_state()
        blind = [f"{self._stack}-cadvisor"] if verify.is_blind(self._client, self._stack) else []
        urns = [*recover.list_unfinished(state), *recover.list_container_urns(state, blind)]
        detached = recover.list_detached(state, verify.list_networks(self._client, self._stack))
        return list(dict.fromkeys((*urns, *detached)))

    def wait_healthy(self, timeout: float) -> list[Health]:
        """See `Host`."""
        return verify.wait_healthy(self._client, self._stack, timeout=timeout)

    def wait_targets(self, timeout: float) -> list[dict[str, Any]]:
        """See `Host`."""
        return verify.wait_targets(self._client, self._stack, timeout=timeout)

    def read_last_log_lines(self) -> list[tuple[str, str]]:
        """See `Host`."""
        services = verify.list_services(self._client, self._stack)
        return [(str(c.name), verify.read_last_log_lines(c)) for c in services if not verify.read_health(c).good]

    def list_alertmanagers(self) -> Sequence[Instance]:
        """See `Host`."""
        names = {verify.read_health(c).workload for c in verify.list_services(self._client, self._stack)}
        return [InContainer(self._client, self._stack)] if alertmanagers.NAME in names else []

    def list_volumes(self) -> list[str]:
        """See `Host`."""
        return [str(volume.name) for volume in recover.list_volumes(self._client, self._stack)]

    def purge_volumes(self) -> None:
        """See `Host`."""
        for volume in recover.list_volumes(self._client, self._stack):
            volume.remove()


class ClusterHost:
    """The two namespaces of a stack on a cluster; Prometheus is in a third one where an operator runs it."""

    def __init__(self, stack: str, settings: KubernetesSettings, operator: Operator | None = None) -> None:
        self._stack, self._operator = stack, operator
        self.namespace = derive_namespace(stack, settings)
        try:
            self.api = kubernetes.client.CoreV1Api(connect_cluster(settings))
        except (ConfigException, OSError) as error:
            raise ConfigError([Problem("target kubernetes", explain_context_error(settings, error))]) from None

    def recover(self, space: Workspace) -> list[str]:
        """See `Host`. Objects that exist already are taken over by the next run, so none is removed here."""
        return recover.recover_stack(space, None)

    def check_preflight(self, plan: Plan) -> list[str]:
        """See `Host` and `targets.kubernetes.preflight.check_cluster`."""
        return preflight.check_cluster(build_cluster_scope(plan), plan.list_workloads(), plan.extra_objects)

    def describe(self, settings: Settings) -> Description:
        """See `Host`: nothing, as no setting depends on it."""
        return Description()

    def list_unseen(self, plan: Plan, timeout: float) -> list[str]:
        """See `Host`: the certificate alone, as the kubelets name their pods by themselves."""
        return certificate.wait_certificate(
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

    def _run(self, pod: Any, container: str, *command: str) -> None:
        """Runs a command in a container of a pod."""
        meta = pod.metadata
        stream(
            self.api.connect_get_namespaced_pod_exec, meta.name, meta.namespace, container=container,
            command=list(command), stdin=False, stdout=True, stderr=True, tty=False,
        )  # fmt: skip

    def compute_digest(self, plan: Plan) -> str:
        """See `Host`: objects of a cluster change all the time, so Pulumi reads them back."""
        return ""

    def list_urns_to_replace(self, space: Workspace) -> list[str]:
        """See `Host`: none, as the provider looks again at what was not ready."""
        return []

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
        deadline = time.monotonic() + timeout
        while True:
            health = [read_pod_health(pod) for pod in self.list_pods()]
            if all(item.good for item in health) or time.monotonic() > deadline:
                return sorted(health, key=lambda item: item.workload)
            time.sleep(0.5)

    def list_alertmanagers(self) -> Sequence[Instance]:
        """See `Host`; those of the operator where there is one."""
        if self._operator is None:
            return [InPod(pod, self.fetch, self.api) for pod in self.list_pods(alertmanagers.NAME)]
        pods = self.api.list_namespaced_pod(self._operator.namespace, label_selector=alertmanagers.PODS).items
        prefix = urlsplit(self._operator.alertmanager).path
        return [InPod(pod, self.fetch, self.api, prefix) for pod in pods]

    def fetch(self, pod: Any, port: int, path: str, body: str | None = None) -> str:
        """What a GET of `path` (with its query) on a pod's port answers, asked through the API server.

        With a body it is a POST of JSON.

        Raises:
            RuntimeError: the request failed.
        """
        plain, _, query = path.partition("?")
        meta = pod.metadata
        try:
            answer = self.api.api_client.call_api(
                f"/api/v1/namespaces/{meta.namespace}/pods/{meta.name}:{port}/proxy{plain}",
                "GET" if body is None else "POST",
                query_params=parse_qsl(query),
                header_params={"Content-Type": "application/json"} if body is not None else {},
                body=None if body is None else json.loads(body),
                auth_settings=["BearerToken"],
                _preload_content=False,
                _return_http_data_only=True,
            )
        except (ApiException, urllib3.exceptions.HTTPError) as error:
            raise RuntimeError(f"{path} of {meta.name}: {error}") from None
        return str(answer.data.decode())

    def list_targets(self) -> list[dict[str, Any]]:
        """The active targets of the Prometheus instance that has fewest of them up, as its API describes them."""
        if self._operator:
            pods = self.api.list_namespaced_pod(self._operator.namespace, label_selector=operator_targets.PODS).items
            return operator_targets.list_targets(
                self._operator,
                pods,
                self.fetch,
                operator_targets.list_expected_pools(self._list_objects, self.namespace),
            )
        instances = self.list_pods("prometheus")
        answers = [json.loads(self.fetch(pod, 9090, _TARGETS))["data"]["activeTargets"] for pod in instances]
        return list(max(answers, key=lambda active: sum(t["health"] != "up" for t in active), default=[]))

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
        deadline = time.monotonic() + timeout * (operator_targets.PATIENCE if self._operator else 1)
        while True:
            try:
                targets = self.list_targets()
            except RuntimeError:  # it has only just begun
                targets = []
            if (targets and all(t["health"] == "up" for t in targets)) or time.monotonic() > deadline:
                return targets
            time.sleep(0.5)

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

    def _read_log(self, pod: Any, container: str, lines: int = certificate.LINES) -> str:
        try:
            return read_log(self.api, pod, container, tail_lines=lines)
        except ApiException as error:
            return f"{container}: {error.reason}"

    def list_volumes(self) -> list[str]:
        """See `Host`."""
        try:
            claims = self.api.list_namespaced_persistent_volume_claim(self.namespace).items
        except ApiException:
            return []
        return sorted(claim.metadata.name for claim in claims)

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
    memory = sum(parse_quantity((c.resources.limits or {}).get("memory", "0")) for c in pod.spec.containers)
    shown = f"{pod.metadata.namespace}/{pod.metadata.name}" + (f" ({restarts} restarts)" if restarts else "")
    return Health(pod.metadata.labels[f"{LABEL}.workload"], word, shown, memory)
