"""plue: its metrics are declared, its rules mean what they say, its dashboard answers what people ask."""

from __future__ import annotations

import re
from typing import Any

import pytest

from model.plan import Plan
from model.telemetry import AlertRule, RuleGroup
from stack.assemble import ConfigValue, assemble_plan
from tests.support.systems import ROOT

METRICS = {
    "plue_uptime_seconds": ("gauge", "seconds", set()),
    "plue_active_sessions": ("gauge", "count", set()),
    "plue_active_websockets": ("gauge", "count", set()),
    "plue_active_pty_sessions": ("gauge", "count", set()),
    "plue_http_requests_total": ("counter", "requests", {"method", "path", "status"}),
    "plue_http_request_duration_ms": ("histogram", "milliseconds", {"path"}),
    "plue_auth_attempts_total": ("counter", "count", {"result", "method"}),
    "plue_db_queries_total": ("counter", "count", set()),
    "plue_db_query_errors_total": ("counter", "count", set()),
}
"""What the API exposes: type, unit and labels by name."""


@pytest.fixture(scope="module")
def plan() -> Plan:
    """The plan of a demo of plue."""
    config = {"system": ConfigValue("plue"), "demo": ConfigValue("true")}
    return assemble_plan("dev", config, address=lambda name, port: f"{name}:{port}", root=ROOT)


def rules(plan: Plan) -> list[RuleGroup]:
    """The rule groups that plue brings."""
    return [group for group in plan.telemetry.rules if group.name.startswith("plue")]


def alerts(plan: Plan) -> dict[str, AlertRule]:
    """plue's alerts by name."""
    return {alert.name: alert for group in rules(plan) for alert in group.alerts}


def panels(plan: Plan) -> dict[str, dict[str, Any]]:
    """The panels of plue's dashboard by title."""
    (board,) = [board for board in plan.telemetry.dashboards if board.uid == "plue-overview"]
    return {panel["title"]: panel for panel in board.model["panels"]}


def queries(plan: Plan, title: str) -> list[str]:
    """The queries of a panel."""
    return [target["expr"] for target in panels(plan)[title]["targets"]]


# -- the system ------------------------------------------------------------------------------------------------------


def test_every_metric_is_declared(plan: Plan) -> None:
    """Names, types, units and labels of the API's metrics are those that it exposes."""
    api = plan.system.services["api"]
    assert {name: (m.type, m.unit, set(m.labels)) for name, m in api.metrics.items()} == METRICS


def test_services_and_ports_are_the_known_ones(plan: Plan) -> None:
    """Services are scraped where they listen, and people find the tools on the ports they are used to."""
    addresses = {job.name: job.targets[0].address for job in plan.telemetry.scrape}
    assert (addresses["api"], addresses["web"]) == ("api:4000", "web:5173")
    assert addresses["postgres-exporter"] == "postgres-exporter:9187"
    assert addresses["cadvisor"] == "cadvisor:8080"
    ports = {workload.name: workload.ports[0].publish for workload in plan.list_workloads() if workload.ports}
    assert (ports["grafana"], ports["prometheus"], ports["loki"]) == (3001, 9090, 3100)


def test_the_demo_needs_no_secret_from_outside(plan: Plan) -> None:
    """Every password of the demo is generated, none has a default."""
    assert all(secret.generate or secret.made for secret in plan.secrets.values())


# -- the dashboard ---------------------------------------------------------------------------------------------------


def test_the_dashboard_answers_what_people_ask(plan: Plan) -> None:
    """Plue Overview has a row for each question, in the order in which people ask."""
    (board,) = [board for board in plan.telemetry.dashboards if board.uid == "plue-overview"]
    assert board.title == "Plue Overview"
    rows = [panel["title"] for panel in board.model["panels"] if panel["type"] == "row"]
    assert rows == [
        "Service health", "Request rate", "Latency", "Errors", "In the browser", "Authentication", "Database",
        "Containers", "Logs",
    ]  # fmt: skip


def test_slowest_endpoints_keep_le_and_path(plan: Plan) -> None:
    """The quantile of each endpoint is taken over its buckets, in milliseconds."""
    (query,) = queries(plan, "Ten slowest endpoints")
    assert query.startswith("topk(10, histogram_quantile(0.95, sum by (le, path)")
    assert panels(plan)["Ten slowest endpoints"]["fieldConfig"]["defaults"]["unit"] == "ms"


def test_failed_logins_are_told_by_result_and_method(plan: Plan) -> None:
    """Both windows, 15 minutes and an hour, leave successes out."""
    for window in ("15m", "1h"):
        (query,) = queries(plan, f"Failed logins by result and method, {window}")
        assert query.startswith("sum by (result, method)")
        assert 'result!="success"' in query and query.endswith(f"[{window}]))")


def test_most_errors_in_an_hour(plan: Plan) -> None:
    """Endpoints are ranked by their 5xx answers of one hour."""
    (query,) = queries(plan, "Ten endpoints with most errors in 1h")
    assert query.startswith("topk(10, sum by (path)")
    assert 'status=~"5.."' in query and "[1h]" in query


def test_logs_are_all_containers_lines(plan: Plan) -> None:
    """Log panels ask Loki for the containers' lines, one of them for errors."""
    found = [panel for panel in panels(plan).values() if panel["type"] == "logs"]
    assert {panel["datasource"]["uid"] for panel in found} == {"loki"}
    assert all('{job="containerlogs"' in target["expr"] for panel in found for target in panel["targets"])
    assert any(
        'detected_level=~"error|critical|fatal"' in target["expr"] for panel in found for target in panel["targets"]
    )


def test_only_declared_metrics_are_used(plan: Plan) -> None:
    """No query and no rule asks for a metric of plue that no service declares."""
    texts = [target["expr"] for panel in panels(plan).values() for target in panel.get("targets", [])]
    texts += [alert.expr for alert in alerts(plan).values()]
    recorded = {rule.record for group in rules(plan) for rule in group.recordings}
    used = {name for text in texts for name in re.findall(r"[a-z:]*\bplue_\w+(?::\w+)?", text)}
    known = METRICS.keys() | {f"{name}_{part}" for name in METRICS for part in ("bucket", "count")} | recorded
    assert used <= known, used - known


# -- the rules -------------------------------------------------------------------------------------------------------


def test_one_fault_has_one_alert(plan: Plan) -> None:
    """What TargetDown says of every target, no alert of plue says again."""
    assert not [alert.name for alert in alerts(plan).values() if re.search(r"\bup(\{.*\})? == 0", alert.expr)]
