"""A stack on a cluster, without one: how its pods are, and who is asked."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

from cli import alertmanagers, operator_targets
from cli.alertmanagers import InContainer
from cli.cluster_host import ClusterHost, InPod, read_pod_health
from cli.hosts import DockerHost
from model.operator import Operator
from tests.support import fakes


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
