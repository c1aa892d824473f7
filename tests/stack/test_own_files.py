"""Files that a system names reach the documents of both targets."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cli.render import render_documents
from model.errors import ConfigError
from tests.support.systems import plan_cluster, plan_shop
from tests.support.validating import accepts, tool

RULES = """groups:
  - name: till
    limit: 9
    rules:
      - {record: "job:till:sum", expr: sum by (job) (till_open)}
      - {alert: TillShut, expr: till_open == 0, keep_firing_for: 5m, labels: {severity: warning}}
"""
NAMED: dict[str, Any] = {"dashboardFiles": ["own/*.json"], "ruleFiles": ["own/*.yaml"]}


def write(folder: Path, rules: str = RULES) -> None:
    """A rule file and a dashboard beside the system's file."""
    own = folder / "configs" / "systems" / "own"
    own.mkdir(parents=True, exist_ok=True)
    (own / "till.yaml").write_text(rules)
    (own / "till.json").write_text(json.dumps({"title": "Till", "panels": [{"type": "text"}]}))


@pytest.mark.parametrize("plan", [plan_shop, plan_cluster])
def test_files_reach_the_documents(plan: Any, tmp_path: Path) -> None:
    """Rules are Prometheus' and pass its own check, dashboards are Grafana's; a change of a file changes them."""
    write(tmp_path)
    files = render_documents(plan(tmp_path, NAMED))
    rules = files["prometheus/rules/shop-till-till.yml"]
    (tmp_path / "rules.yml").write_text(rules)
    accepts(tool("promtool"), "check", "rules", tmp_path / "rules.yml")
    assert json.loads(files["grafana/boards/shop/till.json"])["title"] == "Till"
    write(tmp_path, RULES.replace("== 0", "== 1"))
    assert render_documents(plan(tmp_path, NAMED))["prometheus/rules/shop-till-till.yml"] != rules


def test_an_operator_gets_them_as_objects(tmp_path: Path) -> None:
    """Where an operator evaluates rules, they are PrometheusRules, and dashboards ConfigMaps."""
    write(tmp_path)
    plan = plan_cluster(tmp_path, NAMED, {"prometheus": '{"mode": "operator"}'})
    kinds = {(item.kind, item.name) for item in plan.extra_objects}
    assert {("PrometheusRule", "shop-till-till"), ("ConfigMap", "dashboard-till")} <= kinds


def test_no_page_is_promised_for_an_alert_of_a_file(tmp_path: Path) -> None:
    """Nobody has written a runbook for it, so its link would lead nowhere."""
    write(tmp_path)
    rules = plan_shop(tmp_path, NAMED).telemetry.rules
    (alert,) = (alert for group in rules for alert in group.alerts if alert.name == "TillShut")
    assert "runbook_url" not in alert.annotations


@pytest.mark.parametrize(
    ("named", "message"),
    [
        ({"ruleFiles": ["none/*.yaml"]}, r"shop\.yaml: ruleFiles\[0\]: 'none/\*\.yaml': no such file"),
        ({"ruleFiles": ["../../../outside.yaml"]}, r"ruleFiles\[0\]: .* leads out of the project's folder"),
        ({"ruleFiles": ["/etc/rules.yaml"]}, r"ruleFiles\[0\]: .*must be a path from this file's folder"),
    ],
)
def test_a_path_that_leads_nowhere_is_refused(named: dict[str, Any], message: str, tmp_path: Path) -> None:
    """Neither absence nor a file of somebody else's passes in silence."""
    (tmp_path / "outside.yaml").write_text(RULES)
    (tmp_path / "project").mkdir()
    with pytest.raises(ConfigError, match=message):
        plan_shop(tmp_path / "project", named)


def test_a_name_that_the_stack_has_is_refused(tmp_path: Path) -> None:
    """An alert of the system's is not defined a second time."""
    write(tmp_path, RULES.replace("TillShut", "TargetDown"))
    with pytest.raises(ConfigError, match=r"own/till\.yaml: alert TargetDown: has the name of one of"):
        plan_shop(tmp_path, NAMED)


def ask(folder: Path, name: str, kind: str, **more: Any) -> None:
    """A dashboard that asks a data source of a type."""
    panel = {"type": "traces", "datasource": {"type": kind, "uid": "theirs"}}
    document = {"title": name, "panels": [{"type": "row", "panels": [panel]}], **more}
    write(folder)
    (folder / "configs" / "systems" / "own" / f"{name}.json").write_text(json.dumps(document))


def test_traces_are_asked_in_the_language_of_their_store(tmp_path: Path) -> None:
    """A panel for Tempo draws nothing of Jaeger's: it is refused with its place; beside a Tempo it is right."""
    ask(tmp_path, "traces", "tempo")
    with pytest.raises(ConfigError, match=r"own/traces\.json: panels\[0\]\.panels\[0\]\.datasource\.type: 'tempo'"):
        plan_shop(tmp_path, NAMED, {"jaeger": '{"enabled": true}'})
    tempo = {"grafana": '{"tracing": {"kind": "tempo", "url": "http://tempo:3200"}}'}
    assert plan_shop(tmp_path, NAMED, tempo).telemetry.dashboards
    ask(tmp_path, "traces", "jaeger")
    assert plan_shop(tmp_path, NAMED, {"jaeger": '{"enabled": true}'}).telemetry.dashboards


@pytest.mark.parametrize("uid", ["till", "shop-overview", "index", "host"])
def test_a_uid_that_another_dashboard_has_is_refused_with_its_file(tmp_path: Path, uid: str) -> None:
    """Whether that is of a file, of the system or of the stack; it is said once."""
    ask(tmp_path, "traces", "prometheus", uid=uid)
    with pytest.raises(ConfigError) as caught:
        plan_shop(tmp_path, NAMED)
    (problem,) = caught.value.problems
    other = "own/till.json" if uid == "till" else "the stack or its system"
    assert problem.where == "configs/systems/own/traces.json: uid" and other in problem.message
