"""What the collector sends: the very program reads files by the document that it is given, and a server takes it.

Format: https://opentelemetry.io/docs/specs/otlp/#otlphttp, as JSON.
"""

from __future__ import annotations

import gzip
import json
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

from components.collector.component import PROGRAM_OPTIONS
from components.collector.documents import build_age_filter, build_line_transform
from components.documents import render_yaml
from model.base import escape_dollars
from tests.support.pushed import Entry
from tests.support.serving import serving
from tests.support.waiting import eventually
from toolchain import validators
from toolchain.context import build_default_context


def values_of(attributes: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Attributes as labels have them."""
    return {each["key"]: str(next(iter(each["value"].values()))) for each in attributes}


def entries_of(body: bytes) -> Iterator[Entry]:
    """The entries of a request, each with the time that Loki gives it."""
    for resource in json.loads(body).get("resourceLogs", []):
        labels = values_of(resource["resource"].get("attributes", []))
        for record in (record for scope in resource["scopeLogs"] for record in scope["logRecords"]):
            moment = int(record.get("timeUnixNano") or record["observedTimeUnixNano"])
            time = datetime.fromtimestamp(moment // 10**9, UTC) + timedelta(microseconds=moment % 10**9 // 1000)
            yield Entry(labels, time, record["body"].get("stringValue", ""), values_of(record.get("attributes", [])))


@contextmanager
def receiver() -> Iterator[tuple[str, list[Entry]]]:
    """A server that takes log records: its address, and what has come so far."""
    taken: list[Entry] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            """Take a request as Loki does."""
            body = self.rfile.read(int(self.headers["Content-Length"]))
            taken.extend(entries_of(gzip.decompress(body) if self.headers["Content-Encoding"] == "gzip" else body))
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_: Any) -> None:
            """Nothing to say."""

    with serving(Handler) as address:
        yield f"http://{address}", taken


def build_document(
    folder: Path, url: str, reader: Mapping[str, Any], groups: Sequence[Mapping[str, Any]], labels: Sequence[str]
) -> dict[str, Any]:
    """The document of a collector with one receiver and the statements of these groups."""
    processors = {
        "transform": build_line_transform(groups),
        "filter": build_age_filter(),
        "groupbyattrs": {"keys": list(labels)},
    }
    pipeline = {"receivers": ["file_log"], "processors": [*processors], "exporters": ["otlp_http"]}
    document = {
        "extensions": {"file_storage": {"directory": str(folder / "data"), "create_directory": True}},
        "receivers": {"file_log": {**reader, "poll_interval": "100ms"}},
        "processors": processors,
        "exporters": {"otlp_http": {"endpoint": url, "encoding": "json"}},
        "service": {
            "extensions": ["file_storage"],
            "pipelines": {"logs": pipeline},
            "telemetry": {"metrics": {"level": "none"}},
        },
    }
    made: dict[str, Any] = escape_dollars(document)
    return made


def collected(folder: Path, document: Mapping[str, Any], taken: Sequence[Entry], count: int) -> list[Entry]:
    """What the collector sends by a document, once `count` entries have come."""
    folder.mkdir(exist_ok=True)
    file = folder / "collector.yaml"
    file.write_text(render_yaml(dict(document)), encoding="utf-8")
    program = validators.ensure_validator(build_default_context(), "otel-collector", pinned=True)
    errors = folder / "errors"
    process = subprocess.Popen(
        [str(program), f"--config=file:{file}", *PROGRAM_OPTIONS], stdout=subprocess.DEVNULL, stderr=errors.open("w")
    )
    try:
        eventually(
            lambda: len(taken) >= count or process.poll() is not None, timeout=30, what=f"{count} entries: {taken}"
        )
    finally:
        process.terminate()
        process.wait(20)
    assert len(taken) >= count, errors.read_text(encoding="utf-8") + "\n".join(map(str, taken))
    return list(taken)


def collect_lines(
    folder: Path,
    reader: Mapping[str, Any],
    groups: Sequence[Mapping[str, Any]],
    count: int,
    labels: Sequence[str] = ("level",),
) -> list[Entry]:
    """What becomes of the lines of the files of one receiver."""
    folder.mkdir(exist_ok=True)
    with receiver() as (url, taken):
        return collected(folder, build_document(folder, url, reader, groups, labels), taken, count)
