"""A process and a log file of the engine's host itself, as execora has them, on a local and on a remote engine."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.support.running import Engine, RunningStack
from tests.support.waiting import eventually

APP = """
import http.server, sys
class App(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = b'# TYPE http_requests_total counter\\nhttp_requests_total{method="GET",status_code="200"} 7\\n'
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_): pass
http.server.ThreadingHTTPServer((sys.argv[1], 9091), App).serve_forever()
"""


@pytest.fixture(scope="module")
def log_file(engine: Engine) -> Iterator[str]:
    """The log file of an application on the engine's host, which its user may read and nobody else need write."""
    made = subprocess.run([*engine.files(), "mktemp", "-d"], capture_output=True, text=True, check=True)
    folder = made.stdout.strip()
    script = f"chmod 755 {folder} && touch {folder}/app.log && chmod 644 {folder}/app.log"
    subprocess.run([*engine.files(), "sh", "-c", script], check=True)
    yield f"{folder}/app.log"
    subprocess.run([*engine.files(), "rm", "-r", folder], check=True)


@pytest.fixture(scope="module")
def execora(engine: Engine, log_file: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    """Execora without stand-ins: its process listens where the engine's containers find their host."""
    bridge = engine.find_host_gateway()
    running = RunningStack(tmp_path_factory.mktemp("host"), "e2ehost", engine, ports=28100, system="execora")
    running.edit_settings(_without_stand_ins)
    running.edit_system(lambda system: system["hostLogs"][0].update(path=log_file))
    app = subprocess.Popen([*engine.network(), sys.executable, "-c", APP, bridge])
    try:
        running.up()
        yield running
    finally:
        app.terminate()
        app.wait(20)
        running.discard()


def test_process_of_the_host_is_scraped(execora: RunningStack) -> None:
    """Prometheus in its container scrapes the process that listens on the host."""
    up = eventually(lambda: execora.prom('up{service="app"} == 1'), timeout=60, what="the process on the host")
    assert up[0]["metric"]["job"] == "app"
    assert execora.prom("http_requests_total")[0]["value"][1] == "7"


def test_log_file_of_the_host_is_read(execora: RunningStack, engine: Engine, log_file: str) -> None:
    """A line appended to the host's file is in Loki, with its level as a label and no other field."""
    line = json.dumps({"level": "error", "time": datetime.now(UTC).isoformat(), "msg": "no such invoice"})
    append = [*engine.files(), "sh", "-c", f"cat >> {log_file}"]
    subprocess.run(append, input=line + "\n", text=True, check=True)
    query = '{job="execora-app", service="app", level="error"} |= "no such invoice"'
    found = eventually(lambda: execora.loki(query), timeout=30, what="the line of the host's file")
    assert json.loads(found[0])["msg"] == "no such invoice"


def test_position_in_the_file_is_kept(execora: RunningStack, engine: Engine, log_file: str) -> None:
    """After Promtail was killed, lines written meanwhile arrive, and none comes twice."""
    execora.container("promtail").stop()
    for number in (1, 2):
        line = json.dumps(
            {"level": "info", "time": datetime.now(UTC).isoformat(), "msg": f"written meanwhile {number}"}
        )
        append = [*engine.files(), "sh", "-c", f"cat >> {log_file}"]
        subprocess.run(append, input=line + "\n", text=True, check=True)
    execora.container("promtail").start()
    query = '{job="execora-app"}'
    lines = eventually(lambda: _with(execora.loki(query), "meanwhile 2"), timeout=60, what="both lines")
    assert len(lines) == len(set(lines)) == 3, Path(log_file)


def _with(lines: list[str], text: str) -> list[str]:
    return lines if any(text in line for line in lines) else []


def _without_stand_ins(config: dict[str, Any]) -> None:
    config["demo"] = False
    config.pop("demoWorkload", None)  # a section of stand-ins is refused where there are none
    config["prometheus"]["retention"] = "32d"  # longer than the windows of its objectives
