"""The network of a cluster lets through what workloads declare, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

import pytest

from cli.render import plan_file
from targets.kubernetes.network import list_listening_ports
from tests.support.clusters import ClusterStack
from tests.support.pods import web
from tests.support.running import RunningStack
from tests.support.waiting import eventually

NAME = "e2e-stranger"
PORT = 8080
REACHING_OUT = {
    "prometheus", "alertmanager", "traefik", "promtail", "kube-state-metrics", "blackbox-exporter", "postgres-exporter",
}  # fmt: skip
"""Workloads that connect to what is not the stack's: targets, databases, the API, receivers, certificates' issuers."""
Address = tuple[str, str, int]


@dataclass(frozen=True)
class Stranger:
    """A pod of a namespace that has nothing to do with the stack: it serves on a port, and tries those of others."""

    cluster: ClusterStack
    address: str

    def reaches(self, addresses: list[Address]) -> set[tuple[str, int]]:
        """Those that let it in, as (workload, port)."""
        script = _script(addresses, "/bin/busybox")
        done = self.cluster.kubectl("exec", f"--namespace={NAME}", NAME, "--", "sh", "-c", script)
        return _read(done.stdout)


def _script(addresses: list[Address], program: str) -> str:
    tries = (
        f"{program} nc -w 2 {ip} {port} -e {program} true 2>&- && echo {name} {port}" for name, ip, port in addresses
    )
    return "\n".join([*tries, "true"])


def _read(text: str) -> set[tuple[str, int]]:
    return {(name, int(port)) for name, port in (line.split() for line in text.splitlines())}


@pytest.fixture(scope="module")
def stranger(stack: RunningStack) -> Iterator[Stranger]:
    """It comes and goes with these tests."""
    cluster = cast(ClusterStack, stack)
    cluster.kubectl("create", "namespace", NAME)
    try:
        cluster.kubectl("apply", f"--namespace={NAME}", "--filename=-", document=web(NAME, "hello", PORT))
        cluster.kubectl("wait", f"--namespace={NAME}", "--for=condition=Ready", f"pod/{NAME}", "--timeout=60s")
        yield Stranger(cluster, cluster.api.read_namespaced_pod(NAME, NAME).status.pod_ip)
    finally:
        cluster.kubectl("delete", "namespace", NAME, "--wait=false")


def _addresses(cluster: ClusterStack) -> tuple[list[Address], set[tuple[str, int]]]:
    """Every port on which a pod of the stack listens, and those of them that are the edge's."""
    found: list[Address] = []
    exposed = set()
    for workload in plan_file(cluster.settings_in_use, cluster.name).list_workloads():
        for pod in cluster.ready(workload.name):
            found += [(workload.name, pod.status.pod_ip, port) for port in list_listening_ports(workload)]
        if workload.exposed:
            exposed |= {(workload.name, port.number) for port in workload.ports}
    return found, exposed


def test_a_stranger_reaches_the_edge_alone(stranger: Stranger) -> None:
    """From another namespace no port of the stack answers, save the edge's; a pod of the stack reaches them all."""
    addresses, exposed = _addresses(stranger.cluster)
    every = {(name, port) for name, _, port in addresses}
    inside = _read(stranger.cluster.sh("prometheus", _script(addresses, "/tools/busybox")))
    assert inside == every, every - inside
    assert exposed
    eventually(lambda: stranger.reaches(addresses) == exposed, timeout=30, what="the edge alone is reached")
    print(f"{len(every)} ports: {len(exposed)} of the edge open to a stranger")


def test_out_it_goes_as_far_as_declared(stranger: Stranger) -> None:
    """A workload that says that it needs the stack alone cannot connect to a stranger; one that says more can."""
    target: list[Address] = [(NAME, stranger.address, PORT)]
    plan = plan_file(stranger.cluster.settings_in_use, stranger.cluster.name)
    pods = {workload.name: stranger.cluster.pod(workload.name) for workload in plan.list_workloads()}
    assert pods.keys() > REACHING_OUT
    script = _script(target, "/tools/busybox")
    reaching = {name for name, pod in pods.items() if _read(stranger.cluster.sh_in(pod, script))}
    assert reaching == REACHING_OUT
