"""Where a stack runs, as the commands see it."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cli import alertmanagers, operator_targets, recover, verify
from cli.alertmanagers import InContainer, InPod
from cli.hosts import ClusterHost, DockerHost, read_pod_health
from model.operator import Operator
from model.settings import Settings
from model.workload import Port
from targets.docker import engine as docker_engine
from targets.docker.engine import EngineFacts
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


def test_an_engine_is_asked_before_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """What it says of itself becomes settings of the section `docker`, and is compared with what the stack says."""
    settings = Settings.model_validate({"system": "shop", "docker": {"host": "tcp://10.0.0.5:2376"}})
    facts = EngineFacts(
        number="A", version="20.10", api=(1, 41), local=False, socket=None, data_root="/data/docker",
        image_store="classic", rootless=False, memory_limit=True, swap_limit=True, cpu_limit=True,
    )  # fmt: skip
    asked: list[str] = []

    def read(client: object, address: str) -> EngineFacts:
        asked.append(address)
        return facts

    monkeypatch.setattr(docker_engine, "read_facts", read)
    engine = fakes.engine_with()
    listed = [{"Names": ["/web"], "Ports": [{"IP": "127.0.0.1", "PublicPort": 8080}]}]
    monkeypatch.setattr(engine, "api", SimpleNamespace(containers=lambda: listed), raising=False)
    host = DockerHost("dev", engine)
    assert host.describe(settings).settings["docker"]["dataRoot"] == "/data/docker"
    workload = SimpleNamespace(ports=(Port(number=8080, publish=8080),))
    plan = SimpleNamespace(stack="dev", settings=settings, workloads={"traefik": (workload,)})
    said, port = host.check_preflight(plan)  # type: ignore[arg-type]
    assert said.startswith("docker.dataRoot: ") and "is taken by the container web" in port
    assert set(asked) == {"tcp://10.0.0.5:2376"}


@pytest.mark.parametrize("blind", [True, False])
def test_who_sees_no_container_is_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, blind: bool) -> None:
    """cAdvisor alone is replaced, beside what a run left unfinished."""
    resources = [
        {"urn": f"urn:{name}", "type": recover.CONTAINER, "outputs": {"name": f"dev-{name}"}, "initErrors": errors}
        for name, errors in {"cadvisor": [], "api": [], "half": ["no"]}.items()
    ]
    state = json.dumps({"deployment": {"resources": resources}})
    monkeypatch.setattr(verify, "is_blind", lambda client, stack: blind)
    result = DockerHost("dev", fakes.engine_with()).list_urns_to_replace(
        fakes.workspace(tmp_path, {"stack export": state})
    )
    assert result == ["urn:half", *(["urn:cadvisor"] if blind else [])]


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
