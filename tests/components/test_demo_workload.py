"""The demo workload imitates a system from its YAML."""

from __future__ import annotations

import json
from pathlib import Path

from tests.support.planned import document, text, workload
from tests.support.systems import plan_shop

POSTGRES = {"databases": {"db": {"kind": "postgres", "address": "postgres:5432"}}}
REDIS = {"databases": {"cache": {"kind": "redis", "address": "redis:6379"}}}


def test_only_in_the_demo(tmp_path: Path) -> None:
    """Without `demo` nothing stands in for the system's services."""
    assert "demo-workload" not in plan_shop(tmp_path).workloads


def test_services_keep_name_and_port(tmp_path: Path) -> None:
    """A stand-in answers under the service's own name and port, with the declared metrics."""
    plan = plan_shop(tmp_path, settings={"demo": "true"})
    found = workload(plan, "api")
    assert found.ports[0].number == 4000
    service = json.loads(text(plan, "api", "spec.json"))["services"]["api"]
    assert [metric["name"] for metric in service["metrics"]] == ["shop_requests_total", "shop_duration_seconds"]
    assert service["errorStatuses"] == ["500"]


def test_the_count_of_a_histogram_comes_with_it(tmp_path: Path) -> None:
    """A stand-in that exposed it as a counter as well would expose it twice."""
    took = {"type": "histogram", "role": "duration", "unit": "seconds", "labels": {"status": ["200", "500"]}}
    count = {"type": "counter", "role": "requests", "labels": {"status": ["200", "500"]}}
    for metrics in ({"took": took}, {"took": took, "took_count": count}):
        plan = plan_shop(tmp_path, {"services.api.metrics": metrics, "objectives": []}, {"demo": "true"})
        service = json.loads(text(plan, "api", "spec.json"))["services"]["api"]
        assert [metric["name"] for metric in service["metrics"]] == ["took"]
        assert service["errorStatuses"] == ["500"]


def test_ports_can_stay_closed(tmp_path: Path) -> None:
    """`publish: false` opens no port of a service on the host."""
    plan = plan_shop(tmp_path, settings={"demo": "true", "demoWorkload": '{"publish": false}'})
    assert workload(plan, "api").ports[0].publish is None


def test_databases_are_real(tmp_path: Path) -> None:
    """A database runs as itself, with a generated password that is read from a file."""
    plan = plan_shop(tmp_path, POSTGRES, {"demo": "true"})
    found = workload(plan, "postgres")
    assert found.image == "postgres"
    assert found.env["POSTGRES_PASSWORD_FILE"] == f"/run/secrets/{found.secrets[0].secret}"
    assert plan.secrets["db-password"].generate
    assert workload(plan_shop(tmp_path, REDIS, {"demo": "true"}), "redis").image == "redis"


def test_spans_go_to_whoever_takes_them(tmp_path: Path) -> None:
    """A stand-in sends its spans where a tracing backend takes them, and nowhere else."""
    settings = {"demo": "true", "jaeger": '{"enabled": true}'}
    with_traces, without = plan_shop(tmp_path, settings=settings), plan_shop(tmp_path, settings={"demo": "true"})
    services = [json.loads(text(plan, "api", "spec.json"))["services"]["api"] for plan in (with_traces, without)]
    assert [service.get("traces") for service in services] == ["http://jaeger:4318/v1/traces", None]


def test_the_receiver_is_not_published(tmp_path: Path) -> None:
    """The webhook receiver is reached inside the stack only."""
    found = workload(plan_shop(tmp_path, settings={"demo": "true"}), "demo-webhook")
    assert [port.publish for port in found.ports] == [None]


def test_a_stand_in_writes_its_level(tmp_path: Path) -> None:
    """Where a service has another name for the level, its stand-in still writes one that is found."""
    logs = {"fields": ["sev", "msg"], "levelField": "sev"}
    plan = plan_shop(tmp_path, {"services.api.logs": logs}, {"demo": "true"})
    assert document(plan, "api", "spec.json")["services"]["api"]["logs"]["fields"] == ["level", "msg"]
