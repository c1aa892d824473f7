"""What services expose is compared with what is declared, as a real Prometheus says it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from bench.prometheus import run_prometheus
from cli.exposed import Difference, compare_exposed, list_idle_alerts, list_silent_pages, list_silent_senders
from packs import go
from tests.components.otel.plans import plan_gateway
from tests.support.metrics_server import build_handler
from tests.support.serving import serving
from tests.support.systems import SYSTEM, plan_shop
from tests.support.waiting import eventually
from tests.support.yaml_files import write_yaml

GOOD = """# TYPE shop_requests_total counter
shop_requests_total{method="GET",path="/",status="200"} 7
# TYPE shop_duration_seconds histogram
shop_duration_seconds_bucket{le="0.1"} 1
shop_duration_seconds_bucket{le="0.5"} 1
shop_duration_seconds_bucket{le="2.5"} 1
shop_duration_seconds_bucket{le="+Inf"} 1
shop_duration_seconds_sum 1
shop_duration_seconds_count 1
# TYPE shop_failures_total counter
"""
CHANGE: dict[str, Any] = {
    "services.api.metrics.shop_failures_total": {"type": "counter", "role": "failures"},
    "services.api.metrics.shop_duration_seconds.buckets": [0.1, 0.25, 0.5, 2.5],
    "objectives": [{"service": "api", "kind": "latency", "threshold": 0.25, "target": 0.9, "window": "7d"}],
}
Compare = Callable[..., list[Difference]]


@contextmanager
def _served(body: str) -> Iterator[int]:
    """The port at which a process of somebody else exposes this."""
    with serving(build_handler({"body": body})) as address:
        yield int(address.rpartition(":")[2])


@pytest.fixture
def compare(tmp_path: Path) -> Compare:
    """The differences of a shop whose service `api` exposes a text, with changes to its system."""

    def made(body: str, change: dict[str, Any] | None = None) -> list[Difference]:
        plan = plan_shop(tmp_path / "project", change, {"demo": "false"})
        with _served(body) as port:
            job = {"job_name": "api", "static_configs": [{"targets": [f"127.0.0.1:{port}"]}]}
            config = {"global": {"scrape_interval": "1s"}, "scrape_configs": [job]}
            with run_prometheus({"prometheus.yml": write_yaml(config)}, tmp_path) as prometheus:
                eventually(lambda: prometheus.count_series('up{job="api"} == 1'), timeout=60, what="a scrape")
                return compare_exposed(plan, prometheus.ask)

    return made


@pytest.mark.exhaustive  # a Prometheus of its own
def test_what_is_as_declared_is_silent(compare: Compare) -> None:
    """Also a counter that has no series yet, and a service that does not answer, which its target says."""
    (objective,) = CHANGE["objectives"]
    assert compare(GOOD, {**CHANGE, "objectives": [{**objective, "threshold": 0.5}]}) == []


@pytest.mark.exhaustive  # a Prometheus of its own
def test_another_name_is_found(compare: Compare) -> None:
    """The nearest that is exposed is said; what is like nothing may only not have happened yet."""
    body = GOOD.replace("shop_requests_total", "shop_request_total").replace("shop_duration_seconds", "latency")
    sure, maybe = compare(body)
    assert sure.certain and "shop_requests_total: api does not expose it, and exposes shop_request_total" in sure.text
    assert not maybe.certain and maybe.text.endswith("shop_duration_seconds: api does not expose it so far")


@pytest.mark.exhaustive  # a Prometheus of its own
def test_another_label_is_found(compare: Compare) -> None:
    """With those that the metric has and nobody declares."""
    (difference,) = compare(GOOD.replace("status=", "code="))
    assert difference.certain and difference.text == (
        "services.api.metrics.shop_requests_total: what api exposes has no label status; it has code"
    )


@pytest.mark.exhaustive  # a Prometheus of its own
def test_an_absent_bucket_is_found(compare: Compare) -> None:
    """That of an objective, with the nearest ones: nothing could be counted below it."""
    (difference,) = compare(GOOD, CHANGE)
    assert difference.certain and "no bucket of shop_duration_seconds" in difference.text
    assert difference.text.endswith("ends at 0.25 s; the nearest end at 0.1 and 0.5")


@pytest.mark.exhaustive  # a Prometheus of its own
def test_a_pack_that_could_be_used_is_named(compare: Compare) -> None:
    """Where a service exposes all that it draws; that is a hint."""
    (difference,) = compare(GOOD + "".join(f"{name} 1\n" for name in go.METRICS))
    assert not difference.certain and difference.text.endswith("all that the pack go draws; say packs: [http, go]")


def test_alerts_of_rule_files_that_nothing_feeds_are_named(tmp_path: Path) -> None:
    """What they ask for is declared by nobody; one that asks for absence, or has its series, is right."""
    rules = {"Shut": "till_open == 0", "Slow": "rate(till_slow_total[5m]) > 1 and on() up", "Gone": "absent(till_x)"}
    entries = [{"alert": name, "expr": expr, "labels": {"severity": "info"}} for name, expr in rules.items()]
    own = tmp_path / "configs" / "systems" / "till.yaml"
    own.parent.mkdir(parents=True)
    own.write_text(write_yaml({"groups": [{"name": "till", "rules": entries}]}))
    asked = list[str]()

    def ask(path: str) -> Any:
        asked.extend(parse_qs(path.partition("?")[2])["query"])
        return {"result": [{"metric": {"__name__": name}} for name in ("till_open", "up")]}

    (sentence,) = list_idle_alerts(plan_shop(tmp_path, {"ruleFiles": ["till.yaml"]}), ask)
    assert sentence.startswith("configs/systems/till.yaml: alert Slow: there is no series of till_slow_total now")
    assert asked == ['group by (__name__) ({__name__=~"till_open|till_slow_total|up"})']
    assert list(list_idle_alerts(plan_shop(tmp_path), ask)) == [] and len(asked) == 1


def test_a_sender_that_is_silent_is_named(tmp_path: Path) -> None:
    """Who sends its metrics is in no list of targets, so the report says it; without one nothing is asked."""
    answer = {"result": [{"metric": {"service": "billing"}, "value": [0, "0"]}]}
    asked: list[str] = []

    def ask(path: str) -> Any:
        asked.append(path)
        return answer

    (said,) = list_silent_senders(plan_gateway(tmp_path / "a"), ask)
    assert said.startswith("services.billing.otlp: no metric of billing has arrived within 3m") and len(asked) == 1
    assert not list(list_silent_senders(plan_shop(tmp_path / "b"), ask)) and len(asked) == 1


def test_a_page_that_is_silent_is_named(tmp_path: Path) -> None:
    """Nothing else asks for what browsers send; where they have no way in, nothing is asked."""
    pages = {name: {"port": 3000, "packs": ["web"]} for name in ("front", "admin")}
    services = {**SYSTEM["services"], **pages}
    asked: list[str] = []

    def ask(path: str) -> Any:
        asked.append(path)
        return {"result": [{"metric": {"service": "front"}, "value": [0, "7"]}]}

    way = {"origins": ["https://shop.example.com"]}
    (said,) = list_silent_pages(plan_gateway(tmp_path / "a", services=services, browser=way), ask)
    assert said.startswith("services.admin.packs: no browser has sent a page load of admin within a day")
    assert not list(list_silent_pages(plan_gateway(tmp_path / "b", services=services), ask)) and len(asked) == 1
