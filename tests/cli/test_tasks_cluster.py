"""Tasks on a cluster, without one: what its API is asked for."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import kubernetes  # type: ignore[import-untyped]  # it publishes no types
import pytest
from kubernetes.client.exceptions import ApiException  # type: ignore[import-untyped]

from cli import tasks_cluster
from cli.tasks import Task
from cli.tasks_cluster import ClusterTasks, run_in_pod
from model.plan import Plan
from model.workload import Workload
from tests.components.backup.test_component import S3, settings
from tests.support.systems import plan_cluster


def terminated(code: int) -> Any:
    """The state of a container that has ended."""
    return SimpleNamespace(state=SimpleNamespace(terminated=SimpleNamespace(exit_code=code), waiting=None))


class Cluster:
    """The part of the API that a task needs: remembers what was made and removed.

    Args:
        claims: names of claims that are there.
        phases: of the pod, each time that it is looked at; the last one stays.
        code: its exit status.
        log: what it prints.
    """

    api_client = None

    def __init__(
        self, claims: tuple[str, ...] = (), phases: tuple[str, ...] = ("Succeeded",), code: int = 0, log: bytes = b""
    ) -> None:
        self.claims, self.phases, self.code, self.log = list(claims), list(phases), code, log
        self.made: list[dict[str, Any]] = []
        self.removed: list[str] = []
        self.there: dict[str, str] = {}
        self.refuses = ""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("create_"):
            return self._create
        if name.startswith("delete_namespaced_"):
            return lambda key, namespace, **_: self._delete(name.removeprefix("delete_namespaced_"))
        raise AttributeError(name)

    def _create(self, *arguments: Any) -> None:
        item = arguments[-1]
        if item["kind"] == self.refuses:
            raise ApiException(403, "Forbidden")
        if item["kind"] == "Namespace" and "Namespace" in self.there:
            raise ApiException(409, "AlreadyExists")
        self.there[item["kind"]] = item["metadata"]["name"]
        self.made.append(item)

    def _delete(self, kind: str) -> None:
        found = next((name for name in self.there if name.lower() == kind.replace("_", "")), None)
        if found is None:
            raise ApiException(404, "NotFound")
        del self.there[found]
        self.removed.append(found)

    def read_namespaced_persistent_volume_claim(self, name: str, namespace: str) -> None:
        """A claim that is there."""
        if name not in self.claims:
            raise ApiException(404, "NotFound")

    def list_namespaced_pod(self, namespace: str, label_selector: str) -> Any:
        """The pod of the Job, while that is there."""
        if "Job" not in self.there:
            return SimpleNamespace(items=[])
        assert label_selector == f"io.observability.task={self.there['Job']}"
        phase = self.phases.pop(0) if len(self.phases) > 1 else self.phases[0]
        status = SimpleNamespace(phase=phase, container_statuses=[terminated(self.code)], conditions=[])
        meta = SimpleNamespace(name="pod", namespace=namespace)
        return SimpleNamespace(items=[SimpleNamespace(metadata=meta, status=status)])

    def read_namespaced_pod_log(self, name: str, namespace: str, **options: Any) -> Any:
        """All that the pod prints, once."""
        text, self.log = self.log, b""
        return SimpleNamespace(stream=lambda: iter([text]))


@pytest.fixture
def planned(tmp_path: Path) -> Plan:
    """The shop with backups on a cluster, with two instances of Prometheus."""
    return plan_cluster(tmp_path, settings=settings(S3, prometheus={"replicas": 2}))


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for a cluster that is none."""
    monkeypatch.setattr(tasks_cluster, "_POLL", 0)
    monkeypatch.setattr(kubernetes.client, "BatchV1Api", lambda client: client)


def agent(planned: Plan, name: str = "prometheus") -> Workload:
    """The agent beside a workload."""
    return next(item for item in planned.workloads["backup"] if item.beside == name)


def tasks(cluster: Cluster, planned: Plan, *pods: str) -> ClusterTasks:
    """Tasks of the shop on that cluster, with such pods of the stack."""
    cluster.api_client = cluster  # type: ignore[assignment]
    listed = [SimpleNamespace(metadata=SimpleNamespace(name=name)) for name in pods]
    return ClusterTasks(cluster, planned, lambda: listed)


def test_a_task_is_a_job_that_leaves_nothing(planned: Plan) -> None:
    """Its lines are handed on, its exit status is the program's, and all that it had is removed."""
    cluster, said = Cluster(phases=("Pending", "Running", "Failed"), code=3, log=b"one\ntwo\n"), list[str]()
    task = Task(agent=agent(planned), command=("do", "it"), secrets={"/run/secrets/backup-passphrase": "canary"})
    assert tasks(cluster, planned).run(task, said.append) == 3 and said == ["one", "two"]
    assert [item["kind"] for item in cluster.made] == ["Namespace", "Secret", "ConfigMap", "Job"]
    assert cluster.made[0]["metadata"]["name"] == "monitoring-dev"
    assert sorted(cluster.removed) == ["ConfigMap", "Job", "Secret"]


def test_a_namespace_that_is_there_stays(planned: Plan) -> None:
    """A stack that was removed leaves its own behind."""
    cluster = Cluster()
    cluster.there["Namespace"] = "monitoring-dev"
    assert tasks(cluster, planned).run(Task(agent=agent(planned), command=("x",)), lambda _: None) == 0


def test_each_instance_has_a_claim_that_is_filled(planned: Plan) -> None:
    """As the stack's own run makes it, so that it takes it over."""
    cluster = Cluster()
    made = tasks(cluster, planned)
    names = made.list_volumes(agent(planned))
    assert names == ["prometheus-data-prometheus-0", "prometheus-data-prometheus-1"]
    made.make_volume(agent(planned), names[1])
    claim = cluster.made[-1]
    assert (claim["kind"], claim["metadata"]["name"]) == ("PersistentVolumeClaim", names[1])
    assert claim["metadata"]["labels"]["io.observability.workload"] == "prometheus"


def test_what_is_in_a_claim_is_known_before(planned: Plan) -> None:
    """One that is not there is empty, and nothing is made for it; one that cannot be read is no empty one."""
    cluster = Cluster(claims=("prometheus-data-prometheus-0",), log=b"wal\n")
    made = tasks(cluster, planned)
    assert made.list_content(agent(planned), "prometheus-data-prometheus-1") == [] and cluster.made == []
    assert made.list_content(agent(planned), "prometheus-data-prometheus-0") == ["wal"]
    (container,) = cluster.made[-1]["spec"]["template"]["spec"]["containers"]
    assert container["image"].startswith("busybox") and container["command"] == ["/bin/busybox", "ls", "-A", "/data"]
    cluster.code, cluster.phases = 1, ["Failed"]
    with pytest.raises(RuntimeError, match="cannot be looked into"):
        made.list_content(agent(planned), "prometheus-data-prometheus-0")


def test_a_refusal_is_said_and_leaves_nothing(planned: Plan) -> None:
    """A right that this user lacks, with what it is about."""
    cluster = Cluster()
    cluster.refuses = "Job"
    with pytest.raises(RuntimeError, match="backup-prometheus-task: 403 Forbidden"):
        tasks(cluster, planned).run(Task(agent=agent(planned), command=("x",)), lambda _: None)
    assert sorted(cluster.removed) == ["ConfigMap", "Secret"]
    cluster.refuses = "PersistentVolumeClaim"
    with pytest.raises(RuntimeError, match="PersistentVolumeClaim prometheus-data-prometheus-0: 403"):
        tasks(cluster, planned).make_volume(agent(planned), "prometheus-data-prometheus-0")


def test_a_pod_that_does_not_begin_is_said(planned: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the cluster's own words, after a while."""
    monkeypatch.setattr(tasks_cluster, "_BEGIN_SECONDS", -1)
    monkeypatch.setattr(tasks_cluster, "_explain_wait", lambda pod: "ErrImagePull")
    cluster = Cluster(phases=("Pending",))
    with pytest.raises(RuntimeError, match=r"does not begin .* ErrImagePull"):
        tasks(cluster, planned).run(Task(agent=agent(planned), command=("x",)), lambda _: None)
    assert "Job" in cluster.removed


def test_why_a_pod_waits_is_known() -> None:
    """Its containers' reasons, and conditions that do not hold."""
    waiting = SimpleNamespace(waiting=SimpleNamespace(reason="ErrImagePull", message="no such image"))
    condition = SimpleNamespace(status="False", message="0/3 nodes are available")
    status = SimpleNamespace(
        phase="Pending", container_statuses=[SimpleNamespace(state=waiting)], conditions=[condition]
    )
    said = tasks_cluster._explain_wait(SimpleNamespace(status=status))
    assert said == "ErrImagePull: no such image; 0/3 nodes are available"
    assert "no pod" in tasks_cluster._explain_wait(None)


def test_what_runs_is_listed(planned: Plan) -> None:
    """Pods of the stack by name."""
    assert tasks(Cluster(), planned, "loki-0", "grafana-0").list_running() == ["grafana-0", "loki-0"]


class Channel:
    """An exec in a pod: output that comes in pieces, and an exit status."""

    returncode = 4

    def __init__(self, *pieces: str) -> None:
        self._pieces = list(pieces)

    def is_open(self) -> bool:
        """Whether more may come."""
        return bool(self._pieces)

    def update(self, timeout: int) -> None:
        """Nothing, as all is there."""

    def peek_stdout(self) -> str:
        """The next piece."""
        return self._pieces[0] if self._pieces else ""

    def read_stdout(self) -> str:
        """The next piece, which is gone then."""
        return self._pieces.pop(0)

    def peek_stderr(self) -> str:
        """Nothing."""
        return ""

    read_stderr = peek_stderr


def test_a_program_in_a_pod_says_its_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    """As they come, and its exit status is known."""
    asked: dict[str, Any] = {}

    def stream(call: Any, name: str, namespace: str, **options: Any) -> Channel:
        asked.update(options, name=name)
        return Channel("on", "e\ntw", "o")

    monkeypatch.setattr(tasks_cluster, "stream", stream)
    said: list[str] = []
    pod = SimpleNamespace(metadata=SimpleNamespace(name="backup-loki-0", namespace="n"))
    api = SimpleNamespace(connect_get_namespaced_pod_exec=None)
    assert run_in_pod(api, pod, "backup-loki", ["run"], said.append) == 4 and said == ["one", "two"]
    assert (asked["name"], asked["container"], asked["command"]) == ("backup-loki-0", "backup-loki", ["run"])
