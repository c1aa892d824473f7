"""A real Prometheus and services whose labels and buckets are not what the system's file says: it is told, live."""

from __future__ import annotations

import json
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from bench.prometheus import run_prometheus
from components.prometheus.rules import build_rule_file
from model.component import Planning
from model.errors import ConfigError
from model.load import parse_model
from model.settings import Settings
from model.system import System
from model.tuning import tune_telemetry
from packs import slo
from packs.system import expand_system
from tests.support.serving import serving
from tests.support.systems import contributed
from tests.support.waiting import eventually
from tests.support.yaml_files import write_yaml

PER_SECOND = 40
HOLD = "2s"
"""Instead of each alert's own: nobody waits half an hour here."""
OBJECTIVES = [
    {"service": "misnamed", "kind": "availability", "target": 0.999, "window": "1d"},
    {"service": "named", "kind": "availability", "target": 0.999, "window": "1d"},
    {"service": "fastapi", "kind": "latency", "target": 0.95, "threshold": 0.25, "window": "1d"},
]
SYSTEM: dict[str, Any] = {
    "name": "shop",
    "title": "Shop",
    "services": {
        "misnamed": {"port": 80, "packs": ["http"]},
        "named": {
            "port": 80,
            "packs": ["http"],
            "statusLabel": "code",
            "metrics": {
                "http_requests_total": {
                    "type": "counter", "role": "requests", "labels": {"code": ["200", "500"]},
                }
            },
        },
        "fastapi": {"port": 80, "packs": ["http"]},
    },
    "objectives": OBJECTIVES,
}  # fmt: skip


# -- services that are not what they are said to be --------------------------------------------------------------------


def half_fails(seconds: float) -> str:
    """Requests of which every second one fails, with the status in the label `code`."""
    number = int(seconds * PER_SECOND / 2)
    lines = [f'http_requests_total{{code="{code}"}} {number}' for code in (200, 500)]
    return "\n".join(["# TYPE http_requests_total counter", *lines, ""])


def fastapi_defaults(seconds: float) -> str:
    """The buckets of prometheus-fastapi-instrumentator: every second request is within 0.1 s, the others within 1 s."""
    number = int(seconds * PER_SECOND / 2)
    ends = {"0.1": number, "0.5": number, "1.0": 2 * number, "+Inf": 2 * number}
    lines = [f'http_request_duration_seconds_bucket{{le="{end}"}} {count}' for end, count in ends.items()]
    lines += [f"http_request_duration_seconds_count {2 * number}", f"http_request_duration_seconds_sum {number}"]
    return "\n".join(["# TYPE http_request_duration_seconds histogram", *lines, ""])


@contextmanager
def exporter(metrics: Callable[[float], str]) -> Iterator[str]:
    """A server on the loopback interface whose metrics grow with time; its address."""
    began = time.monotonic()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = metrics(time.monotonic() - began).encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Nothing is logged."""

    with serving(Handler) as address:
        yield address


# -- Prometheus --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Prometheus:
    """A running Prometheus."""

    url: str

    def ask(self, query: str) -> list[float]:
        """The values of a query now."""
        address = f"{self.url}/api/v1/query?{urllib.parse.urlencode({'query': query})}"
        with urllib.request.urlopen(address, timeout=5) as answer:  # noqa: S310 - our own server
            found = json.load(answer)["data"]["result"]
        return [float(item["value"][1]) for item in found]

    def firing(self, alert: str, **labels: str) -> bool:
        """Whether an alert fires with these labels."""
        inside = "".join(f', {name}="{value}"' for name, value in labels.items())
        return bool(self.ask(f'ALERTS{{alertname="{alert}", alertstate="firing"{inside}}}'))


def shop(document: dict[str, Any]) -> System:
    """A system from its document."""
    return expand_system(parse_model(System, document, "shop"))


def documents(folder: Path, system: System, addresses: dict[str, str]) -> dict[str, Any]:
    """Writes the rules of the system as a stack has them; a configuration that scrapes the stand-ins every second."""
    settings = parse_model(Settings, {"system": "shop", "environment": "test", "longestFor": HOLD}, "settings")
    context = Planning(
        stack="t", settings=settings, system=system, sections={}, address=lambda name, port: "", images={}
    )
    for group in tune_telemetry(contributed(context), system, settings).rules:
        document = build_rule_file(group)
        document["groups"][0].pop("interval", None)
        (folder / f"{group.name}.rules.yml").write_text(write_yaml(document))
    jobs = [
        {
            "job_name": name,
            "static_configs": [
                {"targets": [address], "labels": {"service": name, "system": "shop", "environment": "test"}}
            ],
        }
        for name, address in addresses.items()
    ]
    usual = {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"}
    return {"global": usual, "rule_files": [str(folder / "*.rules.yml")], "scrape_configs": jobs}


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """A Prometheus that watches the shop, whose services are not all what its file says."""
    folder = tmp_path_factory.mktemp("prometheus")
    kinds = {"misnamed": half_fails, "named": half_fails, "fastapi": fastapi_defaults}
    with ExitStack() as stack:
        addresses = {name: stack.enter_context(exporter(metrics)) for name, metrics in kinds.items()}
        config = documents(folder, shop(SYSTEM), addresses)
        process = stack.enter_context(run_prometheus({"prometheus.yml": write_yaml(config)}, folder))
        yield Prometheus(process.address)


def shown(objective: str) -> str:
    """What the objectives' board asks for an objective's figure."""
    item = next(item for item in shop(SYSTEM).objectives if item.key == objective)
    return slo.build_status_panel(item).queries[0].expr.replace("$environment", ".*")


# -- what is told ------------------------------------------------------------------------------------------------------


@pytest.mark.exhaustive
def test_the_right_label_gives_the_share_and_the_page(prometheus: Prometheus) -> None:
    """Half of the requests fail, and the label is known: 50%, HighErrorRatio and the budget's alert fire."""
    assert eventually(lambda: prometheus.firing("HighErrorRatio", service="named"), timeout=60, what="HighErrorRatio")
    assert eventually(lambda: prometheus.firing("ErrorBudgetBurnFast", service="named"), timeout=60, what="budget")
    share = 'service:requests_failed:ratio_rate5m{service="named"}'
    assert prometheus.ask(share) == [pytest.approx(0.5, rel=0.02)]
    assert prometheus.ask('slo:error_ratio:rate1h{slo="named-availability"}') == [pytest.approx(0.5, rel=0.02)]
    assert prometheus.ask(shown("named-availability")) == [pytest.approx(0.5, rel=0.02)]
    for alert in ("SLOWithoutData", "OutcomeUnknown"):
        assert not prometheus.firing(alert, service="named")


@pytest.mark.exhaustive  # a whole Prometheus
def test_another_label_is_told_and_is_no_success(prometheus: Prometheus) -> None:
    """Half of the requests fail, and the label is called otherwise: no ratio, no figure, and both alerts say so."""
    told = ("SLOWithoutData", "OutcomeUnknown")
    for alert in told:
        assert eventually(lambda a=alert: prometheus.firing(a, service="misnamed"), timeout=60, what=alert)  # type: ignore[misc]
    assert prometheus.ask('service:requests:rate5m{service="misnamed"}')[0] > 0
    assert prometheus.ask('{__name__=~"service:requests_failed:.*|slo:error_ratio:.*", service="misnamed"}') == []
    assert prometheus.ask(shown("misnamed-availability")) == []


@pytest.mark.exhaustive  # a whole Prometheus
def test_a_bucket_that_is_not_there_is_told(prometheus: Prometheus) -> None:
    """A threshold at which no bucket ends, because the file declares other buckets: no figure, and the alert."""
    named = {"slo": "fastapi-latency"}
    assert eventually(lambda: prometheus.firing("SLOWithoutData", **named), timeout=60, what="told")
    assert prometheus.ask('slo:requests_seen:rate5m{slo="fastapi-latency"}')[0] > 0
    assert prometheus.ask('{__name__=~"slo:error_ratio:.*", slo="fastapi-latency"}') == []
    assert prometheus.ask(shown("fastapi-latency")) == []


def test_a_bucket_that_is_not_declared_is_refused() -> None:
    """With the real buckets in the file, the threshold is refused with those that are there."""
    buckets = {"type": "histogram", "role": "duration", "unit": "seconds", "buckets": [0.1, 0.5, 1]}
    service = {
        "port": 80,
        "packs": ["http"],
        "metrics": {"http_request_duration_seconds": buckets},
        "tune": {"SlowRequests": {"threshold": 0.5}},
    }
    system = shop({**SYSTEM, "services": {"fastapi": service}, "objectives": [OBJECTIVES[2]]})
    settings = parse_model(Settings, {"system": "shop"}, "settings")
    context = Planning(
        stack="t", settings=settings, system=system, sections={}, address=lambda name, port: "", images={}
    )
    with pytest.raises(
        ConfigError, match=r"objectives\[0\]\.threshold: no bucket of .* ends at 0\.25 s; choose 0\.1 or"
    ):
        contributed(context)
