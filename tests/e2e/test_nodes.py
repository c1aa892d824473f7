"""A stack without a demo on three nodes: what a drain moves, and who is notified of a node that dies.

On another cluster than the rest of the suite, which has one node.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.test_cluster_life import SYSTEM, deployment
from tests.support.clusters import AGENTS, ClusterStack, start_cluster
from tests.support.nodes import Inbox, cut_power, open_inbox
from tests.support.waiting import eventually
from tests.support.yaml_files import write_yaml
from toolchain.cluster.service import build_cluster_daemon
from toolchain.context import build_default_context

NAME, SHOP, NODES = "e2e-nodes", "e2e-shop", 3
LAST = f"node{NODES}"
SERVERS = {"prometheus": 2, "alertmanager": 3}
"""Replicas."""


@pytest.fixture(scope="module")
def kubeconfig() -> Iterator[Path]:
    """Of a cluster of three nodes, which ends with the tests, as one of its nodes has died by then."""
    yield start_cluster(NODES)
    build_cluster_daemon(build_default_context(), NODES).stop(seconds=30)


@pytest.fixture(scope="module")
def inbox(kubeconfig: Path) -> Iterator[Inbox]:
    """Who is notified; outside of the stack."""
    with open_inbox(kubeconfig) as opened:
        yield opened


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory, kubeconfig: Path, inbox: Inbox) -> Iterator[ClusterStack]:
    """A stack that watches a service of somebody else, deployed."""
    own = ClusterStack(tmp_path_factory.mktemp("nodes"), NAME, kubeconfig, ports=28600)
    own.env["KUBECONFIG"] = str(kubeconfig)
    (own.root / "configs/systems/shop.yaml").write_text(write_yaml(SYSTEM))

    def change(config: dict[str, object]) -> None:
        receivers = [{"name": "default", "webhook": {"url": inbox.address}}]
        config |= {
            "system": "shop", "demo": False, "longestFor": "10s",
            "prometheus": {"replicas": SERVERS["prometheus"], "evaluationInterval": "5s"},
            "alertmanager": {"replicas": SERVERS["alertmanager"], "receivers": receivers},
        }  # fmt: skip

    own.edit_settings(change)
    own.kubectl("create", "namespace", SHOP)
    try:
        own.kubectl("apply", f"--namespace={SHOP}", "--filename=-", document=deployment())
        own.kubectl("wait", f"--namespace={SHOP}", "--for=condition=Available", "deployment/api", "--timeout=90s")
        print(f"make up in {own.up().seconds:.0f} s")
        yield own
    finally:
        own.run("down", "--purge")
        own.kubectl("delete", "namespace", SHOP, "--timeout=90s", check=False)


def places(stack: ClusterStack, workload: str) -> set[str]:
    """The nodes of a workload's ready pods."""
    return {pod.spec.node_name for pod in stack.ready(workload)}


def settled(stack: ClusterStack, wanted: dict[str, int]) -> bool:
    """Whether each workload has so many ready pods."""
    return {name: len(stack.ready(name)) for name in wanted} == wanted


def oldest(stack: ClusterStack) -> str:
    """When the first sample of the first Prometheus is from."""
    (series,) = eventually(
        lambda: stack.prom("min(prometheus_tsdb_lowest_timestamp_seconds)"), timeout=90, what="the oldest sample"
    )
    return str(series["value"][1])


def test_agents_are_on_every_node_and_instances_apart(stack: ClusterStack) -> None:
    """Each node has its agents, whose targets are up; no two instances of one server share a node."""
    assert {agent: len(places(stack, agent)) for agent in AGENTS} == dict.fromkeys(AGENTS, NODES)
    assert {name: len(places(stack, name)) for name in SERVERS} == SERVERS
    for service in ("node-exporter", "promtail", "kubelet"):
        query = f'count by (node) (up{{service="{service}"}} == 1)'
        found = eventually(lambda q=query: stack.prom(f"count({q})"), timeout=90, what=query)  # type: ignore[misc]
        assert found[0]["value"][1] == str(NODES), service
    # pods of all nodes reach each other through the policies, or a target would be down
    eventually(lambda: stack.prom('count(up{job="api"} == 1) == 2'), timeout=60, what="the shop's pods")
    assert not stack.prom("up == 0")
    # each Alertmanager knows the others on their nodes, or each would send its own message
    eventually(
        lambda: stack.prom(f"min(alertmanager_cluster_members) == {SERVERS['alertmanager']}"),
        timeout=60,
        what="a full cluster",
    )


def test_a_drained_node_loses_nothing(stack: ClusterStack, inbox: Inbox) -> None:
    """Its pods start elsewhere with their data, disruption budgets let it end, and nobody is notified of a fault."""
    node = next(iter(sorted(places(stack, "loki"))))
    wanted = {name: len(stack.ready(name)) for name in {pod.spec.containers[0].name for pod in stack.host.list_pods()}}
    before, of_grafana = oldest(stack), '{container="grafana"}'
    line = min(eventually(lambda: stack.loki(of_grafana), timeout=60, what="a line"))
    stack.kubectl("drain", node, "--ignore-daemonsets", "--delete-emptydir-data", "--timeout=110s")
    try:
        eventually(lambda: settled(stack, wanted), timeout=240, what=f"{wanted} without {node}")
        left = {pod.spec.containers[0].name for pod in stack.host.list_pods() if pod.spec.node_name == node}
        assert left <= set(AGENTS)
        eventually(lambda: oldest(stack) == before, timeout=90, what="the samples of before")
        eventually(lambda: line in stack.loki(of_grafana), timeout=60, what="a line of before the drain")
        eventually(lambda: not stack.prom("up == 0"), timeout=120, what="every target is up again")
    finally:
        stack.kubectl("uncordon", node)
    assert not inbox.count("KubeNodeNotReady", node, "firing")
    print(f"{node} drained; sent: {dict(inbox.sent)}")


def test_the_death_of_a_node_is_sent_once(stack: ClusterStack, inbox: Inbox, kubeconfig: Path) -> None:
    """What is left of Prometheus and Alertmanager sends one message of it, and another one for each thing missing."""
    before = oldest(stack)
    cut_power(kubeconfig, NODES)
    eventually(lambda: inbox.count("KubeNodeNotReady", LAST, "firing"), timeout=300, what="a message of the node")
    # what no volume ties to the node starts anew elsewhere
    eventually(
        lambda: LAST not in places(stack, "kube-state-metrics"), timeout=180, what="kube-state-metrics elsewhere"
    )
    assert stack.prom("vector(1)")
    # StatefulSets wait until somebody says that the node will not come back
    stack.kubectl("delete", "node", LAST)
    eventually(lambda: settled(stack, {**SERVERS, "loki": 1, "grafana": 1}), timeout=300, what="all elsewhere")
    eventually(lambda: oldest(stack) == before, timeout=90, what="the samples of before")
    assert inbox.count("KubeNodeNotReady", LAST, "firing") == 1, dict(inbox.sent)
    eventually(lambda: inbox.count("KubeNodeNotReady", LAST, "resolved"), timeout=420, what="its end")
    print(f"sent: {json.dumps({' '.join(key): times for key, times in inbox.sent.items()})}")
