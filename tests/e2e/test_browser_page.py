"""The package in a real browser: the example page sends what happens in it, and nothing of what people wrote."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from cli.browser import Browser
from tests.support.alerting import Quiet, served
from tests.support.browser import browser, click_element
from tests.support.systems import ROOT
from tests.support.waiting import eventually
from toolchain.context import build_default_context
from toolchain.recipes import BROWSER_KIT
from toolchain.web import FILES

pytestmark = pytest.mark.exhaustive  # a browser
EXAMPLE = ROOT / BROWSER_KIT.folder / "example" / "index.html"
GATEWAY, API = "https://monitoring.example.com", "https://api.example.com"
"""Addresses in the example that a test replaces."""
MOST_BYTES = 64 * 1024
"""What the gateway takes of one request."""
SECRET = "secret-"
"""The beginning of everything in the example that never leaves the page."""


@dataclass
class Request:
    """A request that somebody got."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Server:
    """A server of another origin than the page's: what it got, and how it answers."""

    status: int = 200
    port: int = 0
    requests: list[Request] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    def list_sent(self) -> list[Request]:
        """What was sent to it by POST."""
        return [each for each in self.requests if each.method == "POST"]

    def list_bodies(self, path: str) -> list[Any]:
        """The documents that were sent to a path."""
        return [json.loads(each.body) for each in self.list_sent() if each.path == path]

    def list_records(self) -> list[dict[str, Any]]:
        """Every log record, with its attributes and those of its resource as plain values, and its line as `body`."""
        return [
            {
                **read_attributes(resource["resource"]["attributes"]),
                **read_attributes(record["attributes"]),
                "body": record.get("body", {}).get("stringValue"),
                "traceId": record.get("traceId"),
            }
            for document in self.list_bodies("/browser/v1/logs")
            for resource in document["resourceLogs"]
            for scope in resource["scopeLogs"]
            for record in scope["logRecords"]
        ]

    def list_spans(self) -> list[dict[str, Any]]:
        """Every span, with its attributes as plain values."""
        return [
            {**span, "attributes": read_attributes(span["attributes"])}
            for document in self.list_bodies("/browser/v1/traces")
            for resource in document["resourceSpans"]
            for scope in resource["scopeSpans"]
            for span in scope["spans"]
        ]


def read_value(value: dict[str, Any]) -> Any:
    """A value of OTLP/JSON as a plain one."""
    ((kind, inner),) = value.items()
    if kind == "kvlistValue":
        return read_attributes(inner["values"])
    return [read_value(each) for each in inner["values"]] if kind == "arrayValue" else inner


def read_attributes(attributes: list[dict[str, Any]]) -> dict[str, Any]:
    """Attributes of OTLP/JSON as a dict."""
    return {each["key"]: read_value(each["value"]) for each in attributes}


def build_handler(server: Server) -> type[BaseHTTPRequestHandler]:
    """What writes down requests, and lets pages of every origin read the answers."""

    class Handler(Quiet):
        def do_OPTIONS(self) -> None:
            self.finish_request(204)

        def do_POST(self) -> None:
            self.finish_request(server.status)

        do_GET = do_POST

        def finish_request(self, status: int) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {key.lower(): value for key, value in self.headers.items()}
            server.requests.append(Request(self.command, self.path, headers, body))
            self.send_response(status)
            self.send_header("Access-Control-Allow-Origin", self.headers.get("Origin", "*"))
            self.send_header("Access-Control-Allow-Headers", "content-type, traceparent")
            self.send_header("Access-Control-Expose-Headers", "Retry-After")
            if status == 429:
                self.send_header("Retry-After", "60")
            self.send_header("Content-Length", "0")
            self.end_headers()

    return Handler


@contextmanager
def serving(server: Server) -> Iterator[Server]:
    """The server, for as long as a block runs."""
    with served(build_handler(server)) as port:
        server.port = port
        yield server


@dataclass
class Site:
    """The example page with its gateway and its API, each of an origin of its own."""

    url: str
    gateway: Server
    api: Server


@contextmanager
def open_site(*, away: bool = False) -> Iterator[Site]:
    """The page as it is shipped, but for the two addresses in it; nobody answers at the gateway's where it is away."""
    script = (BROWSER_KIT.ensure(build_default_context()) / FILES[0]).read_bytes()
    with ExitStack() as running:
        gateway, api = Server(), running.enter_context(serving(Server()))
        if away:
            with serving(gateway):
                pass  # nobody has its port afterwards
        else:
            running.enter_context(serving(gateway))
        text = EXAMPLE.read_text(encoding="utf-8").replace(GATEWAY, gateway.url).replace(API, api.url)
        files = {"/example/": ("text/html", text.encode()), "/dist/telemetry.js": ("text/javascript", script)}

        class Handler(Quiet):
            def do_GET(self) -> None:
                kind, body = files.get(self.path.partition("?")[0], ("text/html", b"<!doctype html>"))
                self.send_response(200)
                self.send_header("Content-Type", kind)
                self.end_headers()
                self.wfile.write(body)

        port = running.enter_context(served(Handler))
        yield Site(f"http://127.0.0.1:{port}/example/", gateway, api)


@pytest.fixture
def site() -> Iterator[Site]:
    """The example with a gateway that answers."""
    with open_site() as made:
        yield made


@pytest.fixture
def people(tmp_path: Path) -> Iterator[Browser]:
    """Somebody with a browser."""
    with browser(tmp_path) as made:
        yield made


def press(people: Browser, *names: str) -> list[str]:
    """What the page complained of after presses on buttons of the example."""
    return [error for name in names for error in click_element(people, f'[data-telemetry="{name}"]').errors]


def wait_for(people: Browser, server: Server, **wanted: object) -> dict[str, Any]:
    """The first record with these attributes, whose dots are written as `__`."""
    fits = {key.replace("__", "."): value for key, value in wanted.items()}

    def find() -> dict[str, Any] | None:
        people.act()  # lets requests of the page go on
        found = (each for each in server.list_records() if fits.items() <= each.items())
        return next(found, None)

    found = eventually(find, timeout=20, what=f"a record with {fits}")
    assert found is not None
    return found


def test_errors_arrive(site: Site, people: Browser) -> None:
    """Uncaught ones, rejections, those that the page handles, and what took too long: each once, with its line."""
    people.open(f"{site.url}?q={SECRET}page#{SECRET}part")
    complaints = press(people, "throw", "reject", "log", "wait")
    thrown = wait_for(people, site.gateway, exception__type="TypeError")
    assert thrown["faro.error.context"] == {"mechanism": "uncaught"} and thrown["body"].startswith(
        "TypeError: Cannot read"
    )
    assert thrown["faro.error.stacktrace"]["frames"][0]["filename"] == site.url
    assert (
        thrown["url.full"] == site.url and thrown["service.name"] == "shop-web" and thrown["service.version"] == "1.4.0"
    )
    assert thrown["deployment.environment.name"] == "production" and thrown["browser.name"] == "Chrome"
    rejected = wait_for(people, site.gateway, body="RangeError: no such page")
    assert rejected["faro.error.context"] == {"mechanism": "unhandledrejection"}
    logged = wait_for(people, site.gateway, exception__message="cart is empty")
    assert logged["faro.error.context"] == {"mechanism": "logged", "step": "checkout"}
    late = wait_for(people, site.gateway, exception__type="TimeoutError")
    context = late["faro.error.context"]
    assert context.pop("duration").isdigit() and context == {"mechanism": "timeout", "name": "load prices", "ms": "200"}
    assert len([each for each in site.gateway.list_records() if "exception.type" in each]) == 4
    assert len(complaints) == 2, "the page's own two, and none of the package's"


def test_page_load_and_vitals_arrive(site: Site, people: Browser) -> None:
    """Navigation timing at once; what is known only when a page is left comes while it is left."""
    people.open(site.url)
    for name in ("ttfb", "dom_interactive", "load"):
        record = wait_for(people, site.gateway, measurement__type="page-load", measurement__name=name)
        assert 0 < record["measurement.value"] < 60_000 and record["body"] == f"{name} {record['measurement.value']} ms"
    press(people, "log")
    people.open(site.url.replace("/example/", "/elsewhere/"))
    for name in ("lcp", "cls", "fcp", "ttfb"):
        record = wait_for(people, site.gateway, measurement__type="web-vitals", measurement__name=name)
        assert record["faro.measurement.context"]["rating"] == "good" and record["measurement.value"] >= 0


def test_requests_carry_their_trace(site: Site, people: Browser) -> None:
    """The API gets the context of the span that the gateway gets, and the measurement leads to it."""
    people.open(site.url)
    press(people, "request", "search")
    for method, route, path in (("GET", "/orders/{id}", "/orders/4711"), ("POST", "/search", "/search")):
        (asked,) = [each for each in site.api.requests if each.method == method and each.path.startswith(path)]
        _, trace, parent, flags = asked.headers["traceparent"].split("-")
        host = site.api.url.removeprefix("http://")
        context = {"method": method, "host": host, "route": route, "status": "200", "status_class": "2xx"}
        record = wait_for(people, site.gateway, measurement__type="request", faro__measurement__context=context)
        assert record["measurement.name"] == "duration" and record["measurement.value"] >= 0
        # OpenTelemetry sends an XMLHttpRequest after its span was the current one
        assert record["traceId"] == (trace if method == "GET" else None) and flags == "01"
        assert record["body"].startswith(f"{method} {route} 200 ")

        def find_spans(trace: str = trace) -> list[Any]:
            people.act()
            return [span for span in site.gateway.list_spans() if span["traceId"] == trace]

        (span,) = eventually(find_spans, timeout=20, what="the span")
        assert span["spanId"] == parent and span["kind"] == 3
    assert not [each for each in site.gateway.requests if "traceparent" in each.headers], "the gateway's own requests"
    contexts = [each.get("faro.measurement.context", {}) for each in site.gateway.list_records()]
    assert site.gateway.url.removeprefix("http://") not in [each.get("host") for each in contexts]


def test_nothing_that_people_wrote_arrives(site: Site, people: Browser) -> None:
    """No query, fragment or value of an input, no cookie, no user agent, no name for a visitor."""
    people.open(f"{site.url}?q={SECRET}page#{SECRET}part")
    people.evaluate(f"document.cookie = 'name={SECRET}cookie'; document.querySelector('input').click()")
    press(people, "throw", "request", "search")
    wait_for(people, site.gateway, event__name="click", event__attributes={"target": "input#query"})
    wait_for(people, site.gateway, event__attributes={"target": "search"})
    people.open(site.url.replace("/example/", "/elsewhere/"))
    assert eventually(lambda: people.act() and site.gateway.list_spans(), timeout=20, what="spans")
    for each in site.gateway.requests:
        assert SECRET not in f"{each.path} {each.headers} {each.body.decode()}" and "Mozilla" not in each.body.decode()
    names = {name for record in site.gateway.list_records() for name in record}
    assert not [name for name in names if name.startswith(("user", "session", "browser.screen", "browser.lang"))]


@pytest.mark.parametrize("status", [429, 500])
def test_a_page_lives_with_a_gateway_that_refuses(site: Site, people: Browser, status: int) -> None:
    """The page works, and nothing is thrown; who is to wait for a minute sends no more logs in it."""
    site.gateway.status = status
    page = people.open(site.url)
    assert "Shop" in page.text and not page.errors
    eventually(lambda: people.act() and site.gateway.list_bodies("/browser/v1/logs"), timeout=20, what="a batch")
    before = len(site.gateway.list_bodies("/browser/v1/logs"))
    assert not press(people, "log", "wait", "request", "search")
    assert len(site.api.list_sent()) == 1 and any(each.method == "GET" for each in site.api.requests)
    assert (len(site.gateway.list_bodies("/browser/v1/logs")) == before) == (status == 429)


def test_a_page_lives_without_a_gateway(people: Browser) -> None:
    """Nobody answers: the page works, and all that fails are the requests to the gateway."""
    with open_site(away=True) as site:
        page = people.open(site.url)
        assert "Shop" in page.text and people.evaluate("typeof document.forms") == "object"
        complaints = press(people, "log", "wait", "request", "search")
        assert set(complaints + page.errors) == {"net::ERR_CONNECTION_REFUSED"}
        assert len(site.api.list_sent()) == 1 and any(each.method == "GET" for each in site.api.requests)


def test_many_large_errors_are_within_the_limits(site: Site, people: Browser) -> None:
    """Requests are as small as the gateway wants them, nothing is lost of what is sent, and repetitions are counted."""
    people.open(site.url)
    people.act(
        """
        import('/dist/telemetry.js').then(({ logError }) => {
          const context = Object.fromEntries([...'abcdefghijklmnop'].map((key) => [key, '\\u20ac'.repeat(300)]));
          for (const letter of 'abcdefghijklmnopqrstuvwxyz') logError(new Error(letter.repeat(2000)), context);
          for (let number = 0; number < 100; number += 1) logError(`row ${number}`);
        })
        """
    )
    eventually(
        lambda: people.act() and len([r for r in site.gateway.list_records() if r.get("exception.type")]) == 36,
        timeout=30,
        what="26 errors and ten of a hundred",
    )
    assert max(len(each.body) for each in site.gateway.list_sent()) < MOST_BYTES
    people.open(site.url.replace("/example/", "/elsewhere/"))
    eventually(
        lambda: (
            people.act()
            and any(
                record.get("faro.error.context", {}).get("repeated") == "90" for record in site.gateway.list_records()
            )
        ),
        timeout=20,
        what="how many were not sent",
    )
