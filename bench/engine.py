"""A Docker engine that has one container, and its log file: what agents that read lines ask of one, on loopback.

API: https://docs.docker.com/reference/api/engine/. File: https://docs.docker.com/engine/logging/drivers/json-file/.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

ID = "0b" * 32
NAME = "bench"
STEP_NS = 1000
"""Nanoseconds between two lines at least: Loki takes two lines of one time and text for one."""


class Container:
    """The only container, which writes as the driver json-file does."""

    def __init__(self, folder: Path) -> None:
        """`folder` stands for the engine's folder of containers."""
        self.file = folder / ID / f"{ID}-json.log"
        self.file.parent.mkdir(parents=True)
        self.file.touch()
        self.written = 0
        self._last = 0

    def write(self, count: int) -> None:
        """Writes lines, each with its number."""
        lines = []
        for number in range(self.written, self.written + count):
            self._last = max(time.time_ns(), self._last + STEP_NS)
            log = json.dumps({"level": "info", "msg": "an order was taken", "order": number, "path": "/api/v1/orders"})
            entry = {"log": f"{log}\n", "stream": "stdout", "time": _format_time(self._last)}
            lines.append(json.dumps(entry, separators=(",", ":")))
        with self.file.open("ab", buffering=0) as file:
            file.write("".join(f"{line}\n" for line in lines).encode())
        self.written += count


def _format_time(nanoseconds: int) -> str:
    second, rest = divmod(nanoseconds, 10**9)
    return f"{datetime.fromtimestamp(second, UTC):%Y-%m-%dT%H:%M:%S}.{rest:09}Z"


def find_number(line: str) -> int:
    """The number of a line."""
    return int(json.loads(line)["order"])


def build_frames(lines: list[str], since: int) -> bytes:
    """Lines as the engine sends them, each with a head that says its stream and length; without those before `since`.

    Source: https://docs.docker.com/reference/api/engine/version/v1.43/#tag/Container/operation/ContainerAttach
    """
    made = bytearray()
    for line in lines:
        entry = json.loads(line)
        if since and datetime.fromisoformat(f"{entry['time'][:19]}+00:00").timestamp() < since:
            continue
        body = f"{entry['time']} {entry['log']}".encode()
        made += bytes((1, 0, 0, 0)) + len(body).to_bytes(4, "big") + body
    return bytes(made)


def _list_answers(container: Container) -> dict[str, Any]:
    network = {"NetworkID": "net", "IPAddress": "172.30.0.2"}
    about = {
        "Id": ID, "Names": [f"/{NAME}"], "Labels": {}, "State": "running", "Ports": [],
        "HostConfig": {"NetworkMode": "bridge"}, "NetworkSettings": {"Networks": {"bridge": network}},
    }  # fmt: skip
    inspected = {
        "Id": ID, "Name": f"/{NAME}", "Config": {"Tty": False}, "State": {"Running": True, "Status": "running"},
        "HostConfig": {"LogConfig": {"Type": "json-file"}}, "LogPath": str(container.file),
    }  # fmt: skip
    return {
        "/_ping": "OK",
        "/version": {"ApiVersion": "1.43"},
        "/networks": [{"Id": "net", "Name": "bridge", "Scope": "local", "Labels": {}}],
        "/containers/json": [about],
        f"/containers/{ID}/json": inspected,
    }


@contextmanager
def serve_engine(container: Container) -> Iterator[str]:
    """The address, host:port, at which the engine answers."""
    ended, answers = threading.Event(), _list_answers(container)

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            """Says which API it has."""
            self._begin("text/plain")

        def do_GET(self) -> None:
            """Answers, or goes on for as long as there may be more."""
            url = urlsplit(self.path)
            path = re.sub(r"^/v[\d.]+", "", url.path)
            if path == "/events":
                self._begin("application/json")
                ended.wait()
            elif path.endswith("/logs"):
                self._begin("application/vnd.docker.multiplexed-stream")
                self._follow(int(float(parse_qs(url.query).get("since", ["0"])[0])))
            else:
                self._begin("application/json")
                self.wfile.write(json.dumps(answers[path]).encode())

        def _begin(self, kind: str) -> None:
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Api-Version", "1.43")
            self.end_headers()
            self.wfile.flush()

        def _follow(self, since: int) -> None:
            rest = b""  # a line of which a part is written so far
            with container.file.open("rb") as file:
                while not ended.is_set():
                    if not (read := file.read(256 * 1024)):
                        ended.wait(0.05)
                        continue
                    whole, _, rest = (rest + read).rpartition(b"\n")
                    try:
                        self.wfile.write(build_frames(whole.decode().splitlines(), since))
                    except OSError:  # who asked is gone
                        return

        def log_message(self, *_: Any) -> None:
            """No line for each question."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        ended.set()
        server.shutdown()
        server.server_close()
