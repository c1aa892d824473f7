"""The socket proxy as HAProxy itself understands it, in front of an engine that writes down what reaches it."""

from __future__ import annotations

import http.client
import json
import socketserver
import subprocess
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from components.socket_proxy import METRICS_PORT, PORT, SOCKET, render_config
from model.settings import DockerSettings
from tests.support.waiting import eventually
from toolchain import validators
from toolchain.context import build_default_context

CLASSIC = {"ServerVersion": "20.10.24", "Driver": "overlay2", "DockerRootDir": "/var/lib/docker", "Containers": 7}
"""What `docker info` says of an engine whose layers cAdvisor sees."""
CONTAINERD = {
    "ServerVersion": "29.8.0",
    "Driver": "overlayfs",
    "DriverStatus": [["driver-type", "io.containerd.snapshotter.v1"]],
    "DockerRootDir": "/var/lib/docker",
}
"""What it says of a new installation of Docker 29."""
HERE = {PORT: 12375, METRICS_PORT: 18404}
"""Ports of the loopback interface instead of the container's own."""


class Engine(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """Answers everything with `status` and, to /info, with `info`; remembers what it was asked, health apart."""

    daemon_threads = True

    def __init__(self, path: Path) -> None:
        super().__init__(str(path), Handler)
        self.seen: list[str] = []
        self.status = 200
        self.info: Mapping[str, Any] = CLASSIC


class Handler(BaseHTTPRequestHandler):
    """One request to the engine."""

    def handle_one_request(self) -> None:
        """Takes any method."""
        self.raw_requestline = self.rfile.readline()
        if self.raw_requestline and self.parse_request():
            assert isinstance(self.server, Engine)
            if self.request_version == "HTTP/1.1":  # HAProxy's own question is the older one
                self.server.seen.append(f"{self.command} {self.path}")
            body = json.dumps(self.server.info).encode() if unquote(self.path).lower().endswith("/info") else b"{}"
            self.wfile.write(b"HTTP/1.1 %d X\r\nConnection: close\r\n" % self.server.status)
            self.wfile.write(b"Transfer-Encoding: chunked\r\n\r\n")
            if self.command != "HEAD":  # in pieces, as the engine sends what is long
                for piece in (body[:3000], body[3000:6000], body[6000:], b""):
                    if piece:
                        self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
                self.wfile.write(b"0\r\n\r\n")
        self.close_connection = True

    def address_string(self) -> str:
        """A peer on a Unix socket has no address."""
        return "unix"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the socket is, and what the proxy is told."""
    return tmp_path_factory.mktemp("proxy")


@pytest.fixture(scope="module", params=["classic", "containerd"])
def store(request: pytest.FixtureRequest) -> str:
    """The image store that the settings name."""
    return str(request.param)


@pytest.fixture(scope="module")
def engine(folder: Path, store: str) -> Iterator[Engine]:
    """An engine behind the proxy."""
    text = render_config(DockerSettings.model_validate({"imageStore": store})).replace(SOCKET, str(folder / "s"))
    (folder / "s").unlink(missing_ok=True)
    for port, here in HERE.items():
        text = text.replace(f"bind :{port}", f"bind 127.0.0.1:{here}")
    (folder / "haproxy.cfg").write_text(text, encoding="utf-8")
    haproxy = validators.ensure_validator(build_default_context(), "haproxy", pinned=True)
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


def answer(method: str, path: str, port: int = PORT) -> tuple[int, bytes]:
    """Status and body of a request to the proxy; the path is sent as it stands here."""
    connection = http.client.HTTPConnection("127.0.0.1", HERE[port], timeout=5)
    try:
        connection.request(method, path)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def status(method: str, path: str, port: int = PORT) -> int:
    """The status of a request to the proxy."""
    return answer(method, path, port)[0]


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


LONG = {"Plugins": {"Log": ["x" * 60] * 600}}
"""More than an engine says of its plugins, drivers and registries together."""


@pytest.mark.parametrize("path", ["/info", "/v1.44/info", "/INFO", "/%69nfo"])
@pytest.mark.parametrize(
    ("info", "hidden"),
    [
        (CLASSIC, False),
        ({**LONG, **CLASSIC}, False),
        ({**CLASSIC, "DockerRootDir": "/var/lib/docker-2"}, True),
        ({**LONG, **CLASSIC, "DockerRootDir": '/data/a "quoted" root'}, True),
        (CONTAINERD, True),
        ({**LONG, **CONTAINERD}, True),
    ],
)
def test_layers_that_cadvisor_cannot_see_are_not_spoken_of(
    engine: Engine, store: str, path: str, info: Mapping[str, Any], hidden: bool
) -> None:
    """It is told of a version without layers and of no driver, and all else is the engine's own answer."""
    engine.info = info
    code, body = answer("GET", path)
    assert code == 200
    if hidden or store == "containerd":
        root = info["DockerRootDir"]
        assert json.loads(body) == {"ServerVersion": "1.9.0", "Driver": "none", "DockerRootDir": root}
    else:
        assert json.loads(body) == info


def test_an_engine_that_refuses_is_not_covered_up(engine: Engine) -> None:
    """An error of the engine, such as one for an old version of its API, reaches whoever asked."""
    engine.info, engine.status = CONTAINERD, 400
    try:
        assert answer("GET", "/info") == (400, json.dumps(CONTAINERD).encode())
    finally:
        engine.status = 200


def test_other_answers_are_the_engines_own(engine: Engine) -> None:
    """Only the one question is answered in the engine's place."""
    assert answer("GET", "/containers/json") == (200, b"{}")
    assert answer("GET", "/containers/info/json") == (200, b"{}")


@pytest.mark.parametrize("silent", [500, None])
def test_it_is_well_only_while_the_engine_answers(engine: Engine, folder: Path, silent: int | None) -> None:
    """Health and metrics are red for a socket at which nobody answers, or only errors, and green again after it."""

    def both(code: int) -> bool:
        return all(status("GET", path, METRICS_PORT) == code for path in ("/healthz", "/metrics"))

    eventually(lambda: both(200), timeout=10, what="a green proxy")
    if silent:
        engine.status = silent
    else:
        (folder / "s").rename(folder / "away")
    eventually(lambda: both(503), timeout=20, what="a red proxy")
    assert b"docker.socket" in answer("GET", "/healthz", METRICS_PORT)[1]
    engine.status = 200
    if not silent:
        (folder / "away").rename(folder / "s")
    eventually(lambda: both(200), timeout=20, what="a green proxy again")
