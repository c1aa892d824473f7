"""Who is notified of an alert, in words."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cli.routes import complete_labels, describe_routes, explain_route, find_common_labels, get_document, parse_labels
from model.errors import ConfigError
from model.matching import find_routes
from model.plan import Plan
from stack.assemble import ConfigValue
from tests.support.operators import operated
from tests.support.systems import plan_shop

OWN: dict[str, Any] = {
    "receivers": [
        {"name": "office", "webhook": {"url": "http://office.example.com/"}},
        {"name": "night", "pagerduty": {"routingKeySecret": "key"}, "telegram": {"botTokenSecret": "key", "chatId": 1}},
    ],
    "routes": [
        {
            "severity": "critical", "receiver": "night", "groupBy": ["..."],
            "routes": [{"labels": {"service": "api"}, "muteTimeIntervals": ["early"]}],
        },
    ],
    "timeIntervals": [{"name": "early", "timeIntervals": [{"weekdays": ["sunday"]}]}],
}  # fmt: skip


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    """A shop with two receivers."""
    settings = {"alertmanager": ConfigValue(json.dumps(OWN)), "key": ConfigValue("", secret=True)}
    return plan_shop(tmp_path, settings=settings)


def said(plan: Plan, **labels: str) -> list[str]:
    """The lines about an alert."""
    found, every = get_document(plan), complete_labels(plan, labels)
    return [line for item in find_routes(found["route"], every) for line in explain_route(item, found, every)]


def test_the_receiver_comes_first_then_the_reasons(plan: Plan) -> None:
    """Name and kinds, the matchers on the way, grouping, times, and what was passed."""
    assert said(plan, severity="critical", service="api") == [
        "-> night (pagerduty, telegram)",
        '   because severity="critical"',
        '   because service="api"',
        "   grouped by every label: each alert is a group of its own; first after 10s, changes every 1m,"
        " repeated every 4h",
        "   not in the time interval early",
    ]


def test_what_no_route_claims_goes_to_the_first(plan: Plan) -> None:
    """And the routes that did not claim it are named with what they miss; information goes to nobody."""
    first, because, grouped, *passed = said(plan, severity="warning")
    assert (first, because) == ("-> office (webhook)", "   because no route claims it, so the first receiver gets it")
    assert "grouped by alertname, service" in grouped
    assert passed[0] == '   passed over severity="critical": severity is warning'
    assert said(plan, severity="info")[0] == "-> nobody: it is shown in Alertmanager only"


def test_without_receivers_that_is_the_reason(tmp_path: Path) -> None:
    """No first receiver gets what no route claims where there is none."""
    lines = said(plan_shop(tmp_path), severity="warning")
    assert lines[:2] == ["-> nobody: it is shown in Alertmanager only", "   because no receiver is declared"]


def test_a_program_reads_the_routes(plan: Plan) -> None:
    """As plain data: receiver, integrations, the matchers on the way, options; nobody has no integration."""
    shown = describe_routes(plan, complete_labels(plan, {"severity": "critical", "service": "api"}))
    assert json.loads(json.dumps(shown)) == shown and shown["alert"]["service"] == "api"
    (route,) = shown["routes"]
    assert (route["receiver"], route["integrations"]) == ("night", ["pagerduty", "telegram"])
    assert route["matchers"] == [['severity="critical"'], ['service="api"']]
    assert route["options"]["group_wait"] == "10s"
    assert describe_routes(plan, complete_labels(plan, {"severity": "info"}))["routes"][0]["integrations"] == []


def test_an_alert_has_the_labels_of_its_rule(plan: Plan) -> None:
    """Whoever names it need not know them; those that differ between its rules are left out."""
    assert find_common_labels(plan, "AlertmanagerFailedReload")["severity"] == "critical"
    assert (
        complete_labels(plan, {"alertname": "AlertmanagerFailedReload", "severity": "warning"})["severity"] == "warning"
    )
    assert complete_labels(plan, {})["stack"] == plan.stack


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["severity"], "severity: is no label; give name=value"),
        (["severty=critical"], "no alert carries a label 'severty'; did you mean 'severity'?"),
        (["severity=critcal"], "'critcal': no alert has this value; did you mean 'critical'?"),
        (
            ["alertname=PrometheusConfigReloadFailed"],
            "PrometheusConfigReloadFailed is called PrometheusBadConfig since 0.2",
        ),
    ],
)
def test_labels_that_no_alert_has_are_refused(plan: Plan, words: list[str], says: str) -> None:
    """A misspelt label would be answered by the first receiver, which is no answer."""
    with pytest.raises(ConfigError, match=says.replace("?", r"\?")):
        complete_labels(plan, parse_labels(words))


def test_the_routes_of_an_operator_are_read_from_its_object() -> None:
    """An AlertmanagerConfig has the same routes under other names."""
    hooks = [{"name": name, "webhook": {"url": f"http://{name}.example.com/"}} for name in ("a", "b")]
    routes = [{"severity": "critical", "receiver": "b", "groupWait": "1s"}]
    plan = operated("agenttrace", alertmanager={"receivers": hooks, "routes": routes})
    assert said(plan, severity="critical")[0] == "-> b (webhook)"
    assert any("first after 1s" in line for line in said(plan, severity="critical"))


def test_a_stack_without_alertmanager_has_no_routes(tmp_path: Path) -> None:
    """An error, not an empty answer."""
    plan = plan_shop(tmp_path)
    bare = type(plan)(**{**plan.__dict__, "workloads": {}})
    with pytest.raises(ConfigError, match="has no Alertmanager"):
        get_document(bare)
