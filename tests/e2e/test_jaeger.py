"""The very Jaeger that is deployed, with its document and on loopback: its alerts and panels ask for what it exposes.

No engine is needed. A program that is not there yet is built, however long that takes.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from components.documents import render_yaml
from components.jaeger import mixin, settings
from components.jaeger.documents import QUEUE_SPANS, build_config
from model.promql import fill_variables, list_needed_names
from tests.support.alerting import free_port
from tests.support.waiting import eventually
from toolchain import validators
from toolchain.context import build_default_context

LONGEST = 65_000  # bytes of a key of Badger's, which an attribute's value is part of
LINE = re.compile(r"^(\w+)(?:\{(.*)\})? (\S+)$", re.MULTILINE)
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
WHOSE = {"service", "system", "environment"}
"""Labels that Prometheus adds."""


class RunningJaeger:
    """A Jaeger that listens on ports of its own, with an empty store below `folder`."""

    def __init__(self, folder: Path) -> None:
        named = (settings.PORT, settings.QUERY_GRPC_PORT, settings.COLLECTOR_PORT, settings.OTLP_GRPC_PORT)
        own = (*named, settings.OTLP_HTTP_PORT, settings.HEALTH_PORT, settings.METRICS_PORT)
        self.ports = {port: free_port() for port in own}
        text = render_yaml(build_config(settings.Settings(), "/tools"))
        for port, here in self.ports.items():
            text = re.sub(rf"(0\.0\.0\.0|127\.0\.0\.1):{port}\b", f"127.0.0.1:{here}", text)
        text = text.replace(f"port: {settings.METRICS_PORT}", f"port: {self.ports[settings.METRICS_PORT]}")
        self.file = folder / settings.CONFIG_FILE
        self.file.write_text(
            text.replace(f"{settings.DATA_DIR}/", f"{folder}/").replace("host: 0.0.0.0", "host: 127.0.0.1")
        )

    def ask(
        self, port: int, path: str, body: bytes | None = None, kind: str = "application/json"
    ) -> tuple[int, str, str]:
        """Status, type and text of an answer at what is `port` in a container."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.ports[port]}{path}", body, {"Content-Type": kind})
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - loopback
                return answer.status, answer.headers["Content-Type"], answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.headers["Content-Type"], error.read().decode()

    def send(self, *spans: Mapping[str, Any]) -> int:
        """The status of a request with these spans of the service `shop`."""
        resource = {"attributes": [{"key": "service.name", "value": {"stringValue": "shop"}}]}
        body = {"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": spans}]}]}
        return self.ask(settings.OTLP_HTTP_PORT, "/v1/traces", json.dumps(body).encode())[0]

    def search(self, begin: int, end: int) -> tuple[int, str]:
        """Status and text of a search for traces of the service `shop`, between two times in seconds."""
        path = f"/tools/jaeger/api/traces?service=shop&start={begin}000000&end={end}000000"
        status, _, text = self.ask(settings.PORT, path)
        return status, text

    def read_series(self) -> list[tuple[str, dict[str, str], float]]:
        """Names, labels and values of all that it exposes."""
        _, _, text = self.ask(settings.METRICS_PORT, "/metrics")
        return [(name, dict(LABEL.findall(labels)), float(value)) for name, labels, value in LINE.findall(text)]

    def sum_up(self, name: str) -> float:
        """The sum of a metric's series; nothing where there is none."""
        return sum(value for each, _, value in self.read_series() if each == name)


def build_span(trace: str, value: str = "x") -> dict[str, Any]:
    """A span of now, with an attribute."""
    now = str(time.time_ns())
    attributes = [{"key": "text", "value": {"stringValue": value}}]
    times = {"startTimeUnixNano": now, "endTimeUnixNano": now}
    return {"traceId": trace, "spanId": os.urandom(8).hex(), "name": "op", "kind": 1, "attributes": attributes, **times}


@pytest.fixture(scope="module")
def jaeger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningJaeger]:
    """A Jaeger that stored a trace, lost a span, refused a request, and answered searches well and badly."""
    folder = tmp_path_factory.mktemp("jaeger")
    program = validators.ensure_validator(build_default_context(), "jaeger", pinned=True)
    made = RunningJaeger(folder)
    pages = folder / "pages"
    pages.mkdir()
    (pages / "index.html").write_text('<base href="/" /><p>ours</p>')
    environment = {**os.environ, "JAEGER_UI_ASSETS": str(pages)}
    with (folder / "log").open("w") as log:
        process = subprocess.Popen([program, f"--config={made.file}"], stdout=log, stderr=log, env=environment)
        try:
            eventually(lambda: made.ask(settings.HEALTH_PORT, "/status")[0] == 200, timeout=60, what="it is ready")
            yield made
        finally:
            process.terminate()
            process.wait(timeout=30)
    assert process.returncode == 0, (folder / "log").read_text()[-2000:]


@pytest.fixture(scope="module")
def used(jaeger: RunningJaeger) -> RunningJaeger:
    """It has stored a trace, lost a span, refused a request, and answered searches well and badly."""
    now, trace = int(time.time()), os.urandom(16).hex()
    assert jaeger.send(build_span(trace), build_span(trace)) == 200
    path = f"/tools/jaeger/api/traces/{trace}"
    eventually(lambda: jaeger.ask(settings.PORT, path)[0] == 200, timeout=30, what="the trace is stored")
    assert jaeger.send(build_span(trace, "x" * (LONGEST + 1))) == 200
    assert jaeger.send(*[build_span(trace) for _ in range(QUEUE_SPANS + 1)]) == 503
    assert jaeger.search(now - 60, now + 60)[0] == 200 and jaeger.search(now + 60, now - 60)[0] == 500
    eventually(lambda: jaeger.sum_up(mixin.UNSAVED) == 1, timeout=30, what="a span that is not saved")
    return jaeger


def test_every_series_of_an_example_is_exposed(used: RunningJaeger) -> None:
    """What makes an alert fire in its example is there under that name and with these labels, or it never fires."""
    exposed = used.read_series()
    for alert in mixin.alerts({}):
        assert alert.example
        for series in alert.example.fires:
            name, _, labels = series.partition("{")
            wanted = {key: value for key, value in LABEL.findall(labels) if key not in WHOSE}
            assert any(each == name and wanted.items() <= own.items() for each, own, _ in exposed), (alert.name, series)


def test_every_name_of_a_panel_is_exposed(used: RunningJaeger) -> None:
    """What alerts and panels ask for is there, but for `up`, which is Prometheus' own."""
    exposed = {name for name, _, _ in used.read_series()}
    queries = [query.expr for panel in mixin.panels() for query in panel.queries]
    for query in (*queries, *(alert.expr for alert in mixin.alerts({}))):
        wanted = list_needed_names(fill_variables(query)) - {"up"}
        assert wanted and wanted <= exposed, (query, wanted - exposed)


def test_counters_count_what_they_are_read_as(used: RunningJaeger) -> None:
    """Two spans are saved; the one that the store cannot take is not; a request that is too large is refused whole."""
    assert used.sum_up(mixin.SAVED) == 2 and used.sum_up(mixin.UNSAVED) == 1
    assert used.sum_up(mixin.REFUSED) == QUEUE_SPANS + 1 and used.sum_up(mixin.ACCEPTED) == 3
    assert used.sum_up(mixin.PLACES) == QUEUE_SPANS


def test_a_trace_that_is_not_there_is_no_page(used: RunningJaeger) -> None:
    """Agents and pages ask for a trace by its id below the path of the stack; elsewhere the page itself answers."""
    status, _, text = used.ask(settings.PORT, f"/tools/jaeger/api/traces/{'0' * 28}abcd")
    assert status == 404 and json.loads(text)["errors"][0]["msg"] == "trace not found"
    status, kind, _ = used.ask(settings.PORT, "/api/services")
    assert status == 200 and kind.startswith("text/html")


def test_the_pages_of_the_image_are_served(used: RunningJaeger) -> None:
    """An image that was built here names its pages, and Jaeger writes its path into their document."""
    status, kind, text = used.ask(settings.PORT, "/tools/jaeger/search")
    assert (status, text) == (200, '<base href="/tools/jaeger/" /><p>ours</p>') and kind.startswith("text/html")


def test_another_image_has_its_own_interface(tmp_path: Path) -> None:
    """Without the variable the document is as well accepted, and nothing complains of it."""
    made = RunningJaeger(tmp_path)
    program = validators.ensure_validator(build_default_context(), "jaeger", pinned=True)
    bare = {key: value for key, value in os.environ.items() if key != "JAEGER_UI_ASSETS"}
    done = subprocess.run(
        [program, "validate", f"--config={made.file}"], capture_output=True, text=True, env=bare, check=False
    )
    assert done.returncode == 0 and "JAEGER_UI_ASSETS" not in done.stdout + done.stderr, done.stderr
