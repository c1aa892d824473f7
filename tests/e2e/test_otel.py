"""A service that sends: its spans, log records and metrics reach the stores, are bounded, and survive what goes away.

The service runs in a network of its own, which the gateway joins; nothing of it is scraped.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice, pairwise
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from cli.render import plan_file
from tests.support.clusters import ClusterStack, start_cluster
from tests.support.running import PROMETHEUS, Engine, RunningStack
from tests.support.senders import ClusterSender, Sender, parse_sent
from tests.support.waiting import eventually
from tests.support.yaml_files import write_yaml

AWAY = float(os.environ.get("E2E_AWAY", "30"))
"""Seconds for which the stores are away; 300 is what the documentation promises."""
SENDER = {
    "otlp": True,
    "packs": ["http"],
    "statusLabel": "http_response_status_code",
    "pathLabel": "http_route",
    "metrics": {
        "http_server_request_duration_seconds": {
            "type": "histogram",
            "role": "duration",
            "buckets": [0.1, 1.0, 5.0],
            "labels": {"http_route": ["/pay"], "http_response_status_code": ["200", "500"]},
        }
    },
}
SYSTEM = {
    "name": "till",
    "title": "Till",
    "services": {
        "billing": {**SENDER, "labels": {"team": "money", "cost_center": "42"}},
        "ledger": SENDER,
        "front": {"otlp": True, "packs": ["web"]},
    },
}
ORIGIN = "https://shop.example.com"
OTLP = {"enabled": True, "queue": "64MiB", "browser": {"origins": [ORIGIN]}}


NAMES = ("job", "instance", "system")


@dataclass(frozen=True)
class Till:
    """The stack, and the program of others that sends to it."""

    stack: RunningStack
    sender: Sender | ClusterSender

    @property
    def url(self) -> str:
        """Where the gateway is for the program: by its container's name in a network of both, or by its Service."""
        if isinstance(self.stack, ClusterStack):
            return f"http://otel.{self.stack.namespace}:4318"
        return f"http://{self.stack.container_name('otel')}:4318"

    def send(self, service: str = "billing", seconds: float = 0, level: str = "INFO") -> dict[str, Any]:
        """What was acknowledged of what the service has sent for so long, once at least."""
        return parse_sent(self.sender.run(f"python3 /app/otlp.py {self.url} {service} {seconds} {level}"))

    def begin(self, seconds: float) -> None:
        """Has the service send for so long, beside the test; `finish` gives what was acknowledged."""
        self.sender.run("rm -f /tmp/done")
        done = f"python3 /app/otlp.py {self.url} billing {seconds} > /tmp/done.part; mv /tmp/done.part /tmp/done"
        self.sender.begin(done)

    def finish(self, timeout: float) -> dict[str, Any]:
        """What was acknowledged, once everything has been."""
        text = eventually(lambda: self.sender.run("cat /tmp/done"), timeout=timeout, what="the sender ends")
        return parse_sent(text)

    def read_trace(self, trace: str) -> list[dict[str, Any]]:
        """The spans of a trace; none where nobody has it."""
        return self.read_traces([trace]).get(trace, [])

    def read_traces(self, traces: Iterable[str]) -> dict[str, list[dict[str, Any]]]:
        """The spans of those traces that anybody has."""
        found: dict[str, list[dict[str, Any]]] = {}
        for some in batched(traces, 100):
            asked = urlencode([("traceID", trace) for trace in some])
            with suppress(RuntimeError, ValueError):  # it has none of them, or is not there yet
                answer = self.stack.get("jaeger", f"http://127.0.0.1:16686/jaeger/api/traces?{asked}")
                found |= {each["traceID"].zfill(32): each["spans"] for each in answer.get("data") or []}
        return found


def batched(values: Iterable[str], size: int) -> Iterator[tuple[str, ...]]:
    """The values in groups of so many, as itertools of Python 3.12 gives them."""
    rest = iter(values)
    while some := tuple(islice(rest, size)):
        yield some


def _watch(config: dict[str, Any], sender: Sender | ClusterSender) -> None:
    config |= {"system": "till", "demo": False, "longestFor": "10s", "otel": OTLP, "jaeger": {"enabled": True}}
    config.pop("demoWorkload")
    sender.edit_settings(config)


def _build(folder: Path, engine: Engine) -> tuple[RunningStack, Sender | ClusterSender]:
    if engine.client is None:
        stack = ClusterStack(folder, "e2eotel", start_cluster(), ports=28360)
        return stack, ClusterSender(stack.kubectl)
    return RunningStack(folder, "e2eotel", engine, ports=28360), Sender(engine.client)


@pytest.fixture(scope="module")
def till(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Till]:
    """The stack with a gateway, and the service in a network of others."""
    stack, sender = _build(tmp_path_factory.mktemp("otel"), engine)
    try:
        sender.start()
        (stack.root / "configs/systems/till.yaml").write_text(write_yaml(SYSTEM))
        stack.edit_settings(lambda config: _watch(config, sender))
        stack.up()
        yield Till(stack, sender)
    finally:
        stack.discard()
        sender.remove()


def test_all_three_signals_arrive(till: Till) -> None:
    """A trace is in Jaeger, its record is found by service, level and trace, and its metrics are those of packs."""
    sent = till.send(level="ERROR")
    assert sent["rejected"] == 0
    trace, text = sent["traces"][0], sent["records"][0]
    spans = eventually(lambda: till.read_trace(trace), timeout=30, what=trace)
    assert {span["operationName"] for span in spans} == {"POST /pay", "SELECT 1", "SELECT 2"}
    query = f'{{service="billing", level="error", environment=~".+"}} | trace_id="{trace}"'
    assert eventually(lambda: till.stack.loki(query), timeout=30, what=query) == [text]
    labels = 'service="billing", http_route="/pay", team="money", cost_center="42"'
    series = f"http_server_request_duration_seconds_count{{{labels}}}"
    (found,) = eventually(lambda: till.stack.prom(series), timeout=60, what=series)
    identity = {name: found["metric"][name] for name in (*NAMES, "exported_service", "exported_cost_center")}
    instance = identity.pop("instance")
    assert instance.startswith("billing-") if isinstance(till.stack, ClusterStack) else instance == "box-1"
    moved = {"exported_service": "somebody-else", "exported_cost_center": "nobody"}
    assert identity == {"job": "billing", "system": "till", **moved}
    assert eventually(lambda: till.stack.prom('payments_done_total{service="billing"}'), timeout=60, what="differences")


def test_a_sender_is_up_and_verified(till: Till) -> None:
    """It counts as a target that is up, though nobody scrapes it, so `make verify` has nothing to say."""
    till.send()
    till.send("ledger", level="IDLE")  # nobody has asked it for anything, so it has none of the metrics of its rules
    for service in ("billing", "ledger"):
        up = f'up{{job="{service}", service="{service}", instance="otlp"}} == 1'
        assert eventually(lambda up=up: till.stack.prom(up), timeout=60, what=up)  # type: ignore[misc]
    assert not till.stack.prom('up{service="front"}')  # pages, whose process is elsewhere
    till.send("ledger")
    eventually(lambda: till.stack.run("verify").code == 0, timeout=120, what="verify")


def test_spans_are_measured(till: Till) -> None:
    """Requests, failures and durations of spans are series, and an example of them leads to its trace."""
    till.send(level="ERROR", seconds=3)
    failed = 'span_kind="SPAN_KIND_SERVER", status_code="STATUS_CODE_ERROR"'
    calls = f'traces_span_metrics_calls_total{{service="billing", {failed}}}'
    assert eventually(lambda: till.stack.prom(calls), timeout=60, what=calls)
    name = 'traces_span_metrics_duration_seconds_bucket{service="billing"}'
    options = urlencode({"query": name, "start": time.time() - 600, "end": time.time() + 60})

    def find_examples() -> list[str]:
        found = till.stack.get("prometheus", f"{PROMETHEUS}/query_exemplars?{options}")["data"]
        return [each["labels"]["trace_id"] for series in found for each in series["exemplars"]]

    examples = eventually(find_examples, timeout=60, what="exemplars")
    assert till.read_trace(examples[-1])


def test_nobody_makes_a_label(till: Till) -> None:
    """Who calls itself what no file names has no series and one stream of its own, and somebody is notified of it."""
    sent = till.send(service="stranger-7f")
    query = f'{{service="undeclared"}} |= "{sent["records"][0]}"'
    assert eventually(lambda: till.stack.loki(query), timeout=30, what=query)
    fires = 'ALERTS{alertname="OtelSenderUndeclared", sender="stranger-7f", alertstate="firing"}'
    eventually(lambda: till.send(service="stranger-7f") and till.stack.prom(fires), timeout=120, what=fires)
    assert not till.stack.prom('{__name__=~".+", service=~"stranger.*"}')
    assert not till.stack.prom('http_server_request_duration_seconds_count{service!~"billing|ledger"}')


def visit(till: Till, path: str, body: Any, origin: str = ORIGIN, times: int = 1) -> str:
    """What a page of `origin` is answered by the entry point: nothing where its request is taken, else the error."""
    settings = plan_file(till.stack.stack_file, till.stack.name, root=till.stack.root).settings
    heads = [f"Host: {settings.host}", "Content-Type: application/json", *([f"Origin: {origin}"] if origin else [])]
    given = " ".join(f"--header='{head}'" for head in heads)
    text = json.dumps(body).replace("'", "'\\''")
    url = f"http://127.0.0.1:8080{settings.base_path}/browser{path}"
    ask = f"/tools/busybox wget -q -O /dev/null {given} --post-data='{text}' '{url}' 2>&1 || true"
    return till.stack.sh("traefik", "; ".join([ask] * times)).strip()


def record(service: str = "front", time_ns: int = 0, **attributes: Any) -> dict[str, Any]:
    """A record as Faro's transport writes it: of an exception without a body, or of a measurement."""

    def build_value(value: Any) -> dict[str, Any]:
        if isinstance(value, dict):
            return {"kvlistValue": {"values": [{"key": k, "value": build_value(v)} for k, v in value.items()]}}
        return {"doubleValue": value} if isinstance(value, float) else {"stringValue": value}

    resource = {"service.name": service, "service.version": "1.4.2", "evil": "new-label", "service.instance.id": "x"}
    named = {name.replace("__", "."): value for name, value in attributes.items()}
    entry = {
        "timeUnixNano": str(time_ns or time.time_ns()),
        "attributes": [{"key": key, "value": build_value(value)} for key, value in named.items()],
    }
    listed = [{"key": key, "value": {"stringValue": value}} for key, value in resource.items()]
    return {"resourceLogs": [{"resource": {"attributes": listed}, "scopeLogs": [{"logRecords": [entry]}]}]}


def test_a_page_reports(till: Till) -> None:
    """Its errors, timings and requests are series of its service and lines that are found, with a text and a level."""
    failure = {
        "exception__type": "TypeError",
        "exception__message": "x is undefined",
        "url__full": "https://a/b?token=1",
    }
    timing: dict[str, Any] = {
        "measurement__type": "page-load",
        "measurement__name": "load",
        "measurement__value": 840.0,
    }
    vital: dict[str, Any] = {
        "measurement__type": "web-vitals",
        "measurement__name": "lcp",
        "measurement__value": 1900.0,
    }
    asked: dict[str, Any] = {
        "measurement__type": "request",
        "measurement__name": "duration",
        "measurement__value": 31.0,
    }
    for attributes in (failure, timing, vital, {**asked, "faro__measurement__context": {"status_class": "5xx"}}):
        assert visit(till, "/v1/logs", record(**attributes)) == ""
    query = '{service="front", level="error"}'
    assert eventually(lambda: till.stack.loki(query), timeout=30, what=query) == ["TypeError: x is undefined"]
    for series in (
        'browser_exceptions_total{service="front", kind="error"} == 1',
        'browser_page_load_seconds_sum{service="front", phase="load"} == 0.84',
        'browser_web_vital_seconds_bucket{service="front", vital="lcp", le="2.5"} == 1',
        'browser_requests_total{service="front", result="5xx"} == 1',
    ):
        assert eventually(lambda series=series: till.stack.prom(series), timeout=60, what=series)  # type: ignore[misc]
    assert not till.stack.loki('{service="front"} | url_full=~".*token.*"')


def test_a_hostile_browser_makes_nothing_new(till: Till) -> None:
    """Names, values and times of its choice become neither labels nor series nor streams; too much is refused."""
    evil: dict[str, Any] = {
        "measurement__type": "page-load",
        "measurement__name": "evil",
        "phase": "evil",
        "kind": "evil",
    }
    huge: dict[str, Any] = {"measurement__type": "page-load", "measurement__name": "load", "measurement__value": 1e300}
    future = time.time_ns() + 86_400 * 10**9
    for body in (
        record(measurement__value=1.0, **evil), record(**huge), record("billing", exception__type="Error"),
        record(measurement__type="request", faro__measurement__context={"status_class": "evil"}),
        record("stranger-9c", exception__type="Error"), record(time_ns=future, exception__type="Late"),
        record(exception__type="Loop", faro__error__context={"repeated": "999999999"}),
    ):  # fmt: skip
        assert visit(till, "/v1/logs", body) == ""
    late = '{service="front"} |= "Late"'
    assert eventually(lambda: till.stack.loki(late), timeout=30, what=late), "its time is that of its arrival"
    assert not till.stack.prom('{__name__=~"browser_.+", service!="front"}')
    assert not till.stack.prom('{__name__=~".+", phase="evil"} or {__name__=~".+", kind="evil"} or {evil!=""}')
    assert not till.stack.prom("browser_page_load_seconds_sum > 1000 or browser_exceptions_total > 200")
    assert not till.stack.loki('{service=~"stranger.*"}') and not till.stack.loki('{evil=~".+"}')
    assert "403" in visit(till, "/v1/logs", record(), origin="https://evil.example.com")
    assert "403" in visit(till, "/v1/logs", record(), origin="")
    assert "403" in visit(till, "/v1/metrics", {"resourceMetrics": []})
    assert "413" in visit(till, "/v1/logs", record(exception__message="x" * 70_000))
    assert "429" in visit(till, "/v1/logs", record(), times=60)


@pytest.mark.docker_engine
def test_nothing_acknowledged_is_lost(till: Till) -> None:
    """The gateway is killed and the stores are away while the service sends: all of it is there once they are back."""
    away, began = ("jaeger", "loki", "prometheus"), time.time()
    till.begin(AWAY + 10)
    for name in away:
        till.stack.container(name).stop()
    gateway = till.stack.container("otel")
    time_between = max(AWAY / 3, 5)
    for _ in range(2):
        _await_seconds(time_between)
        gateway.kill()
        gateway.start()
    _await_seconds(AWAY - 2 * time_between)
    for name in away:
        till.stack.container(name).start()
    sent = till.finish(timeout=AWAY + 300)
    assert sent["rejected"] == 0 and sent["records"]
    print(f"{len(sent['traces'])} traces, {len(sent['records'])} records; refused {sent['refused']} times")

    missing = {"records": set(sent["records"]), "traces": set(sent["traces"])}

    def is_there() -> bool:
        missing["records"] -= set(till.stack.loki('{service="billing"}', since=AWAY + 900, limit=5000))
        found = till.read_traces(missing["traces"])
        missing["traces"] -= {trace for trace, spans in found.items() if len(spans) == 3}
        assert not any(missing.values()), {kind: len(each) for kind, each in missing.items()}
        return True

    eventually(is_there, timeout=240, what="nothing is lost")
    values = f'http_server_request_duration_seconds_count{{service="billing"}}[{int(AWAY) + 900}s]'
    times = [at for at, _ in till.stack.prom(values)[0]["values"] if began <= at <= began + AWAY]
    longest = max(after - before for before, after in pairwise([began, *times, began + AWAY]))
    assert longest < 15, f"no sample for {longest:.0f} s of the time without a store"


@pytest.mark.docker_engine
def test_a_full_queue_is_said(till: Till) -> None:
    """Senders are refused and try again; somebody is notified of the queue, and of who is refused."""
    till.stack.edit_settings(lambda config: config.update(otel={**OTLP, "queue": "16MiB"}))
    till.stack.up()
    loki = till.stack.container("loki")
    loki.stop()
    try:
        for _ in range(6):  # several fill it sooner
            till.sender.begin(f"python3 /app/otlp.py {till.url} billing 600 BULK")
        for name in ("OtelQueueFilling", "OtelReceiverRefusing"):
            fires = f'ALERTS{{alertname="{name}", alertstate="firing"}}'
            eventually(lambda fires=fires: till.stack.prom(fires), timeout=400, what=fires)  # type: ignore[misc]
    finally:
        loki.start()
        till.sender.end()
        till.stack.edit_settings(lambda config: config.update(otel=OTLP))


def test_a_sender_that_stops_is_down(till: Till) -> None:
    """Three minutes after its last sample it is down, as a target would be that does not answer."""
    fires = 'ALERTS{alertname="TargetDown", service="billing", alertstate="firing"}'
    assert eventually(lambda: till.stack.prom(fires), timeout=400, what=fires)
    assert "services.billing.otlp: no metric of billing has arrived within 3m" in till.stack.run("verify").text
    till.send()
    eventually(lambda: not till.stack.prom(fires), timeout=120, what="it is up again")


def _await_seconds(seconds: float) -> None:
    """Lets so much time pass, in which a store is away."""
    end = time.monotonic() + seconds
    eventually(lambda: time.monotonic() > end, timeout=seconds + 5, what="time passes")
