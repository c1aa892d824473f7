"""The very gateway and the very Loki that are deployed, on loopback: what was answered 200 is found, hostile or not.

No engine is needed. A program that is not there yet is built, however long that takes.
"""

from __future__ import annotations

import json
import re
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from components import otelcol
from components.loki import settings as loki_settings
from components.otel import bounds, settings
from model.plan import Plan
from model.stores import LogLimits
from tests.components.otel.plans import plan_gateway
from tests.support.alerting import free_port
from tests.support.validating import written
from tests.support.waiting import eventually
from toolchain import validators
from toolchain.context import build_default_context

LIMITS = LogLimits()
HOUR = 3_600_000_000_000
"""In nanoseconds."""
LETTER = "\u00e4"
"""A character of two bytes, which must not be cut into halves."""


def text(value: str) -> dict[str, str]:
    """A value of OTLP."""
    return {"stringValue": value}


def pair(key: str, value: Mapping[str, Any]) -> dict[str, Any]:
    """An attribute of OTLP."""
    return {"key": key, "value": value}


def many(count: int, value: str, name: str = "name") -> list[dict[str, Any]]:
    """So many attributes with the same value."""
    return [pair(f"{name}{number}", text(value)) for number in range(count)]


def build_map(keys: int) -> dict[str, Any]:
    """A map with so many keys."""
    return {"kvlistValue": {"values": many(keys, "x")}}


NESTED = {"kvlistValue": {"values": [pair("", build_map(9))]}}
SENDER = [
    *many(100, "s" * 10_000, "host."),
    pair("process.command_args", {"arrayValue": {"values": [text("x")] * 99}}),
]
RECORDS: dict[str, dict[str, Any]] = {
    "plain": {"attributes": many(3, "x")},
    "64 attributes of 4096": {"attributes": many(64, "v" * 4096)},
    "1000 attributes": {"attributes": many(1000, LETTER * 30)},
    "one large attribute": {"attributes": many(1, LETTER * 300_000)},
    "long names": {"attributes": many(60, "x", "n" * 20_000)},
    "a name without a letter": {"attributes": [pair("", text("x")), pair("--", text("x")), pair("\u00e4", text("x"))]},
    "a map of 1000 keys": {"attributes": [pair("map", build_map(1000))]},
    "maps of maps": {"attributes": [pair(f"m{n}", NESTED) for n in range(60)]},
    "a long line": {"body": text(LETTER * 600_000)},
    "a long structured line": {"body": build_map(20_000)},
    "bytes as line": {"body": {"bytesValue": "AAEC" * 100_000}},
    "no line": {"body": None},
    "a week ago": {"timeUnixNano": -24 * 8 * HOUR},
    "two hours ago": {"timeUnixNano": -2 * HOUR},
    "tomorrow": {"timeUnixNano": 24 * HOUR},
    "tomorrow observed": {"timeUnixNano": 24 * HOUR, "observedTimeUnixNano": 24 * HOUR},
    "no time": {"timeUnixNano": None},
    "no time and an old observed one": {"timeUnixNano": None, "observedTimeUnixNano": -9999 * HOUR},
    "a long level": {"severityText": "e" * 100_000},
    "a long name of an event": {"eventName": "e" * 100_000},
    "control characters": {"attributes": many(64, "\u0001" * 4096), "body": text("\u0001" * 100_000)},
}  # fmt: skip
"""What a record has beside an ordinary one; times are from now."""
LONG = {"a long line", "a long structured line", "bytes as line"}


def build_record(name: str, now: int) -> dict[str, Any]:
    """A record that is found by its name."""
    own = dict(RECORDS[name])
    for key in ("timeUnixNano", "observedTimeUnixNano"):
        own[key] = 0 if own.get(key, 0) is None else max(now + own.get(key, 0), 0)
    attributes = [pair("case", text(name)), *own.pop("attributes", [])]
    record = {"body": text(name), "severityNumber": 9, **own, "attributes": attributes}
    return {key: str(value) if key.endswith("Nano") else value for key, value in record.items() if value is not None}


class Pair:
    """A gateway and the Loki that it passes records on to."""

    def __init__(self, folder: Path, plan: Plan) -> None:
        self.folder, self.plan = folder, plan
        self.loki, self.otlp, self.health, self.metrics = (free_port() for _ in range(4))

    def write(self, name: str, moved: Mapping[str, str]) -> Path:
        """Documents of a workload with other addresses and folders; the folder that they are in."""
        folder = written(self.plan, name, self.folder)
        for file in folder.iterdir():
            content = file.read_text(encoding="utf-8")
            for old, new in moved.items():
                content = content.replace(old, new)
            file.write_text(content, encoding="utf-8")
        return folder

    def request(self, url: str, body: Any = None) -> Any:
        """The answer of either, parsed where it is JSON."""
        data = None if body is None else json.dumps(body, ensure_ascii=False).encode()
        sent = urllib.request.Request(url, data, {"Content-Type": "application/json"})  # noqa: S310 - loopback
        with urllib.request.urlopen(sent, timeout=60) as answer:  # noqa: S310 - loopback
            content = answer.read().decode()
        return json.loads(content) if content.startswith(("{", "[")) else content

    def send(self, records: list[dict[str, Any]], sender: list[dict[str, Any]]) -> None:
        """Has records taken; raises where they are refused."""
        scope = {
            "name": "n" * 100_000,
            "version": "v" * 1000,
            "attributes": [*many(20, "x" * 9999, "scope."), pair("", text("x"))],
        }
        resource = {"attributes": [*sender, pair("service.name", text("billing"))]}
        body = {"resourceLogs": [{"resource": resource, "scopeLogs": [{"scope": scope, "logRecords": records}]}]}
        self.request(f"http://127.0.0.1:{self.otlp}/v1/logs", body)

    def find(self, query: str) -> list[tuple[str, dict[str, str]]]:
        """Lines of the last day, and what stands beside each."""
        now = time.time_ns()
        asked = urllib.parse.urlencode({"query": query, "start": now - 24 * HOUR, "end": now + HOUR, "limit": 5000})
        url = f"http://127.0.0.1:{self.loki}/loki/api/v1/query_range?{asked}"
        found = self.request(url)["data"]["result"]
        return [(line, stream["stream"]) for stream in found for _, line in stream["values"]]

    def count(self, query: str) -> int:
        """The value of a query that has one, 0 where there is none."""
        asked = urllib.parse.urlencode({"query": query})
        found = self.request(f"http://127.0.0.1:{self.loki}/loki/api/v1/query?{asked}")["data"]["result"]
        return int(found[0]["value"][1]) if found else 0

    def find_case(self, name: str) -> tuple[str, dict[str, str]]:
        """The record of a case, once it is there."""
        query = f'{{service="billing"}} | case="{name}"'
        return eventually(lambda: self.find(query), timeout=30, what=query)[0]


@contextmanager
def start(name: str, log: Path, *arguments: str) -> Iterator[None]:
    """A program that runs meanwhile."""
    program = validators.ensure_validator(build_default_context(), name, pinned=True)
    with log.open("w") as lines:
        process = subprocess.Popen([program, *arguments], stdout=lines, stderr=lines)
        try:
            yield
        finally:
            process.terminate()
            process.wait(timeout=90)


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """A gateway and a Loki that run, with the documents of a stack."""
    with run_both(tmp_path_factory.mktemp("records")) as made:
        yield made


@contextmanager
def run_both(folder: Path) -> Iterator[Pair]:
    """Both of them, with all that they write below `folder`."""
    made = Pair(folder, plan_gateway(folder))
    (store,) = made.plan.telemetry.log_stores
    ports = {settings.HTTP_PORT: made.otlp, otelcol.HEALTH_PORT: made.health, settings.GRPC_PORT: free_port()}
    moved = {f"0.0.0.0:{port}": f"127.0.0.1:{here}" for port, here in ports.items()}
    own = {f"port: {otelcol.METRICS_PORT}": f"port: {made.metrics}", "host: 0.0.0.0": "host: 127.0.0.1"}
    gateway = made.write(
        "otel",
        {**moved, **own, otelcol.DATA_DIR: f"{folder}/queue", store.otlp: f"http://127.0.0.1:{made.loki}/otlp"},
    )
    http, grpc = (f"{kind}_listen_address: 127.0.0.1" for kind in ("http", "grpc"))
    loki = made.write(
        "loki",
        {
            f"http_listen_port: {loki_settings.PORT}": f"http_listen_port: {made.loki}\n  {http}",
            f"grpc_listen_port: {loki_settings.GRPC_PORT}": f"grpc_listen_port: {free_port()}\n  {grpc}",
            f"{loki_settings.CONFIG_DIR}/": f"{folder}/loki/",
            f" {loki_settings.DATA_DIR}": f" {folder}/data",
        },
    )
    with ExitStack() as running:
        running.enter_context(start("loki", folder / "loki.log", f"-config.file={loki}/loki.yaml"))
        running.enter_context(start("otel-collector", folder / "otel.log", f"--config=file:{gateway}/otel.yaml"))
        ready = (f"http://127.0.0.1:{made.loki}/ready", f"http://127.0.0.1:{made.health}/")
        eventually(lambda: all(made.request(url) for url in ready), timeout=120, what=f"both are ready, see {folder}")
        yield made


@pytest.fixture(scope="module")
def sent(both: Pair) -> Pair:
    """It has taken every hostile record, alone, of a sender with as much about itself as it could have."""
    for name in RECORDS:
        both.send([build_record(name, time.time_ns())], SENDER if name != "plain" else [])
    return both


@pytest.mark.parametrize("name", RECORDS)
def test_every_record_is_found(sent: Pair, name: str) -> None:
    """Whatever was answered is in Loki, and says so where something was cut."""
    line, beside = sent.find_case(name)
    assert len(line.encode()) <= LIMITS.line_bytes and "\ufffd" not in line
    if name.endswith(("ago", "tomorrow")):
        assert beside["gateway_sent_time"].startswith("20")
    assert ("gateway_body_bytes" in beside) == (name in LONG)


def test_what_is_plain_is_as_it_was(sent: Pair) -> None:
    """An ordinary record has its attributes and no mark."""
    line, beside = sent.find_case("plain")
    assert line == "plain" and not [key for key in beside if key.startswith("gateway")]
    assert {beside[f"name{number}"] for number in range(3)} == {"x"} and beside["level"] == "info"


def test_what_was_cut_is_said(sent: Pair) -> None:
    """How large attributes and a body were stands beside the line, and how many attributes are missing."""
    _, beside = sent.find_case("one large attribute")
    assert int(beside["gateway_attributes_bytes"]) > 600_000 and beside["name0"].endswith(f"{LETTER}{bounds.CUT}")
    assert sent.find_case("a long line")[1]["gateway_body_bytes"] == "1200000"
    assert int(sent.find_case("1000 attributes")[1]["dropped_attributes_count"]) == 1001 - bounds.ATTRIBUTES


def test_many_records_of_a_sender_with_much_about_itself(both: Pair) -> None:
    """Loki has attributes of a sender at each record, so that a small request becomes a large one; all are there."""
    count, now = 3000, time.time_ns()
    records = [
        {"timeUnixNano": str(now + number), "body": text(f"n{number}"), "attributes": [pair("case", text("crowd"))]}
        for number in range(count)
    ]
    both.send(records, many(30, "s" * 250, "host."))
    query = 'sum(count_over_time({service="billing"} | case="crowd" [1h]))'
    eventually(lambda: both.count(query) == count, timeout=60, what=query)


def test_nothing_was_refused(sent: Pair) -> None:
    """Neither Loki nor the gateway counts anything that is lost, and every statement could be followed."""
    exposed = sent.request(f"http://127.0.0.1:{sent.loki}/metrics")
    reasons = re.findall(r'^loki_discarded_samples_total\{.*reason="(\w+)"', exposed, re.MULTILINE)
    assert set(reasons) <= {"rate_limited", "per_stream_rate_limit"}  # which are 429, and tried again
    exposed = sent.request(f"http://127.0.0.1:{sent.metrics}/metrics")
    assert not re.findall(r"^otelcol_exporter_send_failed_log_records.* [1-9]", exposed, re.MULTILINE)
    assert "failed to" not in (sent.folder / "otel.log").read_text()
