"""Whoever connects to what people name can reach it: networks of others, the engine's host."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from model.plan import Plan
from model.workload import Workload
from stack.assemble import ConfigValue
from tests.support.planned import workload
from tests.support.systems import plan_shop

SECRETS = ("loki-s3-secret-key", "grafana-database-password", "orders-password")
JOIN = {
    "prometheus", "blackbox-exporter", "postgres-exporter", "redis-exporter", "alertmanager", "traefik", "grafana",
    "loki",
}  # fmt: skip
"""The workloads that connect to addresses of the settings and of the system."""


def named(folder: Path, host: str) -> Plan:
    """A stack in which every address that people can give is one of `host`."""
    url = f"http://{host}"
    bucket = {"endpoint": f"{host}:9000", "bucket": "lines", "accessKeyId": "KEY", "insecure": True}
    settings: dict[str, str | ConfigValue] = {
        "loki": json.dumps({"storage": {"s3": bucket}}),
        "grafana": json.dumps(
            {"database": {"type": "mysql", "host": f"{host}:3306"}, "tracing": {"kind": "tempo", "url": f"{url}:3200"}}
        ),
        "alertmanager": json.dumps({"receivers": [{"name": "phone", "webhook": {"url": f"{url}:80/alerts"}}]}),
        "traefik": json.dumps({"routes": [{"name": "shop", "prefix": "/shop", "url": f"{url}:8000"}]}),
        **{name: ConfigValue("", secret=True) for name in SECRETS},
    }
    system = {
        "services.api.address": f"{host}:4000",
        "databases": {
            "orders": {"kind": "postgres", "address": f"{host}:5432"},
            "cache": {"kind": "redis", "address": f"{host}:6379"},
        },
    }
    return plan_shop(folder, system, settings)


def told(item: Workload) -> str:
    """Everything that a workload is given."""
    documents = item.config.files.values() if item.config else ()
    return "\n".join([*item.args, *item.env.values(), *documents])


def test_who_is_told_an_address_of_others_joins_their_networks(tmp_path: Path) -> None:
    """No workload knows an address that people gave without being in the networks that they gave with it."""
    plan = named(tmp_path, "theirs.internal")
    knowing = {item.name for item in plan.list_workloads() if re.search(r"theirs\.internal:\d", told(item))}
    joining = {item.name for item in plan.list_workloads() if item.egress == "anywhere"}
    assert knowing <= joining
    assert joining == JOIN  # the prober is told with each request


def test_who_is_told_the_hosts_name_reaches_the_host(tmp_path: Path) -> None:
    """The same for processes of the host, for every kind of address and not for services alone."""
    plan = named(tmp_path, "host.docker.internal")
    assert {item.name for item in plan.list_workloads() if item.is_exempt("host-gateway")} == JOIN
    assert not [
        item.name for item in named(tmp_path / "b", "theirs").list_workloads() if item.is_exempt("host-gateway")
    ]


ON_HOST: tuple[tuple[dict[str, Any], set[str]], ...] = (
    ({"services.api.onHost": True}, {"prometheus", "blackbox-exporter"}),
    ({"databases": {"orders": {"kind": "postgres", "onHost": True, "port": 5433}}}, {"postgres-exporter"}),
    ({"databases": {"cache": {"kind": "redis", "onHost": True}}}, {"redis-exporter"}),
)
"""Changes that put something on the host, and who asks it there."""


@pytest.mark.parametrize(("changes", "asking"), ON_HOST, ids=["service", "postgres", "redis"])
def test_on_host_is_the_hosts_name(tmp_path: Path, changes: dict[str, Any], asking: set[str]) -> None:
    """A service and a database of the host are told as such, and reached by who asks them and by nobody else."""
    plan = plan_shop(
        tmp_path, changes, {"orders-password": ConfigValue("", secret=True)} if "orders" in str(changes) else {}
    )
    assert {item.name for item in plan.list_workloads() if item.is_exempt("host-gateway")} == asking
    ports = {"postgres-exporter": 5433, "redis-exporter": 6379, "prometheus": 4000}
    assert all(f"host.docker.internal:{port}" in told(workload(plan, n)) for n, port in ports.items() if n in asking)


def test_in_a_demo_nobody_asks_the_host(tmp_path: Path) -> None:
    """The stand-in of a database of the host is a container like any other, called like the database."""
    system = {"databases": {"cache": {"kind": "redis", "onHost": True}}, "services.api.onHost": True}
    plan = plan_shop(tmp_path, system, {"demo": "true"})
    assert not [item.name for item in plan.list_workloads() if item.is_exempt("host-gateway")]
    assert workload(plan, "redis-exporter").env["REDIS_ADDR"] == "redis://cache:6379"
    assert workload(plan, "cache").ports[0].number == 6379


def test_without_addresses_of_others_nobody_leaves(tmp_path: Path) -> None:
    """Grafana and Loki stay in the stack while all that they ask is in it."""
    joining = {item.name for item in plan_shop(tmp_path).list_workloads() if item.egress == "anywhere"}
    assert joining == {"prometheus", "blackbox-exporter", "alertmanager", "traefik"}
