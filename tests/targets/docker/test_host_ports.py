"""Host ports that others have: named with the key and with who has them, before anything is made."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

import pytest

from model.plan import Plan
from targets.docker.host_ports import check_host_ports
from tests.support.alerting import free_port
from tests.support.systems import plan_shop


def planned(folder: Path, port: int, bind: str = "127.0.0.1") -> Plan:
    """The shop with Traefik on a port of its own, and nothing else published on a fixed one."""
    settings = {"traefik": json.dumps({"port": port}), "baseUrl": f"http://127.0.0.1:{port}"}
    if bind != "127.0.0.1":
        settings |= {
            "docker": json.dumps({"bindAddress": bind}),
            "baseUrl": "https://m.example.com",
            "tls": '{"mode": "internal"}',
        }
    return plan_shop(folder, settings=settings)


def container(name: str, ip: str, port: int, stack: str = "") -> dict[str, Any]:
    """One as the engine lists it."""
    labels = {"io.observability.stack": stack} if stack else {}
    return {"Names": [f"/{name}"], "Labels": labels, "Ports": [{"IP": ip, "PublicPort": port, "Type": "tcp"}]}


@pytest.mark.parametrize(
    ("ip", "bind", "clash"),
    [
        ("127.0.0.1", "127.0.0.1", True),
        ("0.0.0.0", "127.0.0.1", True),  # noqa: S104
        ("10.0.0.5", "127.0.0.1", False),
        ("127.0.0.1", "10.0.0.5", False),
        ("127.0.0.1", "0.0.0.0", True),  # noqa: S104
    ],
)
def test_a_port_of_another_container_is_named(tmp_path: Path, ip: str, bind: str, *, clash: bool) -> None:
    """Where the addresses overlap; one of this stack is replaced, so it is none."""
    plan = planned(tmp_path, 18080, bind)
    found = check_host_ports(plan, [container("web", ip, 18080)], local=False)
    assert bool(found) is clash
    if clash:
        assert (
            found[0].startswith("Pulumi.dev.yaml: traefik.port: host port 18080 ") and "the container web" in found[0]
        )
    assert not check_host_ports(plan, [container("dev-traefik", ip, 18080, stack="dev")], local=False)


def test_a_port_of_another_process_is_named(tmp_path: Path) -> None:
    """Where the engine's host is this machine; elsewhere nobody knows."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        plan = planned(tmp_path, int(other.getsockname()[1]))
        assert "another process of this host" in " ".join(check_host_ports(plan, [], local=True))
        assert not check_host_ports(plan, [], local=False)
        own = container("dev-traefik", "127.0.0.1", int(other.getsockname()[1]), stack="dev")
        assert not [text for text in check_host_ports(plan, [own], local=True) if "traefik.port" in text]


def test_a_free_port_is_free(tmp_path: Path) -> None:
    """Nothing is said of it."""
    port = free_port()
    assert not [text for text in check_host_ports(planned(tmp_path, port), [], local=True) if f"port {port} " in text]
