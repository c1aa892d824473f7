"""Alertmanager's document as an AlertmanagerConfig."""

from __future__ import annotations

import json
from typing import Any

import pytest

from components.alertmanager.operator import build_integration, build_matcher, build_route
from model.errors import ConfigError
from model.extra_objects import SECRETS
from model.plan import Plan
from model.routes import Route
from targets.kubernetes.operator import check_schemas
from tests.support.operators import definitions, operated
from tests.support.validating import INTERVALS, RECEIVERS, ROUTES, SECRET_WEBHOOK, VENDORS
from tests.support.validating import SECRETS as NAMES

INFO = {"severity": "info", "receiver": "hidden"}
MUTED = {"matchers": ['service=~".+"'], "receiver": "vendors", "continue": True, "muteTimeIntervals": ["night"]}


@pytest.fixture(scope="module")
def plan() -> Plan:
    """A stack that notifies in every way there is."""
    alertmanager = {
        "receivers": [*RECEIVERS, SECRET_WEBHOOK, VENDORS[1]],
        "routes": [MUTED, *ROUTES, INFO],
        "groupBy": ["alertname"],
        "timeIntervals": INTERVALS,
    }
    return operated("agenttrace", alertmanager=alertmanager)


@pytest.fixture(scope="module")
def spec(plan: Plan) -> dict[str, Any]:
    """What its operator is told."""
    (item,) = [item for item in plan.extra_objects if item.kind == "AlertmanagerConfig"]
    assert set(item.secrets) == set(NAMES)
    return dict(item.body["spec"])


def test_the_operator_takes_every_way_to_notify(plan: Plan) -> None:
    """All of it fits the schema of the definition."""
    assert [*check_schemas(definitions(plan.extra_objects), plan.extra_objects)] == []


def test_credentials_are_keys_of_a_secret(spec: dict[str, Any]) -> None:
    """No address or password is in the object, only where it is."""
    team, night, office, hidden, vendors, _ = spec["receivers"]
    assert vendors["discordConfigs"][0]["apiURL"] == {"name": SECRETS, "key": "slack-url"}
    assert vendors["msteamsv2Configs"][0]["webhookURL"] == {"name": SECRETS, "key": "slack-url"}
    assert vendors["telegramConfigs"][0]["botToken"] == {"name": SECRETS, "key": "pager-key"}
    assert vendors["pushoverConfigs"][0]["userKey"] == {"name": SECRETS, "key": "mail"}
    assert team["slackConfigs"][0]["apiURL"] == {"name": SECRETS, "key": "slack-url"}
    assert night["pagerdutyConfigs"][0]["routingKey"] == {"name": SECRETS, "key": "pager-key"}
    assert office["emailConfigs"][0]["authPassword"] == {"name": SECRETS, "key": "mail"}
    assert hidden["webhookConfigs"][0]["urlSecret"] == {"name": SECRETS, "key": "hook-url"}
    assert hidden["webhookConfigs"][0]["timeout"] == "10s"
    assert "_file" not in json.dumps(spec) and "/run/secrets" not in json.dumps(spec)


def test_routes_are_the_same(spec: dict[str, Any]) -> None:
    """The first receiver gets what no route claims; routes go by severity, intervals and grouping are kept."""
    top = spec["route"]
    assert (top["receiver"], top["groupBy"], top["groupWait"]) == ("team", ["alertname"], "10s")
    *tests, muted, night, warning, named, unnamed = top["routes"]
    info = [{"name": "severity", "matchType": "=", "value": "info"}]
    assert [test["receiver"] for test in tests] == ["team", "night", "office", "hidden", "vendors"]
    assert (muted["receiver"], muted["continue"], muted["muteTimeIntervals"]) == ("vendors", True, ["night"])
    assert [item["matchType"] for item in muted["matchers"]] == ["=~", "!="]
    assert named == {"receiver": "hidden", "matchers": info}
    assert unnamed == {"receiver": "none", "matchers": info}
    assert night["receiver"] == "night" and night["repeatInterval"] == "1h"
    assert warning["matchers"] == [{"name": "severity", "matchType": "=", "value": "warning"}]


def test_routes_by_labels_are_the_same() -> None:
    """Each label that a route asks for is a matcher of its own."""
    both = Route(severity="critical", labels={"team": "a b=c"}, receiver="r")
    made = build_route({"receiver": both.receiver, "matchers": [*map(str, both.conditions)]})
    assert [(found["name"], found["value"]) for found in made["matchers"]] == [
        ("severity", "critical"),
        ("team", "a b=c"),
    ]


def test_alerts_of_others_are_left_alone(spec: dict[str, Any]) -> None:
    """Routes begin with the stack's own label, whatever else the Alertmanager handles; nothing is inhibited."""
    ours = {"name": "stack", "matchType": "=", "value": "x"}
    assert spec["route"]["matchers"] == [ours]
    assert "inhibitRules" not in spec


def test_nobody_to_tell_is_no_mistake() -> None:
    """Without a receiver alerts are shown and sent nowhere."""
    plan = operated("agenttrace")
    (item,) = [item for item in plan.extra_objects if item.kind == "AlertmanagerConfig"]
    assert item.body["spec"]["receivers"] == [{"name": "none"}] and item.secrets == ()
    assert [*check_schemas(definitions([item]), [item])] == []


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ('a="b"', ("a", "=", "b")),
        ('a!="TargetDown"', ("a", "!=", "TargetDown")),
        ('a=~"b|c=d"', ("a", "=~", "b|c=d")),
        ('a!=""', ("a", "!=", "")),
    ],
)
def test_matchers_are_taken_apart(text: str, parts: tuple[str, str, str]) -> None:
    """Name, comparison and value."""
    assert tuple(build_matcher(text)[key] for key in ("name", "matchType", "value")) == parts


def test_what_is_no_matcher_is_refused() -> None:
    """A mistake in a document of ours does not become a route that matches everything."""
    with pytest.raises(ValueError, match="'severity' is no matcher"):
        build_route({"receiver": "a", "matchers": ["severity"]})


def test_names_with_capitals_are_the_operators() -> None:
    """Fields whose names are no plain camel case."""
    assert build_integration({"require_tls": True, "send_resolved": True}) == {"requireTLS": True, "sendResolved": True}


def test_times_are_the_same(spec: dict[str, Any]) -> None:
    """Under the names that the object has for them; days of the month are numbers."""
    (night,) = spec["muteTimeIntervals"]
    (period,) = night["timeIntervals"]
    assert period["times"] == [{"startTime": "00:00", "endTime": "08:00"}]
    assert period["daysOfMonth"] == [{"start": 1, "end": 7}, {"start": -1, "end": -1}]


def test_texts_have_their_templates_in_them(spec: dict[str, Any]) -> None:
    """An Alertmanager without our document writes the same texts."""
    slack = spec["receivers"][0]["slackConfigs"][0]
    assert slack["title"].startswith('{{ define "observability.title" }}')
    assert slack["title"].endswith('{{ template "observability.title" . }}')
    assert "timeout" not in slack, "it has no field for it"
    details = spec["receivers"][1]["pagerdutyConfigs"][0]["details"]
    assert [item["key"] for item in details] == ["alerts", "firing", "resolved"]


@pytest.mark.parametrize(
    ("own", "place"),
    [
        ({"receivers": [VENDORS[0]]}, ["receivers[0].slack.appTokenSecret", "receivers[0].ntfy"]),
        (
            {"receivers": [{"name": "a", "slack": {"channel": "#a", "urlSecret": "slack-url", "timeout": "5s"}}]},
            ["receivers[0].slack.timeout"],
        ),
    ],
)
def test_what_the_object_cannot_say_is_refused(own: dict[str, Any], place: list[str]) -> None:
    """Settings that an AlertmanagerConfig has no field for are no settings of such a stack."""
    with pytest.raises(ConfigError) as caught:
        operated("agenttrace", alertmanager=own)
    places = [p.where.partition("alertmanager.")[2] for p in caught.value.problems]
    assert places == place
    assert "has no field in an AlertmanagerConfig" in str(caught.value)
