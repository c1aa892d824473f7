"""Receivers as Alertmanager reads them."""

from __future__ import annotations

from components.receivers import email, receiver, webhook
from model.load import parse
from model.receivers import Email, Receiver, Webhook


def test_a_receiver_has_an_entry_for_each_way() -> None:
    """Only the ways that are declared are there, each with the end of an alert."""
    slack = {"channel": "#a", "urlSecret": "slack"}
    item = parse(Receiver, {"name": "a", "slack": slack, "pagerduty": {"routingKeySecret": "key"}}, "test")
    entry = receiver(item)
    assert entry.keys() == {"name", "slack_configs", "pagerduty_configs"}
    assert entry["pagerduty_configs"] == [{"routing_key_file": "/run/secrets/key", "send_resolved": True}]


def test_a_webhook_is_given_up_before_the_next_one() -> None:
    """Its address is plain or a file; a call that hangs ends after ten seconds, so that there is time to try again."""
    assert webhook(Webhook(url="http://a")) == {"url": "http://a", "send_resolved": True, "timeout": "10s"}
    assert webhook(parse(Webhook, {"urlSecret": "a"}, "test"), resolved=False)["url_file"] == "/run/secrets/a"


def test_mail_logs_in_with_a_file() -> None:
    """The password is named by its file, and without a user there is none."""
    given = {"to": "a@example.com", "from": "b@example.com", "smarthost": "m:25"}
    assert "auth_username" not in email(parse(Email, given, "test"))
    login = email(parse(Email, {**given, "username": "b", "passwordSecret": "mail"}, "test"))
    assert login["auth_password_file"] == "/run/secrets/mail"
