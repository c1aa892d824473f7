"""Receivers as Alertmanager reads them."""

from __future__ import annotations

from typing import Any

import pytest

from components.alertmanager.receivers import (
    NTFY_ALERTS,
    WRITERS,
    build_email,
    build_ntfy,
    build_receiver,
    build_webhook,
    format_timeout,
)
from model.integrations import Ntfy, Webhook
from model.load import parse_model
from model.mail import Email
from model.receivers import Receiver

WAYS: dict[str, dict[str, Any]] = {
    "webhook": {"urlSecret": "key"},
    "slack": {"channel": "#a", "urlSecret": "key"},
    "email": {"to": "a@b.c", "from": "a@b.c", "smarthost": "m:25", "username": "u", "passwordSecret": "key"},
    "pagerduty": {"routingKeySecret": "key"},
    "opsgenie": {"apiKeySecret": "key"},
    "msteamsv2": {"webhookUrlSecret": "key"},
    "discord": {"webhookUrlSecret": "key"},
    "telegram": {"botTokenSecret": "key", "chatId": 1},
    "pushover": {"tokenSecret": "key", "userKeySecret": "key"},
    "ntfy": {"urlSecret": "key"},
}
FILES = {
    "webhook": "url_file", "slack": "api_url_file", "email": "auth_password_file", "pagerduty": "routing_key_file",
    "opsgenie": "api_key_file", "msteamsv2": "webhook_url_file", "discord": "webhook_url_file",
    "telegram": "bot_token_file", "pushover": "token_file", "ntfy": "url_file",
}  # fmt: skip


def written(key: str, **more: Any) -> dict[str, Any]:
    """The only entry of a receiver that notifies in one way."""
    entry = build_receiver(parse_model(Receiver, {"name": "a", key: {**WAYS[key], **more}}, "test"))
    ((only,),) = (value for name, value in entry.items() if name != "name")
    return dict(only)


def test_every_way_is_written() -> None:
    """Each way that a receiver can have is known here and in this test."""
    ways = Receiver.model_fields.keys() - {"name"}
    assert WRITERS.keys() == ways == WAYS.keys() == FILES.keys()


@pytest.mark.parametrize("key", WAYS)
def test_credentials_are_files_and_ends_are_sent(key: str) -> None:
    """Every credential is the file of a secret, and an end is sent unless that is not wanted."""
    assert written(key)[FILES[key]] == "/run/secrets/key"
    assert written(key)["send_resolved"] is True
    assert written(key, sendResolved=False)["send_resolved"] is False


def test_a_receiver_has_an_entry_for_each_way() -> None:
    """Only the ways that are declared are there; two that Alertmanager calls webhooks stand in one list."""
    ways = {key: WAYS[key] for key in ("webhook", "ntfy", "pagerduty")}
    entry = build_receiver(parse_model(Receiver, {"name": "a", **ways}, "test"))
    assert entry.keys() == {"name", "webhook_configs", "pagerduty_configs"}
    assert len(entry["webhook_configs"]) == 2


def test_a_call_is_given_up_before_the_next_one() -> None:
    """A call that hangs ends after ten seconds, so that there is time to try again; longer ones are in seconds too."""
    assert build_webhook(Webhook(url="http://a")) == {"url": "http://a", "timeout": "10s"}
    assert written("slack")["timeout"] == written("pagerduty")["timeout"] == written("ntfy")["timeout"] == "10s"
    assert (format_timeout("1m"), format_timeout("1d"), format_timeout("500ms")) == ("60s", "86400s", "0.5s")


def test_mail_logs_in_with_a_file() -> None:
    """The password is named by its file, and without a user there is none; the server may have its own CA."""
    given = {"to": "a@example.com", "from": "b@example.com", "smarthost": "m:25"}
    assert "auth_username" not in build_email(parse_model(Email, given, "test"))
    tls = {"ca": "-----BEGIN CERTIFICATE-----\nx\n", "serverName": "mail.example.com"}
    made = written("email", tlsConfig=tls, forceImplicitTls=True, hello="stack.example.com")
    assert made["tls_config"] == {"ca": tls["ca"], "server_name": "mail.example.com"}
    assert (made["force_implicit_tls"], made["hello"]) == (True, "stack.example.com")


@pytest.mark.parametrize("key", ["webhook", "ntfy"])
def test_a_server_of_ones_own_is_trusted_by_its_authority(key: str) -> None:
    """Beside all else that a call has; nothing stands there where nothing is said."""
    tls = {"ca": "-----BEGIN CERTIFICATE-----\nx\n", "serverName": "hooks.example.com"}
    known = written(key, url="https://10.0.0.5/hook", urlSecret=None, tlsConfig=tls)["http_config"]
    assert known.pop("tls_config") == {"ca": tls["ca"], "server_name": "hooks.example.com"}
    assert known == written(key).get("http_config", {})


def test_slack_is_written_to_by_a_webhook_or_by_an_app() -> None:
    """One of both credentials; the app's address may be another one."""
    app = {"channel": "C024BE91L", "appTokenSecret": "token", "appUrl": "https://slack.example.com/api"}
    (entry,) = build_receiver(parse_model(Receiver, {"name": "a", "slack": app}, "test"))["slack_configs"]
    assert entry["app_token_file"] == "/run/secrets/token" and "api_url_file" not in entry
    assert (entry["app_url"], entry["channel"]) == ("https://slack.example.com/api", "C024BE91L")


def test_opsgenie_calls_somebody() -> None:
    """Responders have a type and one name; the priority follows the severity."""
    made = written("opsgenie", responders=[{"type": "team", "name": "shop"}], tags="a,b", apiUrl="https://o/")
    assert made["responders"] == [{"type": "team", "name": "shop"}]
    assert (made["tags"], made["api_url"]) == ("a,b", "https://o/")
    assert "P1" in made["priority"]


def test_pushover_repeats_until_somebody_answers() -> None:
    """The priority holds while an alert fires, and its end is never an emergency."""
    made = written("pushover", priority=2, retry="2m", expire="2h")
    assert (made["priority"], made["retry"], made["expire"]) == (
        '{{ if eq .Status "firing" }}2{{ else }}0{{ end }}', "120s", "7200s",
    )  # fmt: skip


def test_ntfy_makes_its_message_by_a_template() -> None:
    """Alertmanager's JSON is sent as it is; headers say how ntfy reads it, and log in with a token."""
    made = build_ntfy(parse_model(Ntfy, {"url": "https://ntfy.sh/a", "tokenSecret": "token", "priority": 5}, "test"))
    headers = {name: value["values"][0] for name, value in made["http_config"]["http_headers"].items()}
    assert headers.keys() == {"X-Template", "X-Title", "X-Message", "X-Priority"}
    assert (headers["X-Template"], headers["X-Priority"]) == ("yes", "5")
    assert not any("\n" in value for value in headers.values()), "a header is one line"
    assert made["http_config"]["authorization"] == {"type": "Bearer", "credentials_file": "/run/secrets/token"}
    assert made["max_alerts"] == NTFY_ALERTS
    assert "authorization" not in written("ntfy")["http_config"]
