"""Rules and dashboards as objects, and all objects of whole systems against the operator's own schemas."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import pytest

from components.prometheus.objects import RULES_SIZE, build_dashboard, split_rules
from model.extra_objects import ExtraObject
from model.operator import Operator
from model.plan import Plan
from model.telemetry import Dashboard
from targets.kubernetes.operator import check_rules, check_schemas
from tests.support.operators import definitions, operated, systems
from tests.support.validating import tool
from tests.support.yaml_files import read_yaml, write_yaml


@pytest.fixture(scope="module")
def shipped() -> Plan:
    """A system with several services, databases, probes and objectives."""
    return operated("agenttrace", demo=True)


def of_kind(plan: Plan, kind: str) -> list[ExtraObject]:
    """The objects of a kind."""
    return [item for item in plan.extra_objects if item.kind == kind]


def rules(plan: Plan) -> list[dict[str, Any]]:
    """Every rule of the objects."""
    return [
        rule for item in of_kind(plan, "PrometheusRule") for g in item.body["spec"]["groups"] for rule in g["rules"]
    ]


TAKEN = [(system, demo) for system in systems() for demo in (True, False) if demo or system != "execora"]
"""A process on a Docker host is nowhere on a cluster, which its system's file is refused for."""


@pytest.mark.parametrize(("system", "demo"), TAKEN)
def test_the_operator_takes_every_object(system: str, demo: bool) -> None:
    """Each object of each shipped system fits the schema of its definition, to the last field."""
    extra_objects = operated(system, demo=demo).extra_objects
    assert [*check_schemas(definitions(extra_objects), extra_objects)] == []
    assert {"ServiceMonitor", "PodMonitor", "PrometheusRule", "AlertmanagerConfig"} <= {i.kind for i in extra_objects}


def test_no_process_of_ours_does_the_operators_work(shipped: Plan) -> None:
    """Neither Prometheus nor Alertmanager is deployed or routed to; both are scraped and data sources."""
    assert not {"prometheus", "alertmanager"} & {workload.name for workload in shipped.list_workloads()}
    assert {"/prometheus", "/alertmanager"}.isdisjoint({route.prefix for route in shipped.telemetry.routes})
    urls = {source.uid: source.url for source in shipped.telemetry.datasources}
    assert urls["prometheus"] == "http://prometheus-operated.monitoring.svc:9090"
    assert urls["alertmanager"] == "http://alertmanager-operated.monitoring.svc:9093"
    monitors = {item.name: item for item in of_kind(shipped, "PodMonitor")}
    assert monitors["prometheus"].body["spec"]["namespaceSelector"] == {"matchNames": ["monitoring"]}


def test_every_rule_is_there_once(shipped: Plan) -> None:
    """Each recording and alert of the plan is in one object, evaluated as often as our own Prometheus would."""
    wanted = [r.record for g in shipped.telemetry.rules for r in g.recordings]
    wanted += [a.name for g in shipped.telemetry.rules for a in g.alerts]
    assert sorted(rule.get("record") or rule["alert"] for rule in rules(shipped)) == sorted(wanted)
    assert {"Watchdog", "TargetDown"} <= {rule.get("alert") for rule in rules(shipped)}
    groups = [group for item in of_kind(shipped, "PrometheusRule") for group in item.body["spec"]["groups"]]
    assert all(group["interval"] for group in groups)


def test_promtool_takes_every_rule(shipped: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    """The judge of a deployment accepts them all."""
    monkeypatch.setenv("PATH", str(tool("promtool").parent))
    assert [*check_rules(shipped.extra_objects)] == []


def test_alerts_find_their_way_to_our_receivers(shipped: Plan) -> None:
    """They carry the stack, and our namespace where the operator routes by it; what they are about is not lost."""
    alerts = [rule for rule in rules(shipped) if "alert" in rule]
    assert all(rule["labels"]["stack"] == "x" and rule["labels"]["namespace"] == "monitoring-x" for rule in alerts)
    assert all(rule["labels"]["exported_namespace"] == "{{ $labels.namespace }}" for rule in alerts)
    free = operated("agenttrace", demo=True, prometheus={"mode": "operator", "operator": {"matcher": "none"}})
    assert all("namespace" not in rule["labels"] for rule in rules(free) if "alert" in rule)
    assert all("stack" not in rule.get("labels", {}) for rule in rules(shipped) if "record" in rule)


def test_a_large_group_is_several_objects() -> None:
    """In order, none of them above the size, and none left out."""
    many = [{"record": f"a:b:c{n}", "expr": "x" * 900} for n in range(1000)]
    found = [*split_rules(many, RULES_SIZE)]
    assert [rule for part in found for rule in part] == many
    assert len(found) > 1 and max(len(json.dumps(part)) for part in found) < 1.1 * RULES_SIZE
    assert [*split_rules([{"expr": "x" * 2 * RULES_SIZE}], RULES_SIZE)] == [[{"expr": "x" * 2 * RULES_SIZE}]]


def test_dashboards_are_config_maps(shipped: Plan) -> None:
    """One for each, with the label that Grafana's companion looks for and the folder that it is to be in."""
    boards = of_kind(shipped, "ConfigMap")
    assert len(boards) == len(shipped.telemetry.dashboards)
    for item, board in zip(boards, shipped.telemetry.dashboards, strict=True):
        assert item.labels == {"grafana_dashboard": "1"} and item.annotations == {"grafana_folder": board.folder}
        (text,) = item.body["data"].values()
        assert json.loads(text) == json.loads(json.dumps(board.model))
        assert re.fullmatch(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?", item.name)


def test_dashboards_need_no_grafana_of_ours() -> None:
    """Without our own Grafana the dashboards of system and components are still written."""
    plan = operated("agenttrace", demo=True, grafana={"enabled": False})
    assert "grafana" not in plan.workloads and len(of_kind(plan, "ConfigMap")) > 5


def test_a_large_dashboard_is_written_compactly() -> None:
    """Indentation is given up before the dashboard is."""
    board = Dashboard(uid="a", title="A", folder="F", model={"panels": [{"id": n} for n in range(40_000)]})
    assert len(json.dumps(build_dashboard(Operator(), board).body)) < len(json.dumps(board.model, indent=2))
    small = replace(board, model={"a": 1})
    assert "\n" in next(iter(build_dashboard(Operator(), small).body["data"].values()))


def test_objects_are_plain_yaml(shipped: Plan) -> None:
    """What is rendered for review is what the cluster is given."""
    for item in shipped.extra_objects:
        plain = json.loads(json.dumps(item.body))
        assert read_yaml(write_yaml(plain)) == plain
