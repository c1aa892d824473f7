"""The server over HTTP: one port for clients, one for health and metrics, which no client reaches."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator
from typing import Any

import uvicorn
from mcp.server.transport_security import TransportSecuritySettings
from prometheus_client.exposition import generate_latest

from mcp_server import metrics
from mcp_server.access import WHO, App, Gate, Receive, Scope, Send, TokenFiles, send_json
from mcp_server.document import DocumentFile
from mcp_server.listen import Listen
from mcp_server.service import ToolService, build_server
from mcp_server.sources import Sources

PATH = "/mcp"
BODY = 64 * 1024
"""Bytes of a request: the longest query fits several times."""
HEAD_SECONDS, BODY_SECONDS = 10, 10
"""Time that a client has to send a request; what comes slower is given up."""
CONNECTIONS = 200
"""Connections at a time; further ones are refused with 503."""
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Patience:
    """Gives a request up whose body does not come in time."""

    def __init__(self, app: App, seconds: float = BODY_SECONDS) -> None:
        self._app, self._seconds = app, seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """An ASGI application around another one."""
        done = False

        async def receive_in_time() -> Any:
            nonlocal done
            if done:
                return await receive()
            try:
                message = await asyncio.wait_for(receive(), self._seconds)
            except TimeoutError:
                message = {"type": "http.disconnect"}
            done = message["type"] != "http.request" or not message.get("more_body", False)
            return message

        await self._app(scope, receive_in_time if scope["type"] == "http" else receive, send)


class MetricsApp:
    """Health and metrics: https://prometheus.io/docs/instrumenting/exposition_formats/."""

    def __init__(self, file: DocumentFile) -> None:
        self._file, self._tokens = file, TokenFiles(file.get)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """An ASGI application."""
        if scope["type"] != "http":
            return
        if scope["path"] == "/healthz":
            await send_json(send, 200, {"status": "ok"})
        elif scope["path"] == "/metrics":
            self._file.get()
            self._tokens.read()
            metrics.report_document(self._file.digest, failed=self._file.failed)
            body = generate_latest(metrics.REGISTRY)
            headers = [(b"content-type", CONTENT_TYPE.encode()), (b"content-length", str(len(body)).encode())]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": body})
        else:
            await send_json(send, 404, {"error": "not_here"})


def build_app(file: DocumentFile, sources: Sources) -> tuple[App, App]:
    """The application of the clients' port behind its gate, and the bare one whose lifespan must run."""
    server = build_server(ToolService(file.get, sources), lambda context: context.request.scope[WHO])
    # the gate has looked at Host and Origin, by lists that may change while the process runs
    unchecked = TransportSecuritySettings(enable_dns_rebinding_protection=False)
    bare = server.streamable_http_app(
        streamable_http_path=PATH,
        json_response=True,
        stateless_http=True,  # no sessions: none can be left behind, and any process may answer
        max_request_body_size=BODY,
        transport_security=unchecked,
    )
    return Gate(Patience(bare), file.get, PATH), bare


@contextlib.asynccontextmanager
async def serving(file: DocumentFile, listen: Listen) -> AsyncIterator[tuple[int, int]]:
    """Serve for as long as the block runs; gives the two ports."""
    async with Sources(file.get) as sources:
        gate, bare = build_app(file, sources)
        async with bare.router.lifespan_context(bare):  # type: ignore[attr-defined]
            with _opening(listen.host, listen.port) as first, _opening(listen.host, listen.metrics_port) as second:
                servers = [_build_listener(gate), _build_listener(MetricsApp(file))]
                tasks = [
                    asyncio.create_task(each.serve([opened]))
                    for each, opened in zip(servers, (first, second), strict=True)
                ]
                try:
                    yield first.getsockname()[1], second.getsockname()[1]
                finally:
                    for each in servers:
                        each.should_exit = True
                    await asyncio.gather(*tasks)


class _Listener(uvicorn.Server):
    """Signals are the process's own matter, as it runs two of these."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _build_listener(app: App) -> uvicorn.Server:
    config = uvicorn.Config(
        app,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        limit_concurrency=CONNECTIONS,
        timeout_keep_alive=HEAD_SECONDS,
        h11_max_incomplete_event_size=16 * 1024,
        timeout_graceful_shutdown=10,
    )
    return _Listener(config)


@contextlib.contextmanager
def _opening(host: str, port: int) -> Iterator[socket.socket]:
    opened = socket.create_server((host, port), backlog=128)
    with contextlib.closing(opened):
        yield opened
