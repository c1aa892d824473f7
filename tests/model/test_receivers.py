"""Receivers of notifications as settings."""

from __future__ import annotations

import pytest

from model.errors import ConfigError
from model.load import parse
from model.receivers import Email, Receiver, SeverityRoute, Webhook


def test_secrets_are_named_with_their_purpose() -> None:
    """A receiver lists its secrets and what each of them is."""
    data = {"name": "night", "pagerduty": {"routingKeySecret": "key"}, "webhook": {"urlSecret": "hook"}}
    found = parse(Receiver, data, "receiver").secrets()
    assert set(found) == {"key", "hook"}
    assert "night" in found["key"]


@pytest.mark.parametrize("data", [{}, {"url": "http://a", "urlSecret": "b"}])
def test_a_webhook_has_one_address(data: dict[str, str]) -> None:
    """Neither no address nor two are accepted."""
    with pytest.raises(ConfigError, match="either url or urlSecret"):
        parse(Webhook, data, "webhook")


def test_a_receiver_notifies_somehow() -> None:
    """A receiver that reaches nobody would swallow alerts."""
    with pytest.raises(ConfigError, match="receiver 'night' tells nobody"):
        parse(Receiver, {"name": "night"}, "receiver")


@pytest.mark.parametrize(("given", "missing"), [("username", "passwordSecret"), ("passwordSecret", "username")])
def test_a_login_has_user_and_password(given: str, missing: str) -> None:
    """Half a login is refused, at the half that is missing."""
    mail = {"to": "a@b.c", "from": "a@b.c", "smarthost": "m:25"}
    with pytest.raises(ConfigError, match=f"email: {missing}: is required to log in"):
        parse(Email, {**mail, given: "x"}, "email")
    assert parse(Email, {**mail, given: "x", missing: "y"}, "email").smarthost == "m:25"


def test_mail_is_sent_with_tls() -> None:
    """TLS is required unless said otherwise."""
    assert parse(Email, {"to": "a@b.c", "from": "a@b.c", "smarthost": "m:25"}, "email").require_tls


def test_a_route_chooses_by_severity_and_labels() -> None:
    """All that a route says must hold, as Alertmanager's matchers have it."""
    both = parse(SeverityRoute, {"severity": "critical", "labels": {"team": "a b"}, "receiver": "r"}, "route")
    assert both.matchers == ['severity="critical"', 'team="a b"']
    assert parse(SeverityRoute, {"labels": {"team": "a"}, "receiver": "r"}, "route").matchers == ['team="a"']


@pytest.mark.parametrize(
    ("said", "says"),
    [
        ({}, "give severity or labels"),
        ({"labels": {}}, "give severity or labels"),
        ({"severity": "info", "labels": {"severity": "info"}}, "labels.severity: say it once"),
        ({"labels": {"team": 'a"b'}}, "labels.team: .*text without quotes and backslashes"),
        ({"labels": {"team": ""}}, "labels.team"),
    ],
)
def test_a_route_that_says_nothing_is_refused(said: dict[str, object], says: str) -> None:
    """A route for everything would hide those behind it; a value that ends the matcher would be another one."""
    with pytest.raises(ConfigError, match=says):
        parse(SeverityRoute, {"receiver": "r", **said}, "route")
