"""A Prometheus that is backed up while it scrapes, and another one on what was restored."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from tests.support.backups import Stand
from tests.support.serving import serving
from tests.support.validating import tool
from tests.support.waiting import eventually

pytestmark = pytest.mark.exhaustive  # whole Prometheus servers
SERIES = 300
BLOCK_SECONDS = 7200
QUERIES = ("live", "sum(rate(live[10s]))", "count(live)", "count_over_time(live[30s])", "up")


class Target(BaseHTTPRequestHandler):
    """Exposes series that grow with each scrape."""

    scrapes = 0

    def do_GET(self) -> None:
        """Answer a scrape."""
        type(self).scrapes += 1
        text = "".join(f'live{{n="{n}"}} {n * type(self).scrapes}\n' for n in range(SERIES)).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def running(data: Path, folder: Path, name: str, target: str | None) -> Iterator[str]:
    """Prometheus on a directory, which scrapes a target or nothing; gives its address. Its log is `name`."""
    with socket.create_server(("127.0.0.1", 0)) as opened:
        port = opened.getsockname()[1]
    jobs = [{"job_name": "live", "scrape_interval": "250ms", "scrape_timeout": "250ms"}] if target else []
    for job in jobs:
        job["static_configs"] = [{"targets": [target]}]  # type: ignore[assignment]
    config = folder / f"{name}.yml"
    config.write_text(json.dumps({"scrape_configs": jobs}))
    words = [f"--config.file={config}", f"--storage.tsdb.path={data}", f"--web.listen-address=127.0.0.1:{port}"]
    with (folder / name).open("w") as log, subprocess.Popen([str(tool("prometheus")), *words], stderr=log) as process:
        try:
            address = f"http://127.0.0.1:{port}"
            eventually(lambda: fetch(f"{address}/-/ready"), timeout=60, what="Prometheus is ready")
            yield address
        finally:
            process.terminate()


def fetch(url: str) -> str:
    """The answer of a page."""
    with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 - loopback
        return str(answer.read().decode())


def query(address: str, text: str, start: float, end: float, step: float) -> dict[str, Any]:
    """Values of a query over time, by labels."""
    words = urllib.parse.urlencode({"query": text, "start": start, "end": end, "step": step})
    result = json.loads(fetch(f"{address}/api/v1/query_range?{words}"))["data"]["result"]
    return {json.dumps(each["metric"], sort_keys=True): each["values"] for each in result}


def write_block(stand: Stand, end: float) -> None:
    """Write a block of samples until a time, as old as one is that Prometheus has long written."""
    text = stand.folder / "samples"
    samples = [f"old_total {n} {end - BLOCK_SECONDS + n * 15:.0f}" for n in range(BLOCK_SECONDS // 15)]
    text.write_text("\n".join(["# TYPE old counter", *samples, "# EOF", ""]))
    command = [str(tool("promtool")), "tsdb", "create-blocks-from", "openmetrics", str(text), str(stand.data)]
    subprocess.run(command, check=True, capture_output=True)
    for path in stand.data.rglob("*"):
        os.utime(path, (end, end))


def test_a_restored_prometheus_answers_as_before(tmp_path: Path) -> None:
    """Samples of blocks, and those that only the write-ahead log has, up to the moment at which the backup began."""
    stand = Stand(tmp_path)
    stand.values |= {"order": ["wal", "wbl", "chunks_head"], "exclude": ["lock", "queries.active"], "sqlite": []}
    old_end = time.time() - 3 * BLOCK_SECONDS
    write_block(stand, old_end)
    with serving(Target) as target, running(stand.data, tmp_path, "first", target) as address:
        eventually(lambda: query(address, "count(live)", time.time() - 5, time.time(), 1), timeout=60, what="scrapes")
        began = time.time()
        stand.run()
        eventually(lambda: time.time() > began + 12, timeout=60, what="a log that is longer than at the first backup")
        end = time.time()
        report = stand.run()
        assert report.uploaded_bytes < report.bytes  # the block is there already
        before = {text: query(address, text, end - 10, end, 0.5) for text in QUERIES}
        old = query(address, "old_total", old_end - BLOCK_SECONDS, old_end, 60)
    assert len(before["live"]) == SERIES and old and stand.verify().id == report.id
    folder = stand.restore()[1]
    assert not (folder / "lock").exists()
    with running(folder, tmp_path, "second", None) as address:
        assert {text: query(address, text, end - 10, end, 0.5) for text in QUERIES} == before
        assert query(address, "old_total", old_end - BLOCK_SECONDS, old_end, 60) == old
    log = (tmp_path / "second").read_text()
    assert "WAL replay completed" in log and "level=ERROR" not in log
