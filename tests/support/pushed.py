"""What Promtail pushes: the very program reads files by the stages it is given, and a server takes what it sends.

Format: https://grafana.com/docs/loki/latest/reference/loki-http-api/#ingest-logs (protobuf, compressed by snappy).
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

from tests.support.serving import serving
from tests.support.waiting import eventually
from tests.support.yaml_files import write_yaml
from toolchain import validators
from toolchain.context import build_default_context

DISCOVERIES = ("docker_sd_configs", "kubernetes_sd_configs", "static_configs")
Fields = dict[int, list[Any]]


@dataclass(frozen=True)
class Entry:
    """A pushed entry: its labels, its time, its text, and what is stored beside it."""

    labels: dict[str, str]
    time: datetime
    line: str
    beside: dict[str, str] = field(default_factory=dict)


# -- the format ------------------------------------------------------------------------------------------------------


def decompressed(data: bytes) -> bytes:
    """A block of snappy: https://github.com/google/snappy/blob/main/format_description.txt."""
    _, at = varint(data, 0)
    made = bytearray()
    while at < len(data):
        tag, kind = data[at], data[at] & 3
        at += 1
        if kind == 0:
            length = (tag >> 2) + 1
            if length > 60:
                size = length - 60
                length, at = int.from_bytes(data[at : at + size], "little") + 1, at + size
            made += data[at : at + length]
            at += length
            continue
        size = {1: 1, 2: 2, 3: 4}[kind]
        back = int.from_bytes(data[at : at + size], "little") + ((tag >> 5) << 8 if kind == 1 else 0)
        length = ((tag >> 2) & 7) + 4 if kind == 1 else (tag >> 2) + 1
        at += size
        for _ in range(length):
            made.append(made[-back])
    return bytes(made)


def varint(data: bytes, at: int) -> tuple[int, int]:
    """A number of protobuf, and where it ends."""
    value = shift = 0
    while True:
        byte = data[at]
        at, value, shift = at + 1, value | (byte & 127) << shift, shift + 7
        if byte < 128:
            return value, at


def parsed(data: bytes) -> Fields:
    """The fields of a message by number: https://protobuf.dev/programming-guides/encoding/."""
    made: Fields = {}
    at = 0
    while at < len(data):
        tag, at = varint(data, at)
        value: Any
        value, at = varint(data, at)
        if tag & 7 == 2:
            value, at = data[at : at + value], at + value
        made.setdefault(tag >> 3, []).append(value)
    return made


def entries_of(body: bytes) -> Iterator[Entry]:
    """The entries of a push."""
    for stream in map(parsed, parsed(decompressed(body)).get(1, [])):
        labels = dict(re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', stream[1][0].decode()))
        for entry in map(parsed, stream.get(2, [])):
            moment = parsed(entry[1][0])
            second, nano = moment.get(1, [0])[0], moment.get(2, [0])[0]
            time = datetime.fromtimestamp(second, UTC) + timedelta(microseconds=nano // 1000)
            pairs = (parsed(pair) for pair in entry.get(3, []))
            beside = {pair[1][0].decode(): pair.get(2, [b""])[0].decode() for pair in pairs}
            yield Entry(labels, time, entry.get(2, [b""])[0].decode(), beside)


# -- the programs ----------------------------------------------------------------------------------------------------


@contextmanager
def receiver() -> Iterator[tuple[str, list[Entry]]]:
    """A server that takes pushes: its address, and what has come so far."""
    taken: list[Entry] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            """Take a push as Loki does."""
            taken.extend(entries_of(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Nothing to say."""

    with serving(Handler) as address:
        yield f"http://{address}/loki/api/v1/push", taken


def written(folder: Path, url: str, jobs: Sequence[dict[str, Any]]) -> Path:
    """Promtail's file with these jobs; how far it has read stands in `folder`."""
    config = {
        "server": {"disable": True},
        "positions": {"filename": str(folder / "positions.yaml"), "sync_period": "100ms"},
        "clients": [{"url": url, "batchwait": "100ms"}],
        "target_config": {"sync_period": "100ms"},
        "scrape_configs": list(jobs),
    }
    file = folder / "promtail.yml"
    file.write_text(write_yaml(config), encoding="utf-8")
    return file


def pushed(folder: Path, jobs: Sequence[dict[str, Any]], count: int) -> list[Entry]:
    """What Promtail sends by these jobs, once `count` entries have come."""
    program = validators.ensure_validator(build_default_context(), "promtail", pinned=True)
    with receiver() as (url, taken):
        command = [str(program), f"-config.file={written(folder, url, jobs)}"]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=(folder / "errors").open("w"))
        try:
            eventually(
                lambda: len(taken) >= count or process.poll() is not None, timeout=30, what=f"{count} entries: {taken}"
            )
        finally:
            process.terminate()
            process.wait(20)
        assert len(taken) >= count, (folder / "errors").read_text() + "\n".join(map(str, taken))
        return list(taken)


def pushed_lines(
    folder: Path, stages: list[dict[str, Any]], lines: Sequence[str], count: int, **labels: str
) -> list[Entry]:
    """What becomes of the lines of one file with these labels."""
    folder.mkdir(exist_ok=True)
    file = folder / "lines.log"
    file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    target = {"targets": ["localhost"], "labels": {"job": "containerlogs", **labels, "__path__": str(file)}}
    job = {"job_name": "a", "static_configs": [target], "pipeline_stages": stages}
    return pushed(folder, [job], count)


def read_files(
    folder: Path, job: Mapping[str, Any], targets: Sequence[Mapping[str, str]], lines: int
) -> dict[str, dict[str, str]]:
    """The labels of each of so many lines, of targets with these labels, in the place of those that are discovered.

    Each target has its `__path__`, unless the job says it.
    """
    given = {key: value for key, value in job.items() if key not in DISCOVERIES}
    static = [{"targets": ["localhost"], "labels": dict(labels)} for labels in targets]
    plain = json.loads(json.dumps({**given, "static_configs": static}))
    return {entry.line: entry.labels for entry in pushed(folder, [plain], lines)}
