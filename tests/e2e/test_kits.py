"""The kits of instrumentation/ as processes of this machine, each between a caller and a service that it asks.

What a stack makes of them is seen in test_guests.py.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from cli.describe import describe_source
from tests.support.running import ROOT
from tests.support.waiting import eventually
from tests.support.yaml_files import read_yaml
from toolchain.context import build_default_context
from toolchain.guests import KIT_GO, KIT_NODE, KIT_PYTHON
from toolchain.npm import NODE, PROGRAM

PACKS = {"node": "nodejs", "python": "python", "go": "go"}
SOURCES = ROOT / "instrumentation"
DRAIN = 2
TEMPLATES = {"node": "/orders/:number", "python": "/orders/{number}", "go": "/orders/{number}"}
"""The path of its only route, as each framework writes it."""


class _Answering(BaseHTTPRequestHandler):
    """Answers as its server's `neighbour` says."""

    def do_GET(self) -> None:
        """An order's stock, or its failure."""
        status, delay = self.server.neighbour.mode  # type: ignore[attr-defined]
        time.sleep(delay)  # what is slow is what is tested
        self.server.neighbour.callers.append(self.headers.get("traceparent", ""))  # type: ignore[attr-defined]
        self._reply(status)

    def do_POST(self) -> None:
        """Spans."""
        if self.headers.get("Transfer-Encoding") == "chunked":
            parts = iter(lambda: int(self.rfile.readline(), 16), 0)
            body = b"".join(self.rfile.read(size + 2)[:size] for size in parts)
            self.rfile.readline()
        else:
            body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.neighbour.sent.append((self.path, body))  # type: ignore[attr-defined]
        self._reply(200)

    def _reply(self, status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(b'{"left": 3}' if self.command == "GET" else b"{}")

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing."""


@dataclass
class Neighbour:
    """The service that a kit asks and to which it sends its spans: what it answers, who called it, and what came."""

    url: str = ""
    mode: tuple[int, float] = (200, 0)
    callers: list[str] = field(default_factory=list)
    sent: list[tuple[str, bytes]] = field(default_factory=list)

    def has_span(self, trace: str) -> bool:
        """Whether a span of a trace came; its id is text in JSON, and bytes in protobuf."""
        return any(path == "/v1/traces" and (trace.encode() in x or bytes.fromhex(trace) in x) for path, x in self.sent)


@contextmanager
def _run_neighbour() -> Iterator[Neighbour]:
    made = Neighbour()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Answering)
    server.neighbour = made  # type: ignore[attr-defined]
    made.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()


@dataclass
class Kit:
    """A kit that runs: its address, its process, its log, and its neighbour."""

    name: str
    url: str
    process: subprocess.Popen[bytes]
    log: Path
    neighbour: Neighbour

    def ask(self, path: str, trace: str = "") -> tuple[int, str]:
        """Status and text of what a path answers."""
        headers = {"traceparent": f"00-{trace}-{'2' * 16}-01"} if trace else {}
        try:
            with urllib.request.urlopen(urllib.request.Request(self.url + path, headers=headers), timeout=20) as answer:  # noqa: S310 - loopback
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def list_lines(self, **wanted: Any) -> list[dict[str, Any]]:
        """The lines that it has written, each of which is JSON, with these fields."""
        lines = [json.loads(line) for line in self.log.read_text().splitlines()]
        return [line for line in lines if wanted.items() <= line.items()]

    def wait_for_lines(self, count: int = 1, **wanted: Any) -> list[dict[str, Any]]:
        """So many lines with these fields; a request is counted, then has its line, after its caller has the answer."""

        def find() -> list[dict[str, Any]]:
            lines = self.list_lines(**wanted)
            assert len(lines) == count, lines
            return lines

        return eventually(find, timeout=20, what=f"lines with {wanted}")


def _find_command(name: str, folder: Path) -> tuple[list[str], dict[str, str]]:
    """How a kit is started, with the libraries of its lock file, and what its environment needs for that."""
    context = build_default_context()
    if name == "go":
        return [str(KIT_GO.ensure(context) / "bin" / KIT_GO.program)], {}
    if name == "python":
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        libraries = replace(KIT_PYTHON, python=version).ensure(context)
        return [sys.executable, str(SOURCES / "python/service.py")], {"PYTHONPATH": str(libraries)}
    for path in (SOURCES / "node").glob("*.js*"):
        shutil.copy(path, folder)
    (folder / "node_modules").symlink_to(KIT_NODE.ensure(context) / "node_modules")
    return [str(NODE.ensure(context) / PROGRAM), str(folder / "service.js")], {}


@contextmanager
def _run_kit(name: str, folder: Path, neighbour: Neighbour, **env: str) -> Iterator[Kit]:
    command, needed = _find_command(name, folder)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    mine = {"PATH": os.environ["PATH"], "PORT": str(port), "STOCK_URL": neighbour.url, "DRAIN_SECONDS": str(DRAIN)}
    log = folder / "log"
    with log.open("wb") as out:
        process = subprocess.Popen(command, env=mine | needed | env, stdout=out, stderr=out)
    kit = Kit(name, f"http://127.0.0.1:{port}", process, log, neighbour)
    try:
        eventually(lambda: kit.ask("/livez")[0] == 200, timeout=60, what=f"{name}: {command}")
        yield kit
    finally:
        process.kill()
        process.wait()


Start = Callable[..., Kit]


@pytest.fixture(params=PACKS)
def start(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Start]:
    """Starts the kit of a language, with a neighbour that it sends its spans to, if it has `spans`."""
    with ExitStack() as stack:

        def begin(*, spans: bool = True) -> Kit:
            neighbour = stack.enter_context(_run_neighbour())
            env = {"OTEL_EXPORTER_OTLP_ENDPOINT": neighbour.url} if spans else {}
            return stack.enter_context(_run_kit(request.param, tmp_path, neighbour, **env))

        yield begin


def test_a_request_is_a_sample_a_line_and_a_span(start: Start) -> None:
    """All with the same path, of which there is one for whatever nobody serves, and with the trace of the caller."""
    kit, trace = start(), "1" * 32
    template = TEMPLATES[kit.name]
    status, text = kit.ask("/orders/7?token=secret", trace)
    assert status == 200 and json.loads(text) == {"number": 7, "stock": {"left": 3}}
    assert [kit.ask(f"/none/{number}")[0] for number in range(3)] == [404] * 3
    kit.wait_for_lines(3, path="unknown")
    metrics = kit.ask("/metrics")[1]
    assert _find_sample(metrics, "http_requests_total", f'path="{template}"', 'method="GET"', 'status="200"') == 1
    assert _find_sample(metrics, "http_requests_total", 'path="unknown"', 'status="404"') == 3
    assert _find_sample(metrics, "http_request_duration_seconds_count", f'path="{template}"') == 1
    assert _find_sample(metrics, "http_requests_in_flight") == 0
    assert "_created" not in metrics and "livez" not in metrics and "secret" not in kit.log.read_text()
    (line,) = kit.wait_for_lines(trace_id=trace)
    assert line["level"] == "info" and line["path"] == template and line["status"] == 200 and line["msg"]
    assert kit.neighbour.callers[-1].split("-")[1] == trace
    assert eventually(lambda: kit.neighbour.has_span(trace), timeout=20, what="span")
    assert any(
        b"/orders/" in body and b"2222222222222222" in body + body.hex().encode() for _, body in kit.neighbour.sent
    )


def _find_sample(metrics: str, name: str, *labels: str) -> float:
    """The value of the only series of a name that has these labels."""
    lines = [line for line in metrics.splitlines() if line.split("{")[0].split(" ")[0] == name]
    (line,) = (line for line in lines if all(label in line for label in labels))
    return float(line.rpartition(" ")[2])


def test_a_failure_is_one_line_with_what_went_wrong(start: Start) -> None:
    """Counted as a status of its own, and the answer says nothing of the inside."""
    kit, trace = start(), "3" * 32
    kit.neighbour.mode = (500, 0)
    status, text = kit.ask("/orders/7", trace)
    assert status == 500 and "internal error" in text and kit.neighbour.url not in text
    (line,) = kit.wait_for_lines(trace_id=trace)
    assert line["level"] == "error" and "500" in str(line.get("err") or line.get("exception") or line.get("error"))
    assert _find_sample(kit.ask("/metrics")[1], "http_requests_total", 'status="500"') == 1
    assert kit.list_lines(level="error") == [line]


def test_health_names_what_is_away(start: Start) -> None:
    """Neither a restart nor fewer requests would help: alive and ready it is all the same."""
    kit = start()
    assert [kit.ask(path)[0] for path in ("/livez", "/readyz", "/health")] == [200] * 3
    kit.neighbour.mode = (503, 0)
    assert [kit.ask(path)[0] for path in ("/livez", "/readyz", "/health")] == [200, 200, 503]
    assert "503" in json.loads(kit.ask("/health")[1])["checks"]["stock"]


def test_it_is_described_as_packs_read_it(start: Start) -> None:
    """Nobody has to write down more than its address."""
    kit = start(spans=False)
    kit.ask("/orders/7")
    kit.wait_for_lines(status=200)
    text = describe_source(f"{kit.url}/metrics", "orders")
    assert "#" not in text
    service = read_yaml(text)["services"]["orders"]
    assert service["packs"] == ["http", PACKS[kit.name]] and service.keys() == {"port", "packs", "metrics"}
    roles = {name: metric["role"] for name, metric in service["metrics"].items()}
    assert roles == {
        "http_requests_total": "requests",
        "http_request_duration_seconds": "duration",
        "http_requests_in_flight": "in_flight",
    }


def test_without_an_address_no_span_is_missed(start: Start) -> None:
    """Lines have the ids of traces all the same, and none complains."""
    kit, trace = start(spans=False), "4" * 32
    assert kit.ask("/orders/7", trace)[0] == 200
    kit.wait_for_lines(trace_id=trace)
    kit.process.send_signal(signal.SIGTERM)
    assert kit.process.wait(timeout=30) == 0
    assert {line["level"] for line in kit.list_lines()} == {"info"} and not kit.neighbour.sent


def test_a_stop_loses_no_request_and_no_span(start: Start) -> None:
    """First it is not ready and goes on; then what it has begun is finished; then the last span is sent."""
    kit, trace = start(), "5" * 32
    kit.neighbour.mode = (200, DRAIN + 1.5)
    with ThreadPoolExecutor() as pool:
        slow = pool.submit(kit.ask, "/orders/7", trace)
        eventually(lambda: "http_requests_in_flight 1" in kit.ask("/metrics")[1], timeout=20, what="request")
        kit.process.send_signal(signal.SIGTERM)
        eventually(lambda: kit.ask("/readyz")[0] == 503, timeout=DRAIN, what="not ready")
        kit.neighbour.mode = (200, 0)
        assert kit.ask("/orders/8")[0] == 200  # who sends requests may not know yet
        assert slow.result()[0] == 200
    assert kit.process.wait(timeout=30) == 0
    assert kit.neighbour.has_span(trace)
    assert kit.list_lines(trace_id=trace)
