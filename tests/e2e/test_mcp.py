"""Agents ask the running stack: every tool, a fault that is tracked down in four calls, audit lines, refusals."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from cli.render import plan_file
from tests.support.clusters import ClusterStack
from tests.support.running import RunningStack
from tests.support.waiting import eventually

LONGEST = 30_000
"""Bytes of an answer: ten thousand tokens of three bytes."""
CALLS: dict[str, dict[str, Any]] = {
    "prometheus_query": {"query": "up"},
    "prometheus_query_range": {"query": "up", "start": "now-10m"},
    "prometheus_series": {"match": ["up"]},
    "prometheus_labels": {"label": "job"},
    "prometheus_targets": {},
    "prometheus_alerts": {},
    "service_health": {},
    "error_analysis": {"duration": "15m"},
    "latency_analysis": {"duration": "15m"},
    "loki_query": {"query": '{service="prometheus"}', "limit": 5},
    "slo_status": {},
    "runbook": {"alert": "TargetDown"},
    "explain_alert": {"alert": "TargetDown"},
    "capacity": {},
}
"""Arguments with which each tool has something to say in any stack."""


@pytest.fixture(scope="module", autouse=True)
def served(stack: RunningStack) -> Iterator[None]:
    """The server for as long as this module runs."""
    own = {"enabled": True, "clients": ["ann", "bob"], "callsPerMinute": 600}
    stack.edit_settings(lambda config: config.update(mcp=own, longestFor="10s"))
    stack.up()
    yield
    stack.edit_settings(lambda config: [config.pop(key) for key in ("mcp", "longestFor")])
    stack.up()


@pytest.fixture(scope="module")
def token(stack: RunningStack, served: None) -> str:
    """The token of ann."""
    return read_token(stack, "ann")


def read_token(stack: RunningStack, client: str) -> str:
    """The token of a client, as `make mcp` prints it."""
    text = stack.run("mcp", "--client", client, "--show-token").text
    return text.split("OBSERVABILITY_MCP_TOKEN=", 1)[1].split()[0]


def post(stack: RunningStack, body: Any, token: str, **headers: str) -> Any:
    """What the entry point answers to a request, seen from inside of the stack so that any engine will do.

    Raises:
        RuntimeError: it refuses; the message has the status.
    """
    settings = plan_file(stack.stack_file, stack.name).settings
    given = {"Host": settings.host, "Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
    given |= {"Authorization": f"Bearer {token}"} if token else {}
    heads = " ".join(f"--header='{name}: {value}'" for name, value in (given | headers).items())
    text = json.dumps(body).replace("'", "'\\''")
    url = f"http://127.0.0.1:8080{settings.base_path}/mcp"
    return json.loads(
        stack.sh("traefik", f"/tools/busybox wget -q -O - {heads} --post-data='{text}' '{url}' 2>&1"), strict=False
    )


def call(stack: RunningStack, token: str, tool: str, **arguments: Any) -> dict[str, Any]:
    """The data of a tool's answer, which must be one and be short enough."""
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": tool, "arguments": arguments}}
    result = post(stack, body, token)["result"]
    assert not result.get("isError"), result
    assert len(result["content"][0]["text"].encode()) <= LONGEST
    return dict(result["structuredContent"])


def test_the_command_tries_both_ways(stack: RunningStack) -> None:
    """What `make mcp` prints works, over HTTP and over stdio, and has no token in it.

    The base URL is on loopback, where whatever else runs on this machine would get a token that is for another one.
    """
    ran = stack.run("mcp")
    assert ran.code == 0 and "stdio: works: service_health says" in ran.text, ran.text
    near = not isinstance(stack, ClusterStack) and "host" not in stack.engine.settings
    assert ("HTTP: works: service_health says" if near else "HTTP: not tried") in ran.text, ran.text
    assert '"command":' in ran.text and "Bearer ${OBSERVABILITY_MCP_TOKEN}" in ran.text


def test_every_tool_answers(stack: RunningStack, token: str) -> None:
    """Each tool that this stack has, with something in it."""
    listed = post(stack, {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}, token)["result"]["tools"]
    assert {tool["name"] for tool in listed} - {"trace"} == set(CALLS)
    answers = {tool: call(stack, token, tool, **arguments) for tool, arguments in CALLS.items()}
    assert answers["prometheus_query"]["series"] and answers["loki_query"]["lines"] and answers["runbook"]["runbook"]
    assert answers["service_health"]["services"] and answers["capacity"]["quantities"][0]["now"]


def test_a_fault_is_tracked_down_in_four_calls(stack: RunningStack, token: str) -> None:
    """From "what is wrong?" to the service, its endpoint, its lines and the runbook."""
    stack.fault("api", 4000, "errors", ratio=0.5)
    try:

        def find_wrong() -> dict[str, Any]:
            health = call(stack, token, "service_health")["services"][0]
            return dict(health) if "HighErrorRatio" in health["alerts"] else {}

        worst = eventually(find_wrong, timeout=900, what="the alert about errors fires")
        assert worst["service"] == "api" and worst["status"] == "failing"

        def explain() -> dict[str, Any]:  # of several instances of Prometheus another one may fire later
            found = call(stack, token, "explain_alert", alert="HighErrorRatio", service="api")
            return found if found["firing"] and found["present"][0]["values"] else {}

        explained = eventually(explain, timeout=120, what="the alert is explained")
        assert explained["runbook"]["steps"]
        # the window of the alert: in a longer one, the time before the fault would count
        errors = call(stack, token, "error_analysis", duration="5m", service="api")
        assert errors["services"][0]["by_endpoint"] and errors["services"][0]["error_ratio"] > 0.05
        lines = call(stack, token, "loki_query", query='{service="api"} |= "error"', start="now-15m")
        assert lines["lines"] or errors["lines"]
    finally:
        stack.heal("api", 4000)


def test_calls_are_found_in_loki(stack: RunningStack, token: str) -> None:
    """Who called which tool with which arguments, and no secret."""
    call(stack, token, "prometheus_query", query='up{job="password=hunter2"}')

    def find_line() -> str:
        lines = stack.loki('{service="mcp"} |= "tool call" |= "prometheus_query"')
        return next((line for line in lines if '"ann"' in line and "***" in line), "")

    line = eventually(find_line, timeout=60, what="the audit line")
    assert "hunter2" not in line and token not in line


def test_who_is_refused(stack: RunningStack, token: str) -> None:
    """No token, a wrong one, another site's page, another name of the server."""
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    for wrong in ("", "x" * 48):
        with pytest.raises(RuntimeError, match="401"):
            post(stack, body, wrong)
    with pytest.raises(RuntimeError, match="403"):
        post(stack, body, token, Origin="https://evil.example")


def test_a_client_is_revoked(stack: RunningStack, token: str) -> None:
    """Its name is taken out, and its token is worth nothing after the next run; that of the other one still is."""
    stack.edit_settings(lambda config: config["mcp"].update(clients=["bob"]))
    stack.up()
    with pytest.raises(RuntimeError, match="401"):
        post(stack, {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}, token)
    assert call(stack, read_token(stack, "bob"), "runbook", alert="TargetDown")


def test_a_new_token_is_taken_in_place(stack: RunningStack) -> None:
    """`make rotate` gives a client another token; on an engine without another container."""
    before, token = stack.identities(), read_token(stack, "bob")
    ran = stack.run("rotate", "--name", "mcp-token-bob")
    assert ran.code == 0, ran.text
    assert call(stack, read_token(stack, "bob"), "runbook", alert="TargetDown")
    with pytest.raises(RuntimeError, match="401"):
        post(stack, {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}, token)
    # Secrets of a cluster never change, so pods of a new one come there
    assert isinstance(stack, ClusterStack) or stack.identities() == before
