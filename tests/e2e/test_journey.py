"""One request of a page, from the browser to the database: one trace, whose lines and samples lead to each other.

The page is the example of instrumentation/browser, the API is the Node.js kit, and what it asks has the Python kit's
telemetry; all of them are in a network that is not the stack's.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit

import docker
import pytest

from tests.e2e.test_browser_page import API, EXAMPLE, GATEWAY
from tests.support.alerting import Quiet, served
from tests.support.browser import browser, click_element
from tests.support.foreign import Project
from tests.support.guests import REFERENCE, SOURCES, load_image
from tests.support.running import PROMETHEUS, Engine, RunningStack
from tests.support.waiting import eventually
from tests.support.yaml_files import write_yaml
from toolchain.context import build_default_context
from toolchain.guests import KITS
from toolchain.recipes import BROWSER_KIT
from toolchain.web import FILES

pytestmark = pytest.mark.docker_engine
ORDERS, STOCK = 3002, 8004
REQUESTS = {"http_requests_total": {"type": "counter", "role": "requests", "labels": {"status": ["200"]}}}
SYSTEM = {
    "name": "shop-floor",
    "title": "Shop floor",
    "services": {
        "shop-web": {"otlp": True, "packs": ["web"]},
        "orders": {"address": f"orders:{ORDERS}", "port": ORDERS, "packs": ["http", "nodejs"], "metrics": REQUESTS},
        "stock": {"address": f"stock:{STOCK}", "port": STOCK, "packs": ["http", "python"], "metrics": REQUESTS},
    },
}
ASK = (
    "import sys, urllib.request as u;"
    "print(u.urlopen(u.Request(sys.argv[1], headers={'traceparent': sys.argv[2]}), timeout=10).read().decode())"
)


@dataclass
class Shop:
    """The services in a project of their own, and the address of the page, whose requests go to one of them."""

    project: Project
    address: str = ""
    gateway: str = ""
    callers: list[str] = field(default_factory=list)
    """The header traceparent of each request of the page."""

    def start(self, gateway: str) -> None:
        """Starts them; they send their spans to this address."""
        env = {"OTEL_EXPORTER_OTLP_ENDPOINT": gateway}
        python = {**env, "OTEL_SERVICE_NAME": "stock", "PYTHONPATH": f"{KITS}/python-packages:{KITS}/python"}
        files = {"/app/stock.py": (SOURCES / "stock.py").read_text()}
        command = ("python3", "/app/stock.py", str(STOCK))
        self.project.run("stock", "guests", command=command, env=python, files=files)
        node = {**env, "PORT": str(ORDERS), "STOCK_URL": f"http://stock:{STOCK}"}
        self.project.run("orders", "guests", command=("node", f"{KITS}/node/service.js"), env=node)

    def ask_orders(self, path: str, traceparent: str) -> bytes:
        """What the API answers to the page."""
        self.callers.append(traceparent)
        container = self.project.client.containers.get(f"{self.project.name}-orders-1")
        url = f"http://127.0.0.1:{ORDERS}{path}"
        code, said = container.exec_run(["python3", "-c", ASK, url, traceparent])
        assert isinstance(said, bytes) and code == 0, said
        return said


def build_handler(shop: Shop) -> type[Quiet]:
    """The page, its script, and the API behind the same origin, as an entry point would have it."""
    script = (BROWSER_KIT.ensure(build_default_context()) / FILES[0]).read_bytes()

    class Handler(Quiet):
        def do_GET(self) -> None:
            if self.path.startswith("/orders/"):
                kind, body = "application/json", shop.ask_orders(self.path, self.headers.get("traceparent", ""))
            elif self.path.startswith("/dist/"):
                kind, body = "text/javascript", script
            else:
                text = EXAMPLE.read_text(encoding="utf-8")
                kind, body = "text/html", text.replace(GATEWAY, shop.gateway).replace(API, shop.address).encode()
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.end_headers()
            self.wfile.write(body)

    return Handler


@contextmanager
def open_shop(client: docker.DockerClient) -> Iterator[Shop]:
    """The services' network, and the page."""
    shop = Shop(Project(client, "shopfloor", lambda _: REFERENCE))
    load_image(client)
    shop.project.create()
    try:
        with served(build_handler(shop)) as port:
            shop.address = f"http://127.0.0.1:{port}"
            yield shop
    finally:
        shop.project.remove()


def _watch(config: dict[str, Any], shop: Shop) -> None:
    otel = {"enabled": True, "browser": {"origins": [shop.address]}}
    config |= {"system": "shop-floor", "demo": False, "longestFor": "10s", "otel": otel, "jaeger": {"enabled": True}}
    config["docker"] = {**config.get("docker", {}), "externalNetworks": [shop.project.network]}
    config.pop("demoWorkload")


@pytest.fixture(scope="module")
def floor(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RunningStack, Shop]]:
    """The stack, and the shop whose telemetry it takes."""
    assert engine.client is not None
    stack = RunningStack(tmp_path_factory.mktemp("journey"), "e2ejourney", engine, ports=28460)
    with open_shop(engine.client) as shop:
        try:
            (stack.root / "configs/systems/shop-floor.yaml").write_text(write_yaml(SYSTEM))
            stack.edit_settings(lambda config: _watch(config, shop))
            shop.start(f"http://{stack.container_name('otel')}:4318")
            stack.up()
            yield stack, shop
        finally:
            stack.discard()


@pytest.fixture(scope="module")
def visit(floor: tuple[RunningStack, Shop], tmp_path_factory: pytest.TempPathFactory) -> tuple[RunningStack, str]:
    """The stack, and the trace of a request that a visitor made."""
    stack, shop = floor
    with stack.opened() as addresses, browser(tmp_path_factory.mktemp("visitor")) as people:
        address = urlsplit(addresses["traefik"])
        shop.gateway = f"{address.scheme}://{address.netloc}"
        people.open(shop.address)
        page = click_element(people, '[data-telemetry="request"]')
        assert not page.errors
        eventually(lambda: people.act() and shop.callers, timeout=30, what="the request")
        trace = shop.callers[0].split("-")[1]

        def read_services() -> bool:
            people.act()  # lets requests of the page go on
            services = {each["service"] for each in read_trace(stack, trace)}
            assert services == {"shop-web", "orders", "stock"}, services
            return True

        eventually(read_services, timeout=90, what=f"trace {trace}")
    return stack, trace


def read_trace(stack: RunningStack, trace: str) -> list[dict[str, Any]]:
    """The spans that Jaeger has of a trace: name, id, parent's id, service and attributes of each."""
    try:
        found = stack.get("jaeger", f"http://127.0.0.1:16686/jaeger/api/traces/{trace}")
    except (RuntimeError, ValueError):
        return []
    return [
        {
            "name": span["operationName"],
            "id": span["spanID"],
            "parent": next((each["spanID"] for each in span["references"]), ""),
            "service": each["processes"][span["processID"]]["serviceName"],
            **{tag["key"]: tag["value"] for tag in span["tags"]},
        }
        for each in found.get("data") or []
        for span in each["spans"]
    ]


def test_the_page_is_at_the_root_and_the_query_is_a_leaf(visit: tuple[RunningStack, str]) -> None:
    """Each span has the one as its parent that asked for it, over three programs in three languages."""
    stack, trace = visit
    spans = {span["id"]: span for span in read_trace(stack, trace)}
    (query,) = [span for span in spans.values() if span["name"] == "SELECT stock"]
    assert query["db.system.name"] == "sqlite"
    way = [query]
    while way[-1]["parent"]:
        way.append(spans[way[-1]["parent"]])
    services = [span["service"] for span in way]
    assert list(dict.fromkeys(services)) == ["stock", "orders", "shop-web"], way
    assert not any("secret" in json.dumps(span) for span in spans.values())


def test_its_lines_are_found_by_the_trace(visit: tuple[RunningStack, str]) -> None:
    """One query over all services gives the line of each that wrote one."""
    stack, trace = visit
    query = f'{{environment="test", service=~"orders|stock"}} | json | trace_id="{trace}"'
    lines = eventually(lambda: _list_two(stack.loki(query)), timeout=60, what=query)
    assert all(trace in line and "/orders/" in line for line in lines)


def _list_two(lines: list[str]) -> list[str]:
    assert len(lines) == 2, lines
    return lines


def test_a_sample_leads_to_it(visit: tuple[RunningStack, str]) -> None:
    """The durations that are measured of its spans have it as their example, for the services that were asked."""
    stack, trace = visit

    def list_examples() -> set[str]:
        query = "traces_span_metrics_duration_seconds_bucket"
        options = urlencode({"query": query, "start": time.time() - 900, "end": time.time() + 60})
        found = stack.get("prometheus", f"{PROMETHEUS}/query_exemplars?{options}")["data"]
        return {
            series["seriesLabels"]["service"]
            for series in found
            if any(each["labels"]["trace_id"] == trace for each in series["exemplars"])
        }

    eventually(lambda: {"orders", "stock"} <= list_examples(), timeout=60, what="examples")


def test_the_page_is_counted(visit: tuple[RunningStack, str]) -> None:
    """The same visit is a page that was shown and a request that went well, of the service of the page."""
    stack, _ = visit
    for series in ('browser_page_load_seconds_count{service="shop-web"}', 'browser_requests_total{result="2xx"}'):
        assert eventually(lambda series=series: stack.prom(series), timeout=60, what=series)  # type: ignore[misc]
