"""A stack on a cluster, without one: how its pods are, and who is asked."""

from __future__ import annotations

import http.server
import json
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import kubernetes  # type: ignore[import-untyped]  # it publishes no types
import pytest

from cli import alertmanagers, cluster_host, operator_targets
from cli.alertmanagers import InContainer
from cli.cluster_host import ClusterHost, InPod, read_pod_health
from cli.hosts import DockerHost
from cli.render import plan_file
from model.deviation import Drift
from model.operator import Operator
from model.workload import ConfigDir
from targets.kubernetes import drift as kubernetes_drift
from targets.kubernetes import strangers
from targets.kubernetes.ownership import Reference
from tests.support import fakes
from tests.support.serving import serving
from tests.support.systems import ROOT


def pod(*, ready: bool, waiting: str | None = None, restarts: int = 0) -> Any:
    """A pod as the API gives it."""
    state = SimpleNamespace(waiting=SimpleNamespace(reason=waiting, message=None) if waiting else None)
    return SimpleNamespace(
        metadata=SimpleNamespace(
            name="loki-0", namespace="monitoring-dev", labels={"io.observability.workload": "loki"}
        ),
        status=SimpleNamespace(
            phase="Running",
            conditions=[SimpleNamespace(type="Ready", status="True" if ready else "False")],
            container_statuses=[SimpleNamespace(state=state, restart_count=restarts)],
        ),
        spec=SimpleNamespace(containers=[SimpleNamespace(resources=SimpleNamespace(limits={"memory": "256Mi"}))]),
    )


def test_a_pod_is_well_when_it_is_ready() -> None:
    """Its health has its workload, its place and what it may use."""
    result = read_pod_health(pod(ready=True))
    assert result.good
    assert (result.workload, result.url, result.memory_limit) == ("loki", "monitoring-dev/loki-0", 256 * 2**20)


def test_a_pod_that_waits_says_why() -> None:
    """The reason is the state, and restarts are shown."""
    result = read_pod_health(pod(ready=False, waiting="ImagePullBackOff", restarts=3))
    assert not result.good
    assert result.state == "ImagePullBackOff" and "3 restarts" in result.url
    assert not read_pod_health(pod(ready=False)).good


class _Api:
    """A cluster in which only an operator's Prometheus runs, and one object of the stack."""

    api_client = None

    def list_namespaced_pod(self, namespace: str, label_selector: str) -> Any:
        """Pods by namespace."""
        assert (namespace, label_selector) == ("monitoring", operator_targets.PODS)
        return SimpleNamespace(items=["its pod"])


def test_an_operators_prometheus_is_asked_in_its_namespace(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the pods that the operator made, for the pools that the stack's objects become."""
    host = ClusterHost.__new__(ClusterHost)
    host._stack, host._operator, host.namespace, host.api = "dev", Operator(), "monitoring-dev", _Api()
    monkeypatch.setattr(host, "_list_objects", lambda *_: [{"metadata": {"name": "api"}}] if _[2] == "probes" else [])
    answers = {"scrape_pools": {"scrapePools": ["probe/monitoring-dev/api"]}, "targets": {"activeTargets": []}}
    monkeypatch.setattr(
        host, "fetch", lambda pod, port, path: json.dumps({"data": answers[path.split("/")[3].partition("?")[0]]})
    )
    assert host.list_targets() == []
    answers["scrape_pools"] = {"scrapePools": []}
    assert [target["scrapeUrl"] for target in host.list_targets()] == ["probe/monitoring-dev/api"]


def test_alertmanagers_are_asked_where_they_run() -> None:
    """The stack's container, its pods, or the pods of an operator; none where none runs."""
    (inside,) = DockerHost("dev", fakes.engine_with(fakes.service("alertmanager"))).list_alertmanagers()
    assert isinstance(inside, InContainer)
    assert DockerHost("dev", fakes.engine_with(fakes.service("grafana"))).list_alertmanagers() == []
    host = ClusterHost.__new__(ClusterHost)
    host._stack, host._operator, host.namespace = "dev", Operator(), "monitoring-dev"
    host.api = SimpleNamespace(
        list_namespaced_pod=lambda home, label_selector: SimpleNamespace(items=[(home, label_selector)])
    )
    (theirs,) = host.list_alertmanagers()
    assert isinstance(theirs, InPod) and theirs.prefix == ""
    assert theirs.pod == ("monitoring", alertmanagers.PODS)


def test_one_in_a_pod_is_asked_through_the_api() -> None:
    """By its port and prefix; an operator's has another prefix."""
    seen: list[tuple[Any, ...]] = []

    def fetch(pod: Any, port: int, path: str, body: str | None) -> str:
        seen.append((port, path, body))
        return "answer"

    pod = SimpleNamespace(metadata=SimpleNamespace(name="alertmanager-0", namespace="monitoring-dev"))
    api = SimpleNamespace(
        read_namespaced_pod_log=lambda name, home, **options: SimpleNamespace(data=f"{name} {home}".encode())
    )
    assert InPod(pod, fetch, api).ask("/metrics") == "answer"
    InPod(pod, fetch, api, "").ask("/api/v2/alerts", "[]")
    assert seen == [(9093, "/alertmanager/metrics", None), (9093, "/api/v2/alerts", "[]")]
    assert InPod(pod, fetch, api).read_log(0) == "alertmanager-0 monitoring-dev"


class _Forward:
    """A forwarded port behind which a process gives one answer."""

    def __init__(self, answer: str, error: str | None = None) -> None:
        self._here, self.process = socket.socketpair()
        self.process.sendall(answer.encode())
        self.process.shutdown(socket.SHUT_WR)
        self._error = error

    def socket(self, _: int) -> socket.socket:
        """The way to the process."""
        return self._here

    def error(self, _: int) -> str | None:
        """What the kubelet says."""
        return self._error

    def close(self) -> None:
        """There is no request after this one."""


def _asked(monkeypatch: pytest.MonkeyPatch, forward: _Forward, body: str | None = None) -> str:
    """What a host fetches by that way."""
    host = ClusterHost.__new__(ClusterHost)
    host.api = SimpleNamespace(connect_get_namespaced_pod_portforward=None)
    monkeypatch.setattr("cli.cluster_host.portforward", lambda *_, **__: forward)
    return host.fetch(pod(ready=True), 9090, "/api/v1/targets?state=active", body)


def test_a_pod_is_asked_within_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """By a forwarded port, as no policy lets in what comes from the API server; with a body it is a POST of JSON."""
    forward = _Forward("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nwell")
    assert _asked(monkeypatch, forward, "[]") == "well"
    request = forward.process.recv(4096).decode()
    assert request.startswith("POST /api/v1/targets?state=active HTTP/1.1\r\n") and request.endswith("\r\n\r\n[]")
    assert "Content-Type: application/json" in request


@pytest.mark.parametrize(
    ("forward", "words"),
    [
        (_Forward("HTTP/1.1 503 Unavailable\r\nContent-Length: 5\r\n\r\nlater"), "503 Unavailable: later"),
        (_Forward(""), ""),
        (_Forward("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "no such port"), "no such port"),
    ],
)
def test_a_pod_that_does_not_answer_is_named(monkeypatch: pytest.MonkeyPatch, forward: _Forward, words: str) -> None:
    """Its name, the path and the reason."""
    with pytest.raises(RuntimeError, match=rf"^/api/v1/targets\S* of loki-0: .*{words}"):
        _asked(monkeypatch, forward)


class _Refusing(http.server.BaseHTTPRequestHandler):
    """An API server that refuses a web socket, as it does while the pod is not there yet."""

    def do_GET(self) -> None:
        """Answers 500."""
        self.send_error(500, "pod not found")

    def log_message(self, *_: object) -> None:
        """Is silent."""


def test_a_refused_forward_is_a_reason() -> None:
    """The client itself fails over the missing body of a refusal; a pod that only begins is then waited for."""
    with serving(_Refusing) as address:
        there = kubernetes.client.Configuration(host=f"http://{address}")
        host = ClusterHost.__new__(ClusterHost)
        host.api = kubernetes.client.CoreV1Api(kubernetes.client.ApiClient(there))
        with pytest.raises(RuntimeError, match=r"(?s)^/-/ready of loki-0: .*pod not found"):
            host.fetch(pod(ready=True), 9090, "/-/ready")


def test_targets_that_nobody_tells_are_not_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Prometheus that does not answer is waited for, and in the end the reason is given in place of an empty list."""
    host = ClusterHost.__new__(ClusterHost)
    host._operator = None

    def refuse() -> list[dict[str, Any]]:
        raise RuntimeError("connection refused")

    monkeypatch.setattr(host, "list_targets", refuse)
    with pytest.raises(RuntimeError, match="connection refused"):
        host.wait_targets(0)


def test_tunnels_are_opened_one_after_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """The client puts another way of asking into the place of its own while it forwards a port, for everybody."""
    host, inside, most = ClusterHost.__new__(ClusterHost), [0], [0]
    host._forwarding = threading.Lock()

    def open_one(*_: object) -> None:
        inside[0] += 1
        most[0] = max(most[0], inside[0])
        time.sleep(0)  # lets another thread in
        inside[0] -= 1

    monkeypatch.setattr(host, "_open_tunnel", open_one)
    with ThreadPoolExecutor(8) as pool:
        for _ in range(200):
            pool.submit(host.open_tunnel, "traefik", 8080)
    assert most == [1]


def test_a_cluster_is_compared_with_the_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    """All of its objects and documents; a cluster that does not answer is no drift, and no absence of it."""
    host = ClusterHost.__new__(ClusterHost)
    host._stack, host._operator, host.namespace, host.api = "prod", None, "monitoring-prod", _Api()
    plan = plan_file(ROOT / "Pulumi.prod.yaml", "prod")
    kinds: set[str] = set()

    def compare(client: object, stack: str, declared: list[Any]) -> Drift:
        kinds.update(item["kind"] for item in declared)
        if stack == "gone":
            raise OSError("no route")
        return Drift(notes=(stack,))

    monkeypatch.setattr(kubernetes_drift, "compare_cluster", compare)
    assert host.compare(plan) == Drift(notes=("prod",)) and host.restore(plan) == []
    assert kinds >= {"Namespace", "ConfigMap", "StatefulSet", "NetworkPolicy"}
    host._stack = "gone"
    with pytest.raises(RuntimeError, match="does not answer: no route"):
        host.compare(plan)


def test_documents_are_asked_of_every_running_pod(monkeypatch: pytest.MonkeyPatch) -> None:
    """In its own container; where that is not allowed, nothing is known of them."""
    host = ClusterHost.__new__(ClusterHost)
    running, waiting = pod(ready=True), pod(ready=False)
    waiting.status.phase = "Pending"
    monkeypatch.setattr(host, "list_pods", lambda workload: [running, waiting])
    monkeypatch.setattr(host, "_run", lambda pod, container, *command: f"{'0' * 64}  loki.yaml")
    workload = SimpleNamespace(name="loki", config=ConfigDir(path="/etc/loki", files={"loki.yaml": "a"}))
    plan: Any = SimpleNamespace(list_workloads=lambda: [workload])
    (item,) = host.compare_documents(plan)["loki"].deviations
    assert item.name == "loki-0:/etc/loki/loki.yaml"

    def refuse(*_: object) -> str:
        raise kubernetes.client.exceptions.ApiException(status=403, reason="Forbidden")

    monkeypatch.setattr(host, "_run", refuse)
    assert "Forbidden" in host.compare_documents(plan)["loki"].unread[0]


def test_a_program_runs_in_a_pod_of_its_workload(monkeypatch: pytest.MonkeyPatch) -> None:
    """In one that runs, in the container of the workload's name; where none does, that is said."""
    host = ClusterHost.__new__(ClusterHost)
    host._stack, host.namespace, host.api = "dev", "monitoring-dev", _Api()
    asked: list[tuple[Any, ...]] = []

    def run(api: Any, *rest: Any) -> int:
        asked.append(rest)
        return 3

    monkeypatch.setattr(cluster_host, "run_in_pod", run)
    running = pod(ready=True)
    monkeypatch.setattr(host, "list_pods", lambda workload=None: [running])
    assert host.run_program("loki", ["run"], print) == 3 and asked == [(running, "loki", ["run"], print)]
    monkeypatch.setattr(host, "list_pods", lambda workload=None: [])
    with pytest.raises(RuntimeError, match="no pod of loki runs in monitoring-dev"):
        host.run_program("loki", ["run"], print)


@pytest.mark.parametrize(
    ("data", "looked_at"), [(True, ["monitoring-dev", "monitoring-dev-agents"]), (False, ["monitoring-dev-agents"])]
)
def test_what_would_go_with_a_namespace_is_named(
    monkeypatch: pytest.MonkeyPatch, data: bool, looked_at: list[str]
) -> None:
    """In the namespaces that go: the one with the data stays with it."""
    host = ClusterHost.__new__(ClusterHost)
    host._stack, host.namespace, host.api = "dev", "monitoring-dev", _Api()
    asked: list[str] = []

    def look(_: Any, stack: str, namespaces: list[str]) -> list[Reference]:
        assert stack == "dev"
        asked.extend(namespaces)
        return [Reference("v1", "Pod", namespaces[-1], "debug")]

    monkeypatch.setattr(strangers, "list_strangers", look)
    (said,) = host.list_uses(data=data)
    assert said.startswith("Pod debug in namespace monitoring-dev-agents, which is not part of it, would go")
    assert asked == looked_at
