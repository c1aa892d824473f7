"""Whether the stack is reached by others than its own host."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from model.addresses import is_loopback
from tests.support.planned import workload
from tests.support.systems import plan_shop

EVERY = "0.0.0.0"  # noqa: S104 - nothing listens there in a plan
OPEN = {"baseUrl": "https://m.example.com", "tls": '{"mode": "internal"}', "docker": '{"bindAddress": "0.0.0.0"}'}


ADDRESSES = {"127.0.0.1": True, "127.8.0.1": True, "::1": True, EVERY: False, "10.0.0.5": False, "::": False}


@pytest.mark.parametrize(("address", "own"), ADDRESSES.items())
def test_loopback_is_known(address: str, *, own: bool) -> None:
    """In both families; what listens everywhere is not loopback."""
    assert is_loopback(address) is own


def test_only_the_entry_point_is_opened(tmp_path: Path) -> None:
    """Ports of components have no login in front of them: they stay on loopback, but for those that are named."""
    plan = plan_shop(tmp_path, settings={**OPEN, "access": json.dumps({"ports": ["loki"]})})
    result = {
        item.name: {port.bind for port in item.ports if port.publish}
        for item in plan.list_workloads()
        if any(p.publish for p in item.ports)
    }
    assert result.pop("traefik") == result.pop("loki") == {EVERY}
    assert result and all(bound == {"127.0.0.1"} for bound in result.values())


def test_ports_of_tls_are_those_of_the_base_url(tmp_path: Path) -> None:
    """HTTPS where people are told to come, plain HTTP beside it for the challenge and the way there."""
    for url, port in (("https://m.example.com", 443), ("https://m.example.com:8443", 8443)):
        ports = workload(plan_shop(tmp_path, settings={**OPEN, "baseUrl": url}), "traefik").ports
        assert {(p.name, p.publish, p.outside) for p in ports} == {("https", port, 443), ("http", 80, 80)}
