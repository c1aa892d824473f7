"""What the engine says of every container that runs."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from cli.engine import execute_command
from tests.support import cis
from tests.support.running import Engine, RunningStack

REASON = "io.observability.exempt."


def test_no_service_runs_as_root(stack: RunningStack) -> None:
    """Every service has a numeric user of its own that is not root, unless an exemption says why."""
    users = [c.attrs["Config"]["User"] for c in stack.containers("service") if f"{REASON}root-user" not in c.labels]
    assert all(re.fullmatch(r"[1-9]\d+:[1-9]\d+", user) for user in users), users
    assert len(set(users)) == len(users)


def test_root_filesystem_is_read_only(stack: RunningStack) -> None:
    """Every service has a read-only root filesystem, unless an exemption says why."""
    open_ones = [c.name for c in stack.containers("service") if not c.attrs["HostConfig"]["ReadonlyRootfs"]]
    assert [n for n in open_ones if f"{REASON}writable-root" not in stack.client.containers.get(str(n)).labels] == []


def test_capabilities_are_dropped(stack: RunningStack) -> None:
    """All capabilities are dropped; added ones are declared."""
    for container in stack.containers("service"):
        host = container.attrs["HostConfig"]
        assert host["CapDrop"] == ["ALL"], container.name
        for capability in host["CapAdd"] or []:
            assert f"{REASON}capability.{capability.removeprefix('CAP_').lower()}" in container.labels, container.name


def test_the_kernel_agrees(stack: RunningStack) -> None:
    """Inside each service the process has no effective capability, cannot gain any, and has its own process limit."""
    limits = set()
    for container in stack.containers("service"):
        if f"{REASON}root-user" in container.labels:
            continue
        code, text = execute_command(container, ["/tools/busybox", "cat", "/proc/1/status", "/proc/1/limits"])
        assert code == 0
        assert re.search(r"CapEff:\s+0+\n", text), container.name
        assert re.search(r"NoNewPrivs:\s+1\n", text), container.name
        found = re.search(r"Max processes\s+(\d+)\s", text)
        assert found, container.name
        limits.add(int(found[1]))
    assert max(limits) <= 1024


def test_limits_are_set(stack: RunningStack) -> None:
    """Every container of the stack has a memory limit without swap beside it."""
    for container in stack.containers():
        host = container.attrs["HostConfig"]
        assert 0 < host["Memory"] == host["MemorySwap"], container.name


def test_every_service_has_a_health_check(stack: RunningStack) -> None:
    """Every service has a health check and passes it."""
    states = {c.name: c.attrs["State"].get("Health", {}).get("Status") for c in stack.containers("service")}
    assert set(states.values()) == {"healthy"}, states


def test_only_declared_ports_are_open_on_loopback(stack: RunningStack) -> None:
    """Published ports are those of the settings, and all of them are bound to loopback."""
    bound = [
        (binding["HostIp"], int(binding["HostPort"]))
        for container in stack.containers()
        for bindings in (container.attrs["NetworkSettings"]["Ports"] or {}).values()
        for binding in bindings or []
    ]
    assert {ip for ip, _ in bound} == {"127.0.0.1"}
    assert sorted(port for _, port in bound) == [28080, 28081, 28082, 28083, 28084]


def test_no_new_privileges(stack: RunningStack) -> None:
    """no-new-privileges is set on every container, one-shot ones included."""
    assert all("no-new-privileges:true" in c.attrs["HostConfig"]["SecurityOpt"] for c in stack.containers())


@pytest.mark.parametrize("check", cis.CHECKS, ids=lambda check: check.__name__)
def test_cis_benchmark(stack: RunningStack, check: cis.Check) -> None:
    """Every applicable check of section 5, of every container, with the declared exceptions and nothing else."""
    wrong = {str(c.name): found for c in stack.containers() if (found := list(check(c)))}
    assert not wrong


def test_exceptions_are_few_and_explained(stack: RunningStack) -> None:
    """Each exception from the defaults has a reason in words; they are printed."""
    for container in stack.containers():
        for rule, reason in cis.exceptions(container).items():
            print(f"{container.name}: {rule}: {reason}")
            assert len(reason.split()) > 2, (container.name, rule)


def test_a_scan_finds_what_is_declared(stack: RunningStack, engine: Engine) -> None:
    """From the engine's host by loopback and bridge, and from a container elsewhere, nothing else answers."""
    declared = {28080, 28081, 28082, 28083, 28084}
    network = stack.client.networks.get(f"{stack.name}-monitoring")
    gateway = network.attrs["IPAM"]["Config"][0]["Gateway"]
    networks = (c.attrs["NetworkSettings"]["Networks"][network.name] for c in stack.containers("service"))
    assert _scan(engine, "127.0.0.1") == declared
    assert not _scan(engine, gateway), "the bridge is not loopback"
    addresses = " ".join(item["IPAddress"] for item in networks)
    tried = "nc -w 1 $a $p -e true 2>/dev/null && echo $a $p"
    numbers = "2375 3000 3100 8080 8082 9090 9093"
    script = f"for a in {addresses}; do for p in {numbers}; do ({tried}) & done; done; wait"
    image = str(stack.client.containers.get(f"{stack.name}-tools").attrs["Image"])
    said = stack.client.containers.run(image, ["/bin/busybox", "sh", "-c", script], remove=True, network_mode="bridge")
    assert said.decode().split() == [], "networks of others do not reach into the stack's"


SCAN = """
import socket, sys
for port in range(28000, 28200):
    with socket.socket() as probe:
        probe.settimeout(0.5)
        if probe.connect_ex((sys.argv[1], port)) == 0:
            print(port)
"""


def _scan(engine: Engine, address: str) -> set[int]:
    """The open ports of an address, as a process on the engine's host sees it."""
    command = [*engine.network(), sys.executable, "-c", SCAN, address]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    return {int(port) for port in done.stdout.split()}


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/containers/json", True),
        ("GET", "/version", True),
        ("POST", "/containers/create", False),
        ("POST", "/v1.41/containers/x/exec", False),
        ("DELETE", "/containers/x", False),
        ("GET", "/containers/x/archive?path=/", False),
        ("GET", "/secrets", False),
    ],
)
def test_socket_proxy_only_reads(stack: RunningStack, method: str, path: str, allowed: bool) -> None:
    """The socket proxy lets the read calls of the agents through and refuses everything else."""
    script = f"/tools/busybox printf '{method} {path} HTTP/1.0\\r\\n\\r\\n' | /tools/busybox nc 127.0.0.1 2375"
    answer = stack.sh("socket-proxy", script)
    assert (" 200 " in answer.splitlines()[0]) is allowed, answer[:200]
    assert allowed or " 403 " in answer.splitlines()[0]
