"""Ports of the host: each is named by the key that says it, and none is opened twice."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from model.host_ports import check_host_ports, locate_host_port
from tests.support.systems import plan_shop

TLS = {"baseUrl": "https://m.example.com", "tls": '{"mode": "internal"}'}


@pytest.mark.parametrize(
    ("settings", "component", "number", "place"),
    [
        ({"prometheus": {"port": 9191}}, "prometheus", 9191, "Pulumi.dev.yaml: prometheus.port"),
        ({}, "prometheus", 9090, "configs/systems/shop.yaml: ports.prometheus"),
        ({}, "loki", 3100, "Pulumi.dev.yaml: loki.port"),
        ({"traefik": {"httpPort": 8081}, **TLS}, "traefik", 8081, "Pulumi.dev.yaml: traefik.httpPort"),
        (TLS, "traefik", 80, "Pulumi.dev.yaml: traefik"),
    ],
)
def test_a_port_is_named_by_its_key(
    settings: dict[str, object], component: str, number: int, place: str, tmp_path: Path
) -> None:
    """The settings' own, the system's, or the one that could say another; the section where it could be several."""
    texts = {key: value if isinstance(value, str) else json.dumps(value) for key, value in settings.items()}
    plan = plan_shop(tmp_path, settings=texts)
    section = plan.sections[component]
    assert locate_host_port(plan.stack, section, plan.system, component, number) == place


def test_a_port_wanted_twice_is_named_by_both_keys(tmp_path: Path) -> None:
    """People see every place where they could give another one; and a plan without clashes has none."""
    plan = plan_shop(tmp_path)
    assert not check_host_ports(plan.stack, plan.sections, plan.system, plan.workloads)
    again = {**plan.workloads, "loki": plan.workloads["prometheus"]}
    problem, *_ = check_host_ports(plan.stack, plan.sections, plan.system, again)
    assert problem.where == "Pulumi.dev.yaml: loki.port"
    assert "configs/systems/shop.yaml: ports.prometheus" in problem.message


def test_a_stand_in_gives_way(tmp_path: Path) -> None:
    """8080 is the port of every other service and of Traefik; of two stand-ins the first has its port."""
    ports = {"a": 8080, "b": 7000, "c": 7000}
    changes = {f"services.{key}": {"packs": ["http"], "port": port} for key, port in ports.items()}
    plan = plan_shop(tmp_path, changes, {"demo": "true"})
    published = {
        workload.name: [port.publish for port in workload.ports] for workload in plan.workloads["demo-workload"]
    }
    assert (published["a"], published["b"], published["c"]) == ([None], [7000], [None])
    assert published["api"] == [4000]
