"""The MCP server: off unless wanted, hardened as all others, reached over TLS with a token of a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pulumi
import pytest

from components.mcp import component as mcp
from model.errors import ConfigError
from model.plan import Plan
from model.workload import HttpProbe
from stack.resource import ComponentArgs, MonitoringComponent
from targets.docker.register import DockerTarget
from tests.support.mocks import by_name, run_program
from tests.support.planned import document, explained, job, scraped_as, workload
from tests.support.systems import plan_cluster, plan_shop


def plan(folder: Path, own: Any = None, **settings: Any) -> Plan:
    """The shop with the server switched on."""
    sections = {key: value if isinstance(value, str) else json.dumps(value) for key, value in settings.items()}
    return plan_shop(folder, settings={"mcp": json.dumps({"enabled": True, **(own or {})}), **sections})


def test_it_is_off_unless_switched_on(tmp_path: Path) -> None:
    """Without a word about it there is no server, no route and no token."""
    planned = plan_shop(tmp_path)
    assert "mcp" not in planned.workloads and not [name for name in planned.secrets if name.startswith("mcp")]
    assert "mcp" not in document(planned, "traefik", "routes.yml")["http"]["routers"]


def test_the_workload_is_hardened_and_probed(tmp_path: Path) -> None:
    """No exemption, no volume, no way out of the stack, no secret outside of files; health is beside its metrics."""
    made = workload(plan(tmp_path, {"clients": ["ann", "bob"]}), "mcp")
    assert made.exemptions == () and made.volumes == () and made.env == {} and made.egress == "stack"
    assert made.probe == HttpProbe(path="/healthz", port=8001) and not any(port.publish for port in made.ports)
    assert [(file.path, file.secret, file.reread) for file in made.secrets] == [
        (f"/run/secrets/mcp-token-{name}", f"mcp-token-{name}", True) for name in ("ann", "bob")
    ]


def test_tokens_are_generated_and_can_be_replaced(tmp_path: Path) -> None:
    """One for each client, long enough, and no secret that must stay."""
    secrets = plan(tmp_path, {"clients": ["ann", "bob"]}).secrets
    for name in ("mcp-token-ann", "mcp-token-bob"):
        assert secrets[name].generate and secrets[name].length == 48 and not secrets[name].permanent


def test_a_change_is_delivered_in_place(tmp_path: Path) -> None:
    """The document is read again by the process, proven by its digest, and no change of it replaces the container."""
    config = workload(plan(tmp_path), "mcp").config
    assert config is not None and config.restart_on == frozenset() and config.reload is not None
    assert (config.reload.digest_metric, config.reload.digest_file) == ("mcp_document_info", "stack.json")
    assert config.validate[-3:] == ("check", "--document", "{dir}/stack.json")


@pytest.mark.parametrize("path", ["", "/monitoring"])
def test_clients_reach_it_without_a_login_of_people(tmp_path: Path, path: str) -> None:
    """Its own tokens are its login; metadata is open, and nothing else of it."""
    planned = plan(tmp_path, baseUrl=f"http://127.0.0.1:8080{path}")
    http = document(planned, "traefik", "routes.yml")["http"]
    for name, prefix in (("mcp", "/mcp"), ("mcp-metadata", "/.well-known/oauth-protected-resource")):
        router = http["routers"][name]
        assert f"PathPrefix(`{path}{prefix}`)" in router["rule"] and "login" not in router["middlewares"]
        assert ("strip-base" in router["middlewares"]) == bool(path)
        assert http["services"][name]["loadBalancer"]["servers"] == [{"url": "http://mcp:8000"}]


def test_tokens_do_not_cross_a_network_in_clear(tmp_path: Path) -> None:
    """Without https only a base URL on loopback will do, and its own port is never opened to others."""
    with pytest.raises(
        ConfigError, match=r"mcp\.enabled: true, but the tokens .* 'http://m\.example\.com' is no https"
    ):
        plan(tmp_path / "a", baseUrl="http://m.example.com")
    with pytest.raises(ConfigError, match=r"access\.ports.*'mcp' speaks plain HTTP"):
        plan(
            tmp_path / "b",
            {"port": 8123},
            baseUrl="https://m.example.com",
            tls={"mode": "internal"},
            docker={"bindAddress": "10.0.0.1"},
            access={"ports": ["mcp"]},
        )
    for number, base in enumerate(("http://localhost:8080", "http://[::1]:8080")):
        assert plan(tmp_path / str(number), baseUrl=base).workloads["mcp"]


def test_it_needs_something_to_ask(tmp_path: Path) -> None:
    """Without Prometheus it is refused, with what it is for."""
    with pytest.raises(ConfigError, match="mcp asks for series and alerts"):
        plan(tmp_path, prometheus={"enabled": False})


def test_a_port_is_published_when_set(tmp_path: Path) -> None:
    """On loopback, for clients that Traefik is not in front of."""
    ports = workload(plan(tmp_path, {"port": 8123}), "mcp").ports
    assert [(port.number, port.publish, port.bind) for port in ports] == [
        (8000, 8123, "127.0.0.1"),
        (8001, None, "127.0.0.1"),
    ]


def test_it_watches_itself(tmp_path: Path) -> None:
    """It is scraped at its second port and has alerts of its own."""
    planned = plan(tmp_path)
    scraped_as(planned, "mcp")
    assert [target.address for target in job(planned, "mcp").targets] == ["mcp:8001"]
    explained(planned, "mcp")


def test_it_is_planned_for_a_cluster(tmp_path: Path) -> None:
    """The same workload; its sources have the addresses of the cluster's services."""
    made = workload(plan_cluster(tmp_path, settings={"mcp": json.dumps({"enabled": True})}), "mcp")
    assert made.config is not None and ".svc" in made.config.files["stack.json"]


def test_the_resource_works_alone(tmp_path: Path) -> None:
    """Someone else's program can deploy the server by itself, through the typed resource."""
    planned = plan(tmp_path)

    def program() -> None:
        tokens = {"mcp-token-agent": pulumi.Output.from_input("t" * 48)}
        target = DockerTarget("dev", planned.settings.docker, planned.images, tokens)
        workloads = [workload(planned, "mcp")]
        MonitoringComponent(mcp.McpServer, "mcp", ComponentArgs(workloads=workloads, target=target))

    resources = run_program(program)
    assert by_name(resources, "dev-mcp", ":Container").inputs["readOnly"] is True
    assert any(resource.type == "observability:components:McpServer" for resource in resources)
