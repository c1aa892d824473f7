"""What agents call, with sources that answer from memory: a fake Prometheus, Loki and Jaeger on loopback."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from mcp_server.document import Document, DocumentFile, parse_document
from mcp_server.listen import Listen
from mcp_server.service import Answered, ToolService
from mcp_server.sources import Sources
from mcp_server.web import serving
from tests.support.serving import serving as serving_handler

TOKEN = "a-token-of-a-test-0123456789"
Series = list[tuple[Mapping[str, str], float]]
Parameters = Mapping[str, list[str]]


@dataclass
class FakeSources:
    """Answers of the three sources.

    `vectors` are those of PromQL queries, empty where a query is not named; `answers` are the data, or whole texts as
    bytes, of paths; `location` is where a redirect leads. `requests` are method, path and parameters of what came in.
    """

    address: str = ""
    vectors: dict[str, Series] = field(default_factory=dict)
    answers: dict[str, Callable[[Parameters], Any]] = field(default_factory=dict)
    status: int = 200
    location: str = ""
    requests: list[tuple[str, str, Parameters]] = field(default_factory=list)

    def answer(self, path: str, parameters: Parameters) -> bytes:
        """The body for a path."""
        if path in self.answers:
            data = self.answers[path](parameters)
        elif path == "/api/v1/query":
            data = build_vector(self.vectors.get(parameters["query"][0], []))
        else:
            data = {}
        return data if isinstance(data, bytes) else json.dumps({"status": "success", "data": data}).encode()

    def list_queries(self) -> list[str]:
        """The PromQL queries that came in."""
        return [given["query"][0] for _, path, given in self.requests if path == "/api/v1/query"]


def build_vector(series: Series) -> dict[str, Any]:
    """The data of an answer to an instant query."""
    result = [{"metric": dict(labels), "value": [1000, f"{value:g}"]} for labels, value in series]
    return {"resultType": "vector", "result": result}


@contextmanager
def faking() -> Iterator[FakeSources]:
    """Fake sources for as long as the block runs."""
    fake = FakeSources()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            parameters = parse_qs(parts.query)
            fake.requests.append((self.command, parts.path, parameters))
            body = fake.answer(parts.path, parameters)
            self.send_response(fake.status)
            self.send_header("Content-Length", str(len(body)))
            if fake.location:
                self.send_header("Location", fake.location)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with serving_handler(Handler) as address:
        fake.address = f"http://{address}"
        yield fake


def build_document(fake: FakeSources, **more: Any) -> Document:
    """A document whose three sources are fake ones."""
    sources = dict.fromkeys(("prometheus", "loki", "jaeger"), fake.address)
    return parse_document(json.dumps({"stack": "test", "sources": sources, **more}).encode())


def call(document: Document, tool: str, **arguments: Any) -> Answered:
    """The answer to one call, without a transport."""

    async def run() -> Answered:
        async with Sources(lambda: document) as sources:
            return await ToolService(lambda: document, sources).call("test", tool, arguments)

    return asyncio.run(run())


def read(document: Document, tool: str, **arguments: Any) -> dict[str, Any]:
    """The data of the answer to one call, which must not be refused."""
    answered = call(document, tool, **arguments)
    assert answered.data is not None, answered.text
    return answered.data


# -- over HTTP -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Served:
    """A server that runs: the address for clients, that of its metrics, and the folder of its files."""

    url: str
    metrics: str
    folder: Path


@asynccontextmanager
async def serving_document(folder: Path, document: Mapping[str, Any]) -> AsyncIterator[Served]:
    """A server of a document, with one token of `ann`, for as long as the block runs."""
    (folder / "token").write_text(TOKEN)
    file = folder / "stack.json"
    file.write_text(json.dumps({"stack": "test", "tokens": {"ann": str(folder / "token")}, **document}))
    async with serving(DocumentFile(file), Listen("127.0.0.1", 0, 0)) as (port, metrics_port):
        yield Served(f"http://127.0.0.1:{port}/mcp", f"http://127.0.0.1:{metrics_port}", folder)


@asynccontextmanager
async def opening(token: str | None = TOKEN, **headers: str) -> AsyncIterator[httpx2.AsyncClient]:
    """An HTTP client with a token and further headers."""
    own = {"authorization": f"Bearer {token}"} if token else {}
    async with httpx2.AsyncClient(headers={**own, **headers}, trust_env=False, timeout=20) as client:
        yield client


@asynccontextmanager
async def connecting(url: str) -> AsyncIterator[Client]:
    """The protocol's own client of the SDK, with the token of a test."""
    async with opening() as http, Client(streamable_http_client(url, http_client=http)) as client:
        yield client
