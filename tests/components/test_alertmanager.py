"""Alertmanager: routes and receivers."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from components.assemble import ConfigValue
from model.errors import ConfigError
from model.plan import Plan
from tests.support.planned import document, explained, scraped_as, text, workload
from tests.support.systems import plan_shop

RECEIVERS = [
    {"name": "team", "slack": {"channel": "#alerts", "urlSecret": "slack-url"}},
    {
        "name": "night",
        "pagerduty": {"routingKeySecret": "pager-key"},
        "email": {
            "to": "a@example.com",
            "from": "b@example.com",
            "smarthost": "m:25",
            "username": "b",
            "passwordSecret": "mail",
        },
        "webhook": {"urlSecret": "hook-url"},
    },
]
ROUTES = [{"severity": "critical", "receiver": "night", "repeatInterval": "1h"}]
SECRETS = {name: ConfigValue("", secret=True) for name in ("slack-url", "pager-key", "mail", "hook-url")}
SWITCH = {"switch-url": ConfigValue("", secret=True)}


def planned(folder: Path, **own: Any) -> Plan:
    """The shop with Alertmanager's settings."""
    given = {"alertmanager": ConfigValue(json.dumps(own)), **(SECRETS if own.get("receivers") else {})}
    given |= SWITCH if own.get("deadMansSwitch") else {}
    return plan_shop(folder, settings=given)


def test_credentials_come_from_files(tmp_path: Path) -> None:
    """Every credential of a receiver is named as a file, and each such file is a secret file of the workload."""
    plan = planned(tmp_path, receivers=RECEIVERS, routes=ROUTES)
    team, night, _ = document(plan, "alertmanager", "alertmanager.yml")["receivers"]
    assert team["slack_configs"][0]["api_url_file"] == "/run/secrets/slack-url"
    assert night["pagerduty_configs"][0]["routing_key_file"] == "/run/secrets/pager-key"
    assert night["email_configs"][0]["auth_password_file"] == "/run/secrets/mail"
    assert night["webhook_configs"][0]["url_file"] == "/run/secrets/hook-url"
    assert {item.secret for item in workload(plan, "alertmanager").secrets} == set(SECRETS)


def test_routes_by_labels_are_refused_where_no_alert_has_them(tmp_path: Path) -> None:
    """A label that a tuned alert or its service has can be routed on; one that none has is refused by its place."""
    team = {"services.api.labels": {"team": "payments"}}
    routes = [{"labels": {"team": "payments"}, "receiver": "night"}, {"labels": {"tema": "x"}, "receiver": "night"}]
    for count, system, says in (
        (1, {}, r"routes\[0\]\.labels\.team"),
        (2, team, r"routes\[1\]\.labels\.tema: no alert carries"),
    ):
        given = {"alertmanager": ConfigValue(json.dumps({"receivers": RECEIVERS, "routes": routes[:count]})), **SECRETS}
        with pytest.raises(ConfigError, match=says):
            plan_shop(tmp_path / str(count), system, given)
    given = {"alertmanager": ConfigValue(json.dumps({"receivers": RECEIVERS, "routes": routes[:1]})), **SECRETS}
    plan = plan_shop(tmp_path / "c", team, given)
    *_, route, nobody = document(plan, "alertmanager", "alertmanager.yml")["route"]["routes"]
    assert (nobody["receiver"], nobody["matchers"]) == ("none", ['severity="info"']), "no route names information"
    assert route["matchers"] == ['team="payments"', 'severity!="info"']


def test_a_call_that_hangs_is_tried_again(tmp_path: Path) -> None:
    """Webhooks have a time-out, without which one call takes the time of all tries."""
    plan = planned(tmp_path, receivers=RECEIVERS, routes=ROUTES)
    _, night, _ = document(plan, "alertmanager", "alertmanager.yml")["receivers"]
    assert night["webhook_configs"][0]["timeout"] == "10s"


def test_routes_use_matchers(tmp_path: Path) -> None:
    """Routes choose by `matchers`, the first receiver is the default; what is only information goes to nobody."""
    route = document(planned(tmp_path, receivers=RECEIVERS, routes=ROUTES), "alertmanager", "alertmanager.yml")["route"]
    assert route["receiver"] == "team"
    assert [item["receiver"] for item in route["routes"][:2]] == ["team", "night"], "those of the test alert come first"
    assert route["routes"][2:] == [
        {"receiver": "night", "matchers": ['severity="critical"'], "repeat_interval": "1h"},
        {"receiver": "none", "matchers": ['severity="info"']},
    ]


def test_a_route_may_ask_for_information(tmp_path: Path) -> None:
    """Whoever names the severity gets it, and routes stay in their order."""
    asked = [*ROUTES, {"severity": "info", "receiver": "team"}]
    found = document(planned(tmp_path, receivers=RECEIVERS, routes=asked), "alertmanager", "alertmanager.yml")
    assert [(route["receiver"], route["matchers"]) for route in found["route"]["routes"][2:]] == [
        ("night", ['severity="critical"']),
        ("team", ['severity="info"']),
        ("none", ['severity="info"']),
    ]


def test_watchdog_keeps_a_switch_from_going_off(tmp_path: Path) -> None:
    """It is sent to the dead man's switch alone, at once and at each interval, and never as ended."""
    plan = planned(
        tmp_path, receivers=RECEIVERS, routes=ROUTES, deadMansSwitch={"urlSecret": "switch-url", "interval": "30s"}
    )
    found = document(plan, "alertmanager", "alertmanager.yml")
    first = next(item for item in found["route"]["routes"] if item["receiver"] == "dead-mans-switch")
    assert (first["receiver"], first["matchers"]) == ("dead-mans-switch", ['alertname="Watchdog"'])
    assert (first["group_wait"], first["group_interval"], first["repeat_interval"]) == ("0s", "30s", "1s")
    switch = next(item for item in found["receivers"] if item["name"] == "dead-mans-switch")["webhook_configs"]
    assert switch == [{"url_file": "/run/secrets/switch-url", "timeout": "10s", "send_resolved": False}]
    assert "switch-url" in {item.secret for item in workload(plan, "alertmanager").secrets}


def test_times_and_texts_are_documents_beside_the_routes(tmp_path: Path) -> None:
    """Time intervals stand in alertmanager.yml, and the templates in a document that it names."""
    night = {"name": "night", "timeIntervals": [{"times": [{"startTime": "00:00", "endTime": "08:00"}]}]}
    muted = [{"severity": "warning", "receiver": "night", "muteTimeIntervals": ["night"]}]
    plan = planned(tmp_path, receivers=RECEIVERS, routes=muted, timeIntervals=[night])
    found = document(plan, "alertmanager", "alertmanager.yml")
    assert found["time_intervals"][0]["name"] == "night"
    assert found["templates"] == ["notifications.tmpl"]
    assert "observability.title" in text(plan, "alertmanager", "notifications.tmpl")


def test_no_deprecated_matching(tmp_path: Path) -> None:
    """Nowhere does a route use `match`, which Alertmanager is about to drop."""
    written = text(planned(tmp_path, receivers=RECEIVERS, routes=ROUTES), "alertmanager", "alertmanager.yml")
    assert "matchers:" in written
    assert not re.search(r"\b(match|match_re|(source|target)_match(_re)?):", written)


def test_no_document_or_variable_holds_a_credential(tmp_path: Path) -> None:
    """Settings that hold a credential itself occur in no document, and the environment has none at all."""
    plan = planned(tmp_path, receivers=RECEIVERS, routes=ROUTES)
    written = text(plan, "alertmanager", "alertmanager.yml")
    assert not re.search(
        r"\b(api_url|routing_key|service_key|auth_password|auth_secret|bearer_token|password):", written
    )
    assert not workload(plan, "alertmanager").env


def test_without_receivers_nothing_is_sent(tmp_path: Path) -> None:
    """Without receivers the default is an empty one; in the demo it is the demo's own webhook."""
    found = document(planned(tmp_path), "alertmanager", "alertmanager.yml")
    assert found["receivers"] == [{"name": "none"}]
    demo = plan_shop(tmp_path, settings={"demo": "true"})
    hook = document(demo, "alertmanager", "alertmanager.yml")["receivers"][0]["webhook_configs"][0]
    assert hook["url"] == "http://demo-webhook:8080/demo/webhook"


def test_nothing_is_inhibited(tmp_path: Path) -> None:
    """What ends while it is inhibited is never sent as resolved: alerts mute each other by their expressions."""
    assert "inhibit_rules" not in document(planned(tmp_path), "alertmanager", "alertmanager.yml")


@pytest.mark.parametrize(
    ("own", "words"),
    [
        ({"routes": ROUTES}, "night"),
        ({"receivers": [{"name": "a"}]}, "tells nobody"),
        ({"receivers": [{"name": "none", "webhook": {"url": "http://a"}}]}, "is a receiver of ours"),
        ({"receivers": [{"name": "a", "webhook": {}}]}, "either url or urlSecret"),
    ],
)
def test_broken_receivers_are_refused(tmp_path: Path, own: dict[str, Any], words: str) -> None:
    """A route to nobody, a receiver without a way to notify, and a webhook without an address are refused."""
    with pytest.raises(ConfigError, match=words):
        plan_shop(tmp_path, settings={"alertmanager": json.dumps(own)})


def test_it_watches_itself(tmp_path: Path) -> None:
    """Alertmanager is scraped and has alerts of its own."""
    plan = planned(tmp_path)
    scraped_as(plan, "alertmanager")
    explained(plan, "alertmanager")


def test_a_missing_receiver_is_warned_of(tmp_path: Path) -> None:
    """Without a receiver every run says so, with the setting's place; a demo has one, and a declared one is enough."""
    real = {"demo": ConfigValue("false")}
    (words,) = plan_shop(tmp_path, settings=real).warnings
    assert words.startswith("Pulumi.dev.yaml: alertmanager.receivers: none is declared")
    assert not plan_shop(tmp_path, settings=real | {"demo": ConfigValue("true")}).warnings
    assert not planned(tmp_path, receivers=RECEIVERS, routes=ROUTES).warnings
