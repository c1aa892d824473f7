"""The socket proxy as HAProxy itself understands it, in front of an engine that only writes down what reaches it."""

from __future__ import annotations

import http.client
import socketserver
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from components.socket_proxy import METRICS_PORT, PORT, SOCKET, config
from tests.support.waiting import eventually
from toolchain import validators
from toolchain.context import default_context

HERE = {PORT: 12375, METRICS_PORT: 18404}
"""Ports of the loopback interface instead of the container's own."""


class Engine(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """Answers 200 to everything, and remembers it."""

    daemon_threads = True

    def __init__(self, path: Path) -> None:
        super().__init__(str(path), Handler)
        self.seen: list[str] = []


class Handler(BaseHTTPRequestHandler):
    """One request to the engine."""

    def handle_one_request(self) -> None:
        """Takes any method."""
        self.raw_requestline = self.rfile.readline()
        if self.raw_requestline and self.parse_request():
            assert isinstance(self.server, Engine)
            self.server.seen.append(f"{self.command} {self.path}")
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        self.close_connection = True

    def address_string(self) -> str:
        """A peer on a Unix socket has no address."""
        return "unix"


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """An engine behind the proxy."""
    folder = tmp_path_factory.mktemp("proxy")
    text = config().replace(SOCKET, str(folder / "s"))
    for port, here in HERE.items():
        text = text.replace(f"bind :{port}", f"bind 127.0.0.1:{here}")
    (folder / "haproxy.cfg").write_text(text, encoding="utf-8")
    haproxy = validators.ensure(default_context(), "haproxy", pinned=True)
    with Engine(folder / "s") as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        process = subprocess.Popen([haproxy, "-db", "-f", folder / "haproxy.cfg"])
        try:
            eventually(lambda: status("GET", "/_ping") == 200, timeout=10, what="the proxy answers")
            yield server
        finally:
            process.terminate()
            process.wait(timeout=10)
            server.shutdown()


def status(method: str, path: str, port: int = PORT) -> int:
    """The status of a request to the proxy; the path is sent as it stands here."""
    connection = http.client.HTTPConnection("127.0.0.1", HERE[port], timeout=5)
    try:
        connection.request(method, path)
        return connection.getresponse().status
    finally:
        connection.close()


@pytest.mark.parametrize(
    "path",
    [
        "/_ping",
        "/version",
        "/info",
        "/events?since=1",
        "/networks",
        "/v1.41/containers/json?all=1",
        "/containers/3f2a/json",
        "/v1.44/containers/dev-api/logs?follow=1&stdout=1",
        "/images/sha256:3f2a/json",
        "/images/quay.io/a/b:v1/json",
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_reads_reach_the_engine(engine: Engine, method: str, path: str) -> None:
    """What the agents ask for reaches the engine unchanged."""
    assert status(method, path) == 200
    assert engine.seen[-1] == f"{method} {path}"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        *((method, "/containers/json") for method in ("POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "get")),
        ("POST", "/containers/create"),
        ("POST", "/v1.41/containers/x/exec"),
        ("DELETE", "/containers/x"),
        ("POST", "/containers/x/json"),
        ("GET", "/containers/x/archive?path=/etc/shadow"),
        ("GET", "/containers/x/archive?path=/json"),
        ("GET", "/containers/x/export"),
        ("GET", "/containers/x/attach/ws"),
        ("GET", "/containers/x/top"),
        ("GET", "/containers/x/changes"),
        ("GET", "/images/x/get"),
        ("GET", "/images/get?names=x"),
        ("GET", "/exec/x/json"),
        ("GET", "/secrets"),
        ("GET", "/configs"),
        ("GET", "/swarm/unlockkey"),
        ("GET", "/plugins"),
        ("GET", "/volumes"),
        ("GET", "/system/df"),
        ("GET", "/"),
        ("GET", "//containers/json"),
        ("GET", "/containers//json"),
        ("GET", "/containers/x/../y/archive"),
        ("GET", "/containers/x%2f..%2fy%2farchive"),
        ("GET", "/containers/x/logs%2f..%2f..%2fy%2fexport"),
        ("GET", "/containers/x/json/../../../secrets"),
        ("GET", "/containers/json%0a/secrets"),
        ("GET", "/containers/json%00/secrets"),
        ("GET", "/containers/json;/secrets"),
        ("GET", "/secrets?/containers/json"),
        ("GET", "/v1.41/v1.41/containers/json"),
    ],
)
def test_nothing_else_reaches_the_engine(engine: Engine, method: str, path: str) -> None:
    """Writes, files of containers, secrets and paths in disguise are refused, and the engine never hears of them."""
    before = len(engine.seen)
    assert status(method, path) in (400, 403)
    assert len(engine.seen) == before


def test_health_and_metrics_stand_apart(engine: Engine) -> None:
    """The proxy's own health and metrics are served on a port that leads nowhere else."""
    assert status("GET", "/healthz", METRICS_PORT) == 200
    assert status("GET", "/metrics", METRICS_PORT) == 200
    assert status("GET", "/containers/json", METRICS_PORT) == 404
