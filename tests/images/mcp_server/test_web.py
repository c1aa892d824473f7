"""The server over HTTP, by the SDK's own client and by plain requests."""

from __future__ import annotations

import asyncio
import json
import resource
from pathlib import Path
from typing import Any

import httpx2
import pytest

from mcp_server.web import BODY, Patience
from tests.support.agents import TOKEN, FakeSources, Served, connecting, faking, opening, serving_document

JSON = {"content-type": "application/json", "accept": "application/json, text/event-stream"}


def build_settings(fake: FakeSources, **more: Any) -> dict[str, Any]:
    """A document with the fake Prometheus."""
    return {"sources": {"prometheus": fake.address}, "resource": "https://m.example/mcp", **more}


def build_call(tool: str = "prometheus_query", **arguments: Any) -> dict[str, Any]:
    """A call as clients of 2025 send it, without a session."""
    return {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": tool, "arguments": arguments}}


async def post(served: Served, body: Any, token: str | None = TOKEN, **headers: str) -> httpx2.Response:
    """The answer to a request."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    async with opening(token, **JSON, **headers) as client:
        return await client.post(served.url, content=content)


def test_the_clients_of_the_sdk(tmp_path: Path) -> None:
    """Tools are listed and called; the client checks each answer against the tool's schema."""
    with faking() as fake:
        fake.vectors["up"] = [({"job": "api"}, 1)]

        async def run() -> None:
            document = build_settings(fake, services={"api": {}})
            async with serving_document(tmp_path, document) as served, connecting(served.url) as client:
                tools = (await client.list_tools()).tools
                assert "service_health" in [tool.name for tool in tools]
                result = await client.call_tool("prometheus_query", {"query": "up"})
                assert not result.is_error and result.structured_content["series"][0]["labels"] == {"job": "api"}
                for tool in ("service_health", "error_analysis", "slo_status", "capacity", "prometheus_targets"):
                    assert not (await client.call_tool(tool, {})).is_error, tool
                refused = await client.call_tool("prometheus_query", {"quer": "up"})
                assert refused.is_error and "did you mean 'query'?" in str(refused.content)

        asyncio.run(run())


@pytest.mark.parametrize("version", ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"])
def test_raw_clients_of_2025(tmp_path: Path, version: str) -> None:
    """Each revision is answered in its own, with neither a session nor a stream."""
    info = {"protocolVersion": version, "capabilities": {}, "clientInfo": {"name": "x", "version": "1"}}
    with faking() as fake:

        async def run() -> None:
            async with serving_document(tmp_path, build_settings(fake)) as served:
                body = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": info}
                answer = await post(served, body)
                assert answer.status_code == 200 and answer.json()["result"]["protocolVersion"] == version
                assert "mcp-session-id" not in answer.headers
                called = await post(served, build_call(query="up"), **{"mcp-protocol-version": version})
                assert called.json()["result"]["structuredContent"]["kind"] == "vector"

        asyncio.run(run())


def test_a_raw_client_of_2026(tmp_path: Path) -> None:
    """The revision without a handshake, whose requests say everything themselves."""
    meta = {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
        "io.modelcontextprotocol/clientInfo": {"name": "x", "version": "1"},
    }
    headers = {"mcp-protocol-version": "2026-07-28", "mcp-method": "tools/call", "mcp-name": "prometheus_query"}
    with faking() as fake:

        async def run() -> None:
            async with serving_document(tmp_path, build_settings(fake)) as served:
                body = build_call(query="up")
                body["params"]["_meta"] = meta
                answer = await post(served, body, **headers)
                assert answer.status_code == 200, answer.text
                assert answer.json()["result"]["structuredContent"]["kind"] == "vector"

        asyncio.run(run())


@pytest.mark.parametrize(
    ("token", "challenge"),
    [
        (None, 'Bearer resource_metadata="https://m.example/.well-known/oauth-protected-resource/mcp"'),
        (
            "wrong-token-0123456789",
            'Bearer error="invalid_token", resource_metadata="https://m.example/.well-known/oauth-protected-resource/mcp"',
        ),
    ],
)
def test_without_a_right_token(tmp_path: Path, token: str | None, challenge: str) -> None:
    """401 with where the metadata is; that is open to everybody, and nothing else is."""
    with faking() as fake:

        async def run() -> None:
            async with serving_document(tmp_path, build_settings(fake)) as served, opening() as client:
                answer = await post(served, build_call(query="up"), token)
                assert answer.status_code == 401 and answer.headers["www-authenticate"] == challenge
                url = served.url.replace("/mcp", "/.well-known/oauth-protected-resource/mcp")
                metadata = await client.get(url, headers={"authorization": ""})
                assert metadata.json()["resource"] == "https://m.example/mcp"
                for path in ("/metrics", "/healthz", "/", "/mcp/", "/mcp/x", "//mcp"):
                    assert (await client.get(served.url.replace("/mcp", path))).status_code == 404, path
                assert not fake.requests

        asyncio.run(run())


def test_a_token_can_be_revoked(tmp_path: Path) -> None:
    """The next request after its file is gone is refused, and that of another name is not."""
    with faking() as fake:

        async def run() -> None:
            async with serving_document(tmp_path, build_settings(fake)) as served:
                assert (await post(served, build_call(query="up"))).status_code == 200
                (tmp_path / "token").unlink()
                assert (await post(served, build_call(query="up"))).status_code == 401

        asyncio.run(run())


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "evil.example"},
        {"host": "127.0.0.1.evil.example"},
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "https://m.example.evil.example"},
    ],
)
def test_pages_of_other_sites(tmp_path: Path, headers: dict[str, str]) -> None:
    """A name that was bound to this address, and a page of another origin, are refused even with a token."""
    with faking() as fake:

        async def run() -> None:
            document = build_settings(fake, origins=["https://m.example"])
            async with serving_document(tmp_path, document) as served:
                assert (await post(served, build_call(query="up"), **headers)).status_code == 403
                allowed = await post(served, build_call(query="up"), origin="https://m.example")
                assert allowed.status_code == 200

        asyncio.run(run())


def test_only_calls_are_answered(tmp_path: Path) -> None:
    """A stream that would stay open, and the end of a session, are refused: there is neither."""
    with faking() as fake:

        async def run() -> None:
            async with serving_document(tmp_path, build_settings(fake)) as served, opening(**JSON) as client:
                for method in ("GET", "DELETE", "PUT", "OPTIONS"):
                    answer = await client.request(method, served.url, timeout=5)
                    assert (answer.status_code, answer.headers["allow"]) == (405, "POST"), method

        asyncio.run(run())


def test_bodies_are_bounded(tmp_path: Path) -> None:
    """A body that is too long is refused by its length, and by what comes where it names none."""

    async def stream() -> Any:
        for _ in range(BODY // 1000 + 2):
            yield b"x" * 1000

    with faking() as fake:

        async def run() -> None:
            async with serving_document(tmp_path, build_settings(fake)) as served:
                assert (await post(served, b"x" * (BODY + 1))).status_code == 413
                async with opening(**JSON) as client:
                    assert (await client.post(served.url, content=stream())).status_code == 413

        asyncio.run(run())


def test_calls_of_a_minute_are_bounded(tmp_path: Path) -> None:
    """Each name has its own number; further requests are refused with when to come again."""
    with faking() as fake:

        async def run() -> None:
            async with serving_document(tmp_path, build_settings(fake, calls_per_minute=1)) as served:
                codes = [(await post(served, build_call(query="up"))).status_code for _ in range(2)]
                assert codes == [200, 429]

        asyncio.run(run())


@pytest.mark.exhaustive  # the bounds
def test_guessing_is_bounded(tmp_path: Path) -> None:
    """Wrong tokens are refused unread after some; who has a right one is not in the way."""
    with faking() as fake:

        async def run() -> None:
            async with serving_document(tmp_path, build_settings(fake)) as served:
                async with opening("wrong", **JSON) as client:
                    codes = [(await client.post(served.url, json={})).status_code for _ in range(60)]
                assert codes[:30] == [401] * 30 and codes.count(429) > 10
                assert (await post(served, build_call(query="up"))).status_code == 200

        asyncio.run(run())


def test_a_slow_client_is_given_up() -> None:
    """A body that does not come ends the request, and does not stay for ever."""
    seen: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append((await receive())["type"])
        seen.append((await receive())["type"])

    async def run() -> None:
        parts = iter([{"type": "http.request", "body": b"x", "more_body": True}])

        async def receive() -> Any:
            for part in parts:
                return part
            await asyncio.Event().wait()

        async def send(message: Any) -> None:
            raise AssertionError(message)

        await Patience(app, 0.05)({"type": "http"}, receive, send)

    asyncio.run(run())
    assert seen == ["http.request", "http.disconnect"]


@pytest.mark.exhaustive  # the bounds
def test_a_thousand_calls_at_once(tmp_path: Path) -> None:
    """Each is answered, refused or sent away; memory stays bounded, and afterwards the server answers as before."""
    with faking() as fake:
        fake.vectors["up"] = [({"job": f"{n}", "text": "x" * 300}, 1) for n in range(100)]

        async def run() -> None:
            document = build_settings(fake, calls_per_minute=100_000)
            limits = httpx2.Limits(max_connections=150)
            own = {**JSON, "authorization": f"Bearer {TOKEN}"}
            async with (
                serving_document(tmp_path, document) as served,
                httpx2.AsyncClient(headers=own, limits=limits, trust_env=False, timeout=120) as client,
            ):
                before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
                calls = (client.post(served.url, json=build_call(query="up")) for _ in range(1000))
                answers = await asyncio.gather(*calls)
                grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
                assert {answer.status_code for answer in answers} <= {200, 503}
                texts = [answer.text for answer in answers if answer.status_code == 200]
                assert any("structuredContent" in text for text in texts) and grown < 400 * 1024
                assert (await post(served, build_call(query="up"))).json()["result"]["isError"] is False

        asyncio.run(run())


def test_health_and_metrics_have_a_port_of_their_own(tmp_path: Path) -> None:
    """Calls, refusals, tokens and the document that is served are counted; tools are not reached there."""
    with faking() as fake:

        async def run() -> None:
            async with serving_document(tmp_path, build_settings(fake)) as served, opening() as client:
                await post(served, build_call(query="up"))
                assert (await client.get(f"{served.metrics}/healthz")).json() == {"status": "ok"}
                text = (await client.get(f"{served.metrics}/metrics")).text
                for line in (
                    'mcp_calls_total{result="answered",tool="prometheus_query"}',
                    'mcp_source_requests_total{result="answered",source="prometheus"}',
                    "mcp_tokens 1.0",
                    "mcp_document_read_successful 1.0",
                    "mcp_document_info{sha256=",
                ):
                    assert line in text, line
                assert (await client.post(f"{served.metrics}/mcp", json={})).status_code == 404

        asyncio.run(run())
