"""The pages of Jaeger's image in a browser, before an API that answers as Jaeger does and serves them as it does."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cli.browser import Browser
from tests.support.alerting import Quiet, served
from tests.support.browser import browser, click_element, count_elements, measure_overflow
from toolchain.context import build_default_context
from toolchain.recipes import TRACE_PAGES
from toolchain.web import SITE

pytestmark = pytest.mark.exhaustive  # a browser
BASE = "/jaeger"
KINDS = {".js": "text/javascript", ".css": "text/css"}
EVIL = "<img src=x onerror=document.title='run'>"


def build_span(number: int, name: str, process: str, **tags: object) -> dict[str, Any]:
    """A span as the API has it: children of the first, each later and shorter."""
    return {
        "traceID": "abc",
        "spanID": f"s{number}",
        "operationName": name,
        "references": [{"refType": "CHILD_OF", "traceID": "abc", "spanID": "s0"}] if number else [],
        "startTime": 1_796_000_000_000_000 + number * 1000,
        "duration": 90_000 - number * 20_000,
        "processID": process,
        "tags": [{"key": key, "type": "string", "value": value} for key, value in tags.items()],
        "logs": [{"timestamp": 1_796_000_000_010_000, "fields": [{"key": "event", "value": EVIL}]}],
    }


TRACE = {
    "traceID": "abc",
    "spans": [build_span(0, "checkout", "p1"), build_span(1, EVIL, "p2", error="true", note=EVIL)],
    "processes": {"p1": {"serviceName": "shop", "tags": []}, "p2": {"serviceName": EVIL, "tags": []}},
}


class Jaeger:
    """What the API answers: services, and the data or the error of each other path by its last word."""

    def __init__(self) -> None:
        self.services: list[str] = ["shop", EVIL]
        self.traces: list[dict[str, Any]] = [TRACE]
        self.error = ""
        self.port = 0
        self.questions: list[str] = []

    def answer(self, path: str) -> tuple[int, object]:
        """Status and document."""
        self.questions.append(path)
        if self.error:
            return 500, {"data": None, "errors": [{"code": 500, "msg": self.error}]}
        if path.startswith("/services"):
            return 200, {"data": self.services or None}
        if path.startswith("/operations"):
            return 200, {"data": [{"name": "checkout", "spanKind": "server"}]}
        if path.startswith("/traces/") and path != "/traces/abc":
            return 404, {"data": None, "errors": [{"code": 404, "msg": "trace not found"}]}
        return 200, {"data": self.traces}


@pytest.fixture
def jaeger() -> Iterator[Jaeger]:
    """Jaeger below a path, with its pages."""
    made = Jaeger()
    site = TRACE_PAGES.ensure(build_default_context()) / SITE

    class Handler(Quiet):
        def do_GET(self) -> None:
            path = self.path.removeprefix(BASE)
            if path.startswith("/api/"):
                status, document = made.answer(path.removeprefix("/api"))
                self.send(status, "application/json", json.dumps(document).encode())
            elif path.startswith("/static/"):
                self.send(200, KINDS[Path(path).suffix], (site / path.lstrip("/")).read_bytes())
            else:  # every other path is the page, with its own path in it
                text = (site / "index.html").read_text(encoding="utf-8")
                self.send(
                    200, "text/html; charset=utf-8", text.replace('<base href="/"', f'<base href="{BASE}/"').encode()
                )

        def send(self, status: int, kind: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.end_headers()
            self.wfile.write(body)

    with served(Handler) as port:
        made.port = port
        yield made


@pytest.fixture
def people(tmp_path: Path) -> Iterator[Browser]:
    """Somebody with a browser."""
    with browser(tmp_path) as made:
        yield made


def test_a_trace_is_opened_from_the_list(jaeger: Jaeger, people: Browser) -> None:
    """List, trace and span are reached by presses, the address has the trace, and nothing foreign is markup."""
    page = people.open(f"http://127.0.0.1:{jaeger.port}{BASE}/")
    assert not page.broken() and not page.errors and page.title == "Traces · Jaeger"
    assert "1 trace" in page.text and "shop checkout" in page.text and "1 failed" in page.text and EVIL in page.text
    page = click_element(people, ".traces a")
    assert f"http://127.0.0.1:{jaeger.port}{BASE}/trace/abc" in page.requests and not page.broken()
    assert count_elements(people, ".spans li") == 2 and "failed, 70 ms" in page.text and "90 ms" in page.text
    page = click_element(people, ".spans .bad")
    assert count_elements(people, "[aria-expanded=true]") == 1 and page.text.count(EVIL) >= 4, page.text
    assert count_elements(people, "img") == 0 and page.title == "shop: checkout · Jaeger" and not page.errors


def test_an_address_is_a_whole_search(jaeger: Jaeger, people: Browser) -> None:
    """What it says is in the form and in the question to Jaeger, so that a reload shows the same."""
    words = "service=shop&operation=checkout&tags=%7B%22error%22%3A%22true%22%7D&minDuration=5ms&lookback=6h&limit=50"
    page = people.open(f"http://127.0.0.1:{jaeger.port}{BASE}/search?{words}")
    assert "Last 6 hours" in page.text and not page.broken()
    (question,) = [each for each in jaeger.questions if each.startswith("/traces")]
    assert "operation=checkout&tags=%7B%22error%22%3A%22true%22%7D&minDuration=5ms&start=" in question
    jaeger.questions.clear()
    click_element(people, "form.search [type=submit]")
    (again,) = [each for each in jaeger.questions if each.startswith("/traces")]
    assert again.partition("&start=")[0] == question.partition("&start=")[0] and again.endswith("&limit=50")


def test_nothing_to_show_says_what_to_do(jaeger: Jaeger, people: Browser) -> None:
    """Without a trace, without a service, with an id that is not there, and where Jaeger fails."""
    at = f"http://127.0.0.1:{jaeger.port}{BASE}"
    jaeger.traces = []
    assert (
        "No trace fits: shop, at least 5ms, last hour." in people.open(f"{at}/search?service=shop&minDuration=5ms").text
    )
    jaeger.services = []
    assert "OTEL_EXPORTER_OTLP_ENDPOINT=http://jaeger:4318" in people.open(f"{at}/").text
    assert "there is none with this id" in people.open(f"{at}/trace/cafe").text
    jaeger.error = "disk is full"
    assert "Traces cannot be shown: disk is full." in people.open(f"{at}/").text
    jaeger.error, jaeger.services, jaeger.traces = "", ["shop"], [TRACE]
    assert "1 trace" in click_element(people, ".nothing button").text


@pytest.mark.parametrize("path", ["/", "/trace/abc", "/trace/cafe"])
def test_pages_fit_a_phone(jaeger: Jaeger, people: Browser, path: str) -> None:
    """390 pixels are enough: nothing is cut, and nobody scrolls sideways."""
    people.resize(390, 844)
    page = people.open(f"http://127.0.0.1:{jaeger.port}{BASE}{path}")
    assert page.text and measure_overflow(people) == 0
