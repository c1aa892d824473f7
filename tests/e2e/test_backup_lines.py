"""A Loki that is backed up while it takes lines, and another one on what was restored."""

from __future__ import annotations

import json
import socket
import subprocess
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.images.backup_agent.test_real_prometheus import fetch
from tests.support.backups import Stand
from tests.support.validating import tool
from tests.support.waiting import eventually

pytestmark = pytest.mark.local_engine  # Loki as a process of this machine, which no engine changes


def build_config(data: Path, port: int, grpc: int) -> dict[str, Any]:
    """A Loki in one process that keeps everything below one directory."""
    schema = {"from": "2024-01-01", "store": "tsdb", "object_store": "filesystem", "schema": "v13"}
    ring = {"instance_addr": "127.0.0.1", "kvstore": {"store": "inmemory"}}
    storage = {"chunks_directory": f"{data}/chunks", "rules_directory": f"{data}/rules"}
    return {
        "auth_enabled": False,
        "server": {
            "http_listen_address": "127.0.0.1",
            "http_listen_port": port,
            "grpc_listen_address": "127.0.0.1",
            "grpc_listen_port": grpc,
        },
        "common": {
            "path_prefix": str(data),
            "ring": ring,
            "replication_factor": 1,
            "storage": {"filesystem": storage},
        },
        "schema_config": {"configs": [{**schema, "index": {"prefix": "index_", "period": "24h"}}]},
        "ingester": {"wal": {"dir": f"{data}/wal", "flush_on_shutdown": False}},
        "frontend": {"address": "127.0.0.1"},
        "analytics": {"reporting_enabled": False},
    }


@contextmanager
def running(data: Path, folder: Path, name: str) -> Iterator[str]:
    """Loki on a directory; gives its address. Its log is `name`."""
    ports = []
    for _ in range(2):
        with socket.create_server(("127.0.0.1", 0)) as opened:
            ports.append(opened.getsockname()[1])
    config = folder / f"{name}.json"
    config.write_text(json.dumps(build_config(data, *ports)))
    command = [str(tool("loki")), f"-config.file={config}"]
    with (folder / name).open("w") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        try:
            address = f"http://127.0.0.1:{ports[0]}"
            eventually(lambda: fetch(f"{address}/ready"), timeout=120, what="Loki is ready")
            yield address
        finally:
            process.kill()


def push(address: str, first: int, number: int, start: int) -> None:
    """Send lines, a millisecond apart."""
    values = [[str(start + n * 1_000_000), f"line {n} " + "x" * 100] for n in range(first, first + number)]
    body = json.dumps({"streams": [{"stream": {"service": "api", "part": str(first % 7)}, "values": values}]}).encode()
    request = urllib.request.Request(f"{address}/loki/api/v1/push", body, {"Content-Type": "application/json"})  # noqa: S310
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - loopback
        assert answer.status == 204


def read_lines(address: str, start: int, end: int) -> list[tuple[str, str]]:
    """Time and text of every line between two times."""
    words = {"query": '{service="api"}', "start": start, "end": end, "limit": 5000, "direction": "forward"}
    answer = json.loads(fetch(f"{address}/loki/api/v1/query_range?{urllib.parse.urlencode(words)}"))
    return sorted((time, text) for stream in answer["data"]["result"] for time, text in stream["values"])


def count_lines(address: str, end: int) -> int:
    """Lines of a minute, counted by Loki."""
    words = {"query": 'sum(count_over_time({service="api"}[1h]))', "time": end}
    answer = json.loads(fetch(f"{address}/loki/api/v1/query?{urllib.parse.urlencode(words)}"))
    return int(answer["data"]["result"][0]["value"][1])


def test_a_restored_loki_has_the_same_lines(tmp_path: Path) -> None:
    """Lines of chunks, and those that only the write-ahead log has, up to the moment at which the backup began."""
    stand = Stand(tmp_path)
    stand.values |= {"workload": "loki", "order": ["wal", "tsdb-shipper-active"], "exclude": [], "sqlite": []}
    start, ended = time.time_ns() - 600 * 10**9, threading.Event()
    with running(stand.data, tmp_path, "first") as address:
        push(address, 0, 1500, start)
        with urllib.request.urlopen(urllib.request.Request(f"{address}/flush", method="POST"), timeout=30):  # noqa: S310
            pass
        eventually(lambda: list_chunks(stand), timeout=60, what="chunks")
        push(address, 1500, 1500, start)
        end = start + 3000 * 1_000_000

        def go_on() -> None:
            number = 10_000
            while not ended.is_set():
                push(address, number, 20, start)
                number += 20

        writer = threading.Thread(target=go_on)
        writer.start()
        try:
            stand.run()
        finally:
            ended.set()
            writer.join()
        before, counted = read_lines(address, start, end), count_lines(address, end)
    assert len(before) == counted == 3000
    folder = stand.restore()[1]
    with running(folder, tmp_path, "second") as address:
        eventually(lambda: len(read_lines(address, start, end)) >= 3000, timeout=60, what="lines are there")
        assert read_lines(address, start, end) == before and count_lines(address, end) == counted


def list_chunks(stand: Stand) -> list[Path]:
    """Files of chunks."""
    return [path for path in (stand.data / "chunks").rglob("*") if path.is_file()]
