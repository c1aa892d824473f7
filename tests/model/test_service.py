"""A service says what it exposes and logs; what no client library or index takes is refused."""

from __future__ import annotations

from typing import Any

import pytest

from model.errors import ConfigError
from model.load import parse_model
from model.logs import HIGH_CARDINALITY
from model.service import Database, Service
from model.system import System
from tests.support.systems import SYSTEM, changed


def test_metrics_are_found_by_role() -> None:
    """Packs ask for a role and get the metrics that play it."""
    api = parse_model(System, SYSTEM, "shop.yaml").services["api"]
    assert list(api.find_metrics("requests")) == ["shop_requests_total"]
    assert api.find_metrics("queue") == {}


@pytest.mark.parametrize("label", sorted(HIGH_CARDINALITY))
def test_no_high_cardinality_log_label(label: str) -> None:
    """A value that differs from line to line never becomes an index label."""
    with pytest.raises(ConfigError, match=f"services.api.logs.labels: {label} has too many distinct values"):
        parse_model(System, changed(SYSTEM, {"services.api.logs.labels": ["level", label]}), "shop.yaml")


@pytest.mark.parametrize("buckets", [[0.5, 0.1], [0.1, 0.1]])
def test_buckets_ascend(buckets: list[float]) -> None:
    """Bounds that do not grow are refused, as client libraries refuse them."""
    metric = {"type": "histogram", "buckets": buckets}
    with pytest.raises(ConfigError, match=r"metrics.x.buckets: each bound must be greater"):
        parse_model(System, changed(SYSTEM, {"services.api.metrics.x": metric}), "x")


@pytest.mark.parametrize(
    ("address", "name"),
    [("postgres:5432", "postgres"), ("db.internal:5432", "orders"), ("10.0.0.5:5432", "orders"), ("", "orders")],
)
def test_a_stand_in_of_a_database_has_a_name(address: str, name: str) -> None:
    """That of the host, else the database's own: no workload is called like an address."""
    said = {"address": address} if address else {"onHost": True}
    database = parse_model(Database, {"kind": "postgres", **said}, "x")
    assert database.derive_stand_in_name("orders") == name


@pytest.mark.parametrize(
    ("name", "said", "unit"),
    [
        ("job_duration_seconds", None, "seconds"),
        ("billing_duration_ms", None, "milliseconds"),
        ("sent_bytes_total", None, "bytes"),
        ("cache_hit_ratio", None, "ratio"),
        ("db_seconds_count", None, "seconds"),
        ("jobs_total", None, "count"),
        ("seconds", None, "count"),
        ("request_duration_seconds", "milliseconds", "milliseconds"),  # a name that lies
    ],
)
def test_a_name_says_its_unit(name: str, said: str | None, unit: str) -> None:
    """Prometheus' names end with the unit; what is written down goes first."""
    metric = {"type": "gauge", **({"unit": said} if said else {})}
    assert Service.model_validate({"title": "A", "port": 80, "metrics": {name: metric}}).metrics[name].unit == unit


@pytest.mark.parametrize(
    ("service", "said"),
    [
        ({}, "port: is required: the port of its metrics, or otlp: true if it sends them"),
        ({"otlp": True, "packs": ["http"], "port": 80}, "port: has no effect with otlp: true"),
        ({"otlp": True, "packs": ["http"], "metricsPath": "/m"}, "metricsPath: has no effect with otlp: true"),
        ({"otlp": True}, "metrics: is required with otlp: true, or packs that bring some"),
        ({"otlp": True, "packs": ["http"], "health": ["/ready"]}, "health\\[0\\]: '/ready' is a path"),
    ],
)
def test_a_service_is_scraped_or_sends(service: dict[str, Any], said: str) -> None:
    """What is said of the other way has no effect, so it is refused; each way needs something to go by."""
    with pytest.raises(ConfigError, match=said):
        parse_model(Service, service, "x")


def test_a_sender_is_asked_for_its_health_by_its_whole_address() -> None:
    """It has no address that a path could stand at."""
    made = parse_model(Service, {"otlp": True, "packs": ["http"], "health": ["http://billing:80/ready"]}, "x")
    assert made.health == ("http://billing:80/ready",)
