"""The parts of measurements on a cluster that can be judged without one."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from bench import lifecycle_cluster
from cli.cluster_host import ClusterHost
from cli.render import plan_file
from targets.kubernetes.storage import group_secret_files

ROOT = Path(__file__).resolve().parents[2]


class Pods:
    """A host with two instances of Prometheus, each with rules of its own."""

    def __init__(self, *rules: str) -> None:
        self.rules = rules

    def list_pods(self, workload: str) -> list[Any]:
        """The instances."""
        assert workload == "prometheus"
        return [SimpleNamespace(number=number) for number in range(len(self.rules))]

    def fetch(self, pod: Any, port: int, path: str) -> str:
        """The rules of an instance."""
        return self.rules[int(pod.number)]


def test_a_rule_is_live_when_every_instance_has_it() -> None:
    """One of two is not enough, and neither is none of none."""
    for rules, wanted in {("New", "Old New"): True, ("New", "Old"): False, (): False}.items():
        assert lifecycle_cluster.is_live(cast(ClusterHost, Pods(*rules)), "New") is wanted


def test_the_peer_is_given_the_whole_stack() -> None:
    """Namespaces come first, and every Secret that a pod mounts is there, with content of its own."""
    plan = plan_file(ROOT / "Pulumi.prod.yaml", "prod")
    every = lifecycle_cluster._build_documents(plan)
    kinds = [item["kind"] for item in every]
    assert kinds[:2] == ["Namespace", "Namespace"] and {"StatefulSet", "DaemonSet", "ConfigMap"} <= set(kinds)
    secrets = {item["metadata"]["name"]: item["stringData"] for item in every if item["kind"] == "Secret"}
    wanted = {name for workload in plan.list_workloads() for name in group_secret_files(workload)}
    assert {"grafana-secrets", "traefik-reread"} <= wanted and set(secrets) == wanted
    assert all(len(value) > 20 for files in secrets.values() for value in files.values())
