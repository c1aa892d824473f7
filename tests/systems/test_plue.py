"""plue: its metrics are declared, its rules mean what they say, its dashboard answers what people ask."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from components import prometheus
from components.assemble import ConfigValue, assemble
from components.documents import dump
from model.plan import Plan
from model.telemetry import AlertRule, RuleGroup
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
    return assemble("dev", config, address=lambda name, port: f"{name}:{port}", root=ROOT)


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
    ports = {workload.name: workload.ports[0].publish for workload in plan.every() if workload.ports}
    assert (ports["grafana"], ports["prometheus"], ports["loki"]) == (3001, 9090, 3100)


def test_the_demo_needs_no_secret_from_outside(plan: Plan) -> None:
    """Every password of the demo is generated, none has a default."""
    assert all(secret.generate for secret in plan.secrets.values())


# -- the dashboard ---------------------------------------------------------------------------------------------------


def test_the_dashboard_answers_what_people_ask(plan: Plan) -> None:
    """Plue Overview has a row for each question, in the order in which people ask."""
    (board,) = [board for board in plan.telemetry.dashboards if board.uid == "plue-overview"]
    assert board.title == "Plue Overview"
    rows = [panel["title"] for panel in board.model["panels"] if panel["type"] == "row"]
    assert rows == [
        "Service health", "Request rate", "Latency", "Errors", "Authentication", "Database", "Containers", "Logs",
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
    assert any('|= "error"' in target["expr"] for panel in found for target in panel["targets"])


def test_only_declared_metrics_are_used(plan: Plan) -> None:
    """No query and no rule asks for a metric of plue that no service declares."""
    texts = [target["expr"] for panel in panels(plan).values() for target in panel.get("targets", [])]
    texts += [alert.expr for alert in alerts(plan).values()]
    recorded = {rule.record for group in rules(plan) for rule in group.recordings}
    used = {name for text in texts for name in re.findall(r"[a-z:]*\bplue_\w+(?::\w+)?", text)}
    known = METRICS.keys() | {f"{name}_bucket" for name in METRICS} | recorded
    assert used <= known, used - known


# -- the rules -------------------------------------------------------------------------------------------------------


def test_every_alert_explains_itself(plan: Plan) -> None:
    """Each alert has a summary, a description, a severity and a way to the dashboard."""
    specified = {spec.name for spec in plan.system.alerts}
    assert specified | {"ApiHighErrorRatio", "ApiSlowRequests"} == alerts(plan).keys()
    for alert in alerts(plan).values():
        assert alert.summary and alert.description
        assert alert.severity in ("critical", "warning")
        assert alert.annotations["dashboard"].endswith("/d/plue-overview")


def test_latency_is_compared_in_milliseconds(plan: Plan) -> None:
    """One second of the system's file is a thousand of the metric."""
    assert alerts(plan)["ApiSlowRequests"].expr.endswith("> 1000")


def test_one_fault_has_one_alert(plan: Plan) -> None:
    """What TargetDown says of every target, no alert of plue says again."""
    assert not [alert.name for alert in alerts(plan).values() if re.search(r"\bup(\{.*\})? == 0", alert.expr)]


def _rule_files(plan: Plan, folder: Path) -> Iterator[Path]:
    for group in rules(plan):
        path = folder / f"{group.name}.yml"
        path.write_text(dump(prometheus.rules(group)), encoding="utf-8")
        yield path


def _promtool(*arguments: str) -> None:
    done = subprocess.run(["promtool", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_promtool_accepts_the_rules(plan: Plan, tmp_path: Path) -> None:
    """Prometheus' own checker reads every rule."""
    _promtool("check", "rules", "--lint=all", "--lint-fatal", *map(str, _rule_files(plan, tmp_path)))


LABELS = 'service="api", system="plue", environment="dev"'


def series(name: str, labels: str, values: str) -> dict[str, str]:
    """An input series of promtool's unit tests, one sample a minute."""
    return {"series": f"{name}{{{', '.join(part for part in (LABELS, labels) if part)}}}", "values": values}


BUCKETS = [
    series("plue_http_request_duration_ms_bucket", 'path="/a", le="1000"', "0+30x30"),
    series("plue_http_request_duration_ms_bucket", 'path="/a", le="2500"', "0+60x30"),
    series("plue_http_request_duration_ms_bucket", 'path="/a", le="+Inf"', "0+60x30"),
]
REQUESTS = [
    series("plue_http_requests_total", 'status="200"', "0+50x30"),
    series("plue_http_requests_total", 'status="500"', "0+10x30"),
]
FIRES: dict[str, list[dict[str, str]]] = {
    "ApiHighErrorRatio": REQUESTS,
    "ApiSlowRequests": BUCKETS,
    "PlueAuthFailures": [
        series("plue_auth_attempts_total", 'result="success", method="password"', "0+10x30"),
        series("plue_auth_attempts_total", 'result="locked", method="password"', "0+10x30"),
    ],
    "PlueDatabaseQueryErrors": [
        series("plue_db_queries_total", "", "0+100x30"),
        series("plue_db_query_errors_total", "", "0+5x30"),
    ],
    "PlueNoTraffic": [series("plue_http_requests_total", 'status="200"', "7x30"), series("up", "", "1x30")],
    "PlueApiRestarts": [series("plue_uptime_seconds", "", "60 120 0 60 0 60 0 60 120 180 240 300+60x20")],
}
HEALTHY = [
    series("plue_http_requests_total", 'status="200"', "0+100x30"),
    series("plue_http_request_duration_ms_bucket", 'path="/a", le="250"', "0+100x30"),
    series("plue_http_request_duration_ms_bucket", 'path="/a", le="+Inf"', "0+100x30"),
    series("plue_auth_attempts_total", 'result="success", method="password"', "0+10x30"),
    series("plue_auth_attempts_total", 'result="locked", method="password"', "0+1x30"),
    series("plue_db_queries_total", "", "0+1000x30"),
    series("plue_db_query_errors_total", "", "0+1x30"),
    series("plue_uptime_seconds", "", "60+60x30"),
    series("up", "", "1x30"),
]


def _test_file(plan: Plan, folder: Path, inputs: list[dict[str, str]], expected: dict[str, bool]) -> str:
    """A file for `promtool test rules` that expects alerts to fire, or not, after 25 minutes.

    Format: https://prometheus.io/docs/prometheus/latest/configuration/unit_testing_rules/.
    """
    count = 'count(ALERTS{{alertname="{}", alertstate="firing", service="api"}})'
    samples = [
        {"expr": count.format(name), "eval_time": "25m", "exp_samples": [{"labels": "{}", "value": 1}] if fires else []}
        for name, fires in expected.items()
    ]
    document = {
        "rule_files": [str(path) for path in _rule_files(plan, folder)],
        "evaluation_interval": "1m",
        "tests": [{"interval": "1m", "input_series": inputs, "promql_expr_test": samples}],
    }
    path = folder / "test.yaml"
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    return str(path)


def test_every_alert_has_a_case(plan: Plan) -> None:
    """No alert of plue is left without a case in which it fires."""
    assert FIRES.keys() == alerts(plan).keys()


@pytest.mark.parametrize("name", sorted(FIRES))
def test_the_alert_fires(plan: Plan, tmp_path: Path, name: str) -> None:
    """Series that show the fault make the alert fire, in Prometheus' own evaluation."""
    _promtool("test", "rules", _test_file(plan, tmp_path, FIRES[name], {name: True}))


def test_no_alert_fires_on_a_good_day(plan: Plan, tmp_path: Path) -> None:
    """Ordinary traffic without a single 5xx keeps every alert quiet."""
    _promtool("test", "rules", _test_file(plan, tmp_path, HEALTHY, dict.fromkeys(FIRES, False)))
