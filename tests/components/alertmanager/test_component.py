"""Alertmanager: routes and receivers."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from model.errors import ConfigError
from stack.assemble import ConfigValue
from tests.components.alertmanager.plans import RECEIVERS, ROUTES, SECRETS, planned
from tests.support.planned import document, explained, scraped_as, text, workload
from tests.support.systems import plan_cluster, plan_shop


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


def test_no_document_or_variable_holds_a_credential(tmp_path: Path) -> None:
    """Settings that hold a credential itself occur in no document, and the environment has none at all."""
    plan = planned(tmp_path, receivers=RECEIVERS, routes=ROUTES)
    written = text(plan, "alertmanager", "alertmanager.yml")
    assert not re.search(
        r"\b(api_url|routing_key|service_key|auth_password|auth_secret|bearer_token|password):", written
    )
    assert not workload(plan, "alertmanager").env


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


def test_alerts_reach_every_instance(tmp_path: Path) -> None:
    """Whoever sends alerts is given the address of each instance, and the path below which they answer."""
    (one,) = planned(tmp_path / "one").telemetry.alert_receivers
    assert (one.targets, one.path_prefix) == (("alertmanager:9093",), "/alertmanager")
    cluster = plan_cluster(tmp_path / "two", settings={"alertmanager": json.dumps({"replicas": 2})})
    (two,) = cluster.telemetry.alert_receivers
    assert [target.partition(".")[0] for target in two.targets] == ["alertmanager-0", "alertmanager-1"]


def test_silences_are_backed_up(tmp_path: Path) -> None:
    """The volume of the first instance; what an operator runs has none here."""
    plan = plan_cluster(tmp_path / "a", settings={"alertmanager": '{"replicas": 3}'})
    (source,) = [item for item in plan.telemetry.backups if item.workload == "alertmanager"]
    assert (source.volume,) == workload(plan, "alertmanager").volumes and source.instances == 3
    operated = plan_cluster(tmp_path / "b", settings={"prometheus": '{"mode": "operator"}'})
    assert "alertmanager" not in {item.workload for item in operated.telemetry.backups}
