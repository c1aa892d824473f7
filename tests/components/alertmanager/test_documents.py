"""Alertmanager's document: receivers and routes."""

from __future__ import annotations

import re
from pathlib import Path

from tests.components.alertmanager.plans import RECEIVERS, ROUTES, planned
from tests.support.planned import document, text, workload
from tests.support.systems import plan_shop


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
