"""The document that the server serves from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mcp_server.document import parse_document
from mcp_server.service import list_served
from mcp_server.tools.capacity import NOW
from model.plan import Plan
from tests.support.planned import text
from tests.support.systems import plan_shop


def plan(folder: Path, base: str = "http://127.0.0.1:8080", own: Any = None, **settings: Any) -> Plan:
    """The shop with the server switched on."""
    sections = {name: json.dumps(value) for name, value in settings.items()}
    return plan_shop(
        folder, settings={"mcp": json.dumps({"enabled": True, **(own or {})}), "baseUrl": base, **sections}
    )


def read(planned: Plan) -> dict[str, Any]:
    """The document of a plan."""
    return dict(json.loads(text(planned, "mcp", "stack.json")))


def test_the_server_reads_it(tmp_path: Path) -> None:
    """Every key is one that the server knows, and the tools of this stack's sources are served."""
    document = parse_document(text(plan(tmp_path), "mcp", "stack.json").encode())
    names = {tool.name for tool in list_served(document)}
    assert "loki_query" in names and "trace" not in names
    assert document.sources == {"prometheus": "http://prometheus:9090/prometheus", "loki": "http://loki:3100"}
    assert document.services["api"].title and "errors" in document.services["api"].queries
    assert document.capacity.keys() <= set(NOW)


def test_traces_are_served_where_they_are_stored(tmp_path: Path) -> None:
    """Jaeger's own path is part of its address."""
    assert read(plan(tmp_path, jaeger={"enabled": True}))["sources"]["jaeger"] == "http://jaeger:16686/jaeger"


def test_settings_are_bounds(tmp_path: Path) -> None:
    """Durations are seconds there and sizes are bytes."""
    own = {"answerTokens": 5000, "callTimeout": "1m", "logBytes": "2MiB", "callsPerMinute": 7}
    document = read(plan(tmp_path, own=own))
    assert document["bounds"] == {"seconds": 60, "tokens": 5000, "log_bytes": 2 * 1024 * 1024}
    assert document["calls_per_minute"] == 7


def test_tokens_are_paths(tmp_path: Path) -> None:
    """A name and a file for each client, and no value."""
    document = read(plan(tmp_path, own={"clients": ["ann", "bob"]}))
    assert document["tokens"] == {"ann": "/run/secrets/mcp-token-ann", "bob": "/run/secrets/mcp-token-bob"}


@pytest.mark.parametrize(
    ("base", "hosts", "origins"),
    [
        (
            "https://m.example.com/tools",
            ["m.example.com", "m.example.com:443"],
            ["https://m.example.com", "https://agents.example.com"],
        ),
        (
            "http://127.0.0.1:8080",
            ["127.0.0.1", "127.0.0.1:8080", "127.0.0.1:*", "localhost", "localhost:*", "[::1]", "[::1]:*"],
            ["http://127.0.0.1:8080", "https://agents.example.com"],
        ),
    ],
)
def test_names_that_are_let_in(tmp_path: Path, base: str, hosts: list[str], origins: list[str]) -> None:
    """That of the base URL with and without a port, and loopback's where that is it; pages of these, and named ones."""
    tls = {"tls": {"mode": "internal"}} if base.startswith("https") else {}
    document = read(plan(tmp_path, base, own={"origins": ["https://agents.example.com"]}, **tls))
    assert document["hosts"] == hosts and document["origins"] == origins
    assert document["resource"] == f"{base}/mcp"


def test_a_port_of_its_own_is_on_loopback(tmp_path: Path) -> None:
    """Then that name is let in as well."""
    document = read(plan(tmp_path, "https://m.example.com", own={"port": 8123}, tls={"mode": "internal"}))
    assert "127.0.0.1:*" in document["hosts"]


def test_every_alert_has_its_runbook(tmp_path: Path) -> None:
    """Of services, of the system and of the stack's own parts, without a template in their words."""
    planned = plan(tmp_path)
    runbooks = read(planned)["runbooks"]
    names = {alert.name for group in planned.telemetry.rules for alert in group.alerts}
    assert runbooks.keys() == names and {"ShopSlow", "HighErrorRatio", "McpCallsFailing"} <= names
    assert not [name for name, each in runbooks.items() if "{{ $" in json.dumps(each)]
    assert all(each["steps"] and each["description"] for each in runbooks.values())
