"""What a service exposes becomes its YAML, with the names that people's libraries use."""

from __future__ import annotations

import io
import signal
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from bench.prometheus import run_prometheus
from cli import describe
from cli.exposed import compare_exposed
from model.errors import ConfigError
from tests.support.systems import plan_shop
from tests.support.waiting import eventually
from tests.support.yaml_files import read_yaml, write_yaml


def expose(name: str, labels: str, *, kind: str = "histogram", bounds: tuple[str, ...] = ("0.1", "1")) -> str:
    """A metric as a library writes it."""
    if kind == "counter":
        return f"# TYPE {name} counter\n{name}{{{labels}}} 3\n"
    buckets = "".join(f'{name}_bucket{{{labels},le="{bound}"}} 1\n' for bound in (*bounds, "+Inf"))
    parts = "".join(f"{name}_{part}{{{labels}}} 1\n" for part in ("sum", "count"))
    return f"# TYPE {name} {kind}\n{buckets if kind == 'histogram' else ''}{parts}"


LIBRARIES: dict[str, tuple[str, dict[str, Any]]] = {
    "express-prom-bundle": (
        expose("http_request_duration_seconds", 'status_code="200",method="GET",path="/"'),
        {"statusLabel": "status_code", "requests": "http_request_duration_seconds_count",
         "duration": "http_request_duration_seconds"},
    ),
    "prometheus-fastapi-instrumentator": (
        expose("http_requests_total", 'handler="/",method="GET",status="2xx"', kind="counter")
        + expose("http_request_duration_highr_seconds", 'x="y"', bounds=("0.01", "0.05"))
        + expose("http_request_duration_seconds", 'handler="/",method="GET"')
        + expose("http_request_size_bytes", 'handler="/"', kind="summary"),
        {"pathLabel": "handler", "requests": "http_requests_total", "duration": "http_request_duration_seconds"},
    ),
    "OpenTelemetry": (
        expose(
            "http_server_request_duration_seconds",
            'http_request_method="GET",http_response_status_code="200",http_route="/"',
        ),
        {"statusLabel": "http_response_status_code", "pathLabel": "http_route",
         "requests": "http_server_request_duration_seconds_count", "duration": "http_server_request_duration_seconds"},
    ),
    "OpenTelemetry's exporter for Node.js": (
        "# UNIT http_server_request_duration s\n"
        + expose("http_server_request_duration", 'http_request_method="GET",http_response_status_code="200"'),
        {"statusLabel": "http_response_status_code", "requests": "http_server_request_duration_count",
         "duration": "http_server_request_duration"},
    ),
    "OpenTelemetry, before 2023": (
        expose("http_server_duration_milliseconds", 'http_method="GET",http_status_code="200",http_route="/"',
               bounds=("100", "2500")),
        {"statusLabel": "http_status_code", "pathLabel": "http_route",
         "requests": "http_server_duration_milliseconds_count", "duration": "http_server_duration_milliseconds"},
    ),
    "Micrometer": (
        expose("http_server_requests_seconds", 'method="GET",outcome="SUCCESS",status="200",uri="/"', kind="summary"),
        {"pathLabel": "uri", "requests": "http_server_requests_seconds_count",
         "duration": "http_server_requests_seconds"},
    ),
    "client_golang's promhttp": (
        expose("http_requests_total", 'code="200",method="get"', kind="counter")
        + expose("http_request_duration_seconds", 'code="200",method="get"'),
        {"statusLabel": "code", "requests": "http_requests_total", "duration": "http_request_duration_seconds"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_librarys_names_are_known(library: str, tmp_path: Path) -> None:
    """Requests by status, durations with their unit, and the labels that hold status and path; the YAML is accepted."""
    text, expected = LIBRARIES[library]
    made = describe.describe_service(describe.read_exposition(text))
    roles = {metric["role"]: name for name, metric in made["metrics"].items()}
    labels = {key: made[key] for key in ("statusLabel", "pathLabel") if key in made}
    assert labels | roles == expected and made["packs"] == ["http"]
    assert made["metrics"][roles["duration"]]["unit"] == ("milliseconds" if "milli" in roles["duration"] else "seconds")
    plan_shop(tmp_path, {"services.web": {"port": 8080, **made}})


def test_buckets_that_end_early_lower_the_threshold() -> None:
    """As prometheus-fastapi-instrumentator has them by default: an alert at a second could never fire."""
    text, _ = LIBRARIES["prometheus-fastapi-instrumentator"]
    tune = describe.describe_service(describe.read_exposition(text))["tune"]
    assert tune == {"SlowRequests": {"threshold": 0.1, "why": "the last bucket ends at 1 s"}}
    text, _ = LIBRARIES["OpenTelemetry, before 2023"]
    assert "tune" not in describe.describe_service(describe.read_exposition(text))


def test_a_worker_is_described(tmp_path: Path) -> None:
    """Its jobs, how long they take and what waits; that none has failed so far is said, as an alert depends on it."""
    registry = CollectorRegistry()
    jobs = Counter("jobs_processed", "x", ["queue", "status"], registry=registry)
    jobs.labels("mail", "done").inc()
    Histogram("job_duration_seconds", "x", ["queue"], registry=registry).labels("mail").observe(1)
    Gauge("queue_depth", "x", ["queue"], registry=registry).labels("mail").set(1)
    source = tmp_path / "metrics"
    source.write_bytes(generate_latest(registry))
    text = describe.describe_source(str(source), "worker")
    (service,) = read_yaml(text)["services"].values()
    assert service["packs"] == ["worker"]
    assert {name: metric["role"] for name, metric in service["metrics"].items()} == {
        "jobs_processed_total": "jobs", "job_duration_seconds": "job_duration", "queue_depth": "queue",
    }  # fmt: skip
    assert "# jobs_processed_total: no job has failed so far; add the value of status" in text
    jobs.labels("mail", "failed").inc()
    source.write_bytes(generate_latest(registry))
    assert "failed so far" not in describe.describe_source(str(source), "worker")
    plan_shop(tmp_path / "project", {"services.worker": service})


def test_what_a_library_measures_of_itself_is_no_request() -> None:
    """Neither what Node.js waits for, nor who asks for metrics; `up` of express-prom-bundle is nothing to be placed."""
    text = "".join(
        f"# TYPE {name} gauge\n{name} 1\n"
        for name in ("nodejs_active_requests", "promhttp_metric_handler_requests_in_flight", "up")
    )
    exposed = describe.read_exposition(text)
    service = describe.describe_service(exposed)
    assert "metrics" not in service and describe.list_unplaced(exposed, service) == []
    assert "ask it for something" in describe.describe_exposed(exposed).notes, "nobody has asked it for anything so far"


@pytest.mark.parametrize(("last", "unit"), [("10", "seconds"), ("2500", "milliseconds")])
def test_a_durations_unit_may_be_that_of_its_buckets(last: str, unit: str) -> None:
    """Where neither its name nor a line says it."""
    text = expose("http_request_duration", 'status="200",path="/"', bounds=("0.5", last))
    metrics = describe.describe_service(describe.read_exposition(text))["metrics"]
    assert metrics["http_request_duration"]["unit"] == unit


def test_a_python_service_is_described(tmp_path: Path) -> None:
    """As prometheus_client writes it: counters end with _total, `_created` is nobody's, and what is left is listed."""
    registry = CollectorRegistry()
    Counter("http_requests", "x", ["method", "status"], registry=registry).labels("GET", "200").inc()
    Histogram("http_request_duration_seconds", "x", ["method"], registry=registry).labels("GET").observe(1)
    Gauge("http_requests_in_progress", "x", registry=registry)
    Counter("orders_total", "x", registry=registry).inc()
    source = tmp_path / "metrics"
    source.write_bytes(generate_latest(registry))
    text = describe.describe_source(str(source), "web")
    metrics = read_yaml(text)["services"]["web"]["metrics"]
    assert {name: metric["role"] for name, metric in metrics.items()} == {
        "http_requests_total": "requests", "http_request_duration_seconds": "duration",
        "http_requests_in_progress": "in_flight",
    }  # fmt: skip
    assert "# - orders_total (counter)" in text and "_created" not in text
    assert len(metrics["http_request_duration_seconds"]["buckets"]) > 10


@pytest.mark.exhaustive  # a whole Prometheus
def test_what_is_printed_agrees_with_what_is_exposed(tmp_path: Path) -> None:
    """Of a real Go program, Prometheus itself: with its YAML nothing that is declared is missing."""
    job: dict[str, Any] = {"job_name": "web", "static_configs": [{"targets": ["127.0.0.1:1"]}]}
    config: dict[str, Any] = {"global": {"scrape_interval": "1s"}, "scrape_configs": [job]}
    with run_prometheus({"prometheus.yml": write_yaml(config)}, tmp_path) as prometheus:
        job["static_configs"] = [{"targets": [prometheus.address.removeprefix("http://")]}]
        (tmp_path / "config" / "prometheus.yml").write_text(write_yaml(config))
        prometheus.process.send_signal(signal.SIGHUP)  # read it again
        eventually(lambda: prometheus.count_series('up{job="web"} == 1'), timeout=60, what="a scrape")
        text = describe.describe_source(f"{prometheus.address}/metrics", "web")
        (service,) = read_yaml(text)["services"].values()
        assert service["packs"] == ["http", "go"]
        assert (service["statusLabel"], service["pathLabel"]) == ("code", "handler")
        plan = plan_shop(tmp_path / "project", {"services.web": service}, {"demo": "false"})
        assert [each.text for each in compare_exposed(plan, prometheus.ask)] == []


@pytest.mark.parametrize(
    ("source", "says"),
    [("nowhere.txt", "cannot be read"), ("http://127.0.0.1:1/metrics", "cannot be read"), ("page", "is not what")],
)
def test_what_is_no_exposition_is_refused(source: str, says: str, tmp_path: Path) -> None:
    """With what was asked, why, and how to ask behind a login."""
    (tmp_path / "page").write_text("<html><body>not found</body></html>\n")
    with pytest.raises(ConfigError) as error:
        describe.describe_source(str(tmp_path / source) if source == "page" else source, "api")
    assert says in str(error.value)


def test_an_address_becomes_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """What differs from port and /metrics is said; a name of this machine is none of the service's."""
    assert describe.describe_address("http://localhost:9464/metrics") == {"port": 9464}
    assert describe.describe_address("https://api.internal/m") == {
        "port": 443, "address": "api.internal:443", "metricsPath": "/m", "scrape": {"scheme": "https"},
    }  # fmt: skip
    monkeypatch.setattr("sys.stdin", io.StringIO("a 1\n"))
    assert describe.read_source("-") == "a 1\n" and describe.describe_address("-") == {"port": 8080}
