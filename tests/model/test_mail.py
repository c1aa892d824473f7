"""Mail as settings."""

from __future__ import annotations

from typing import Any

import pytest

from model.errors import ConfigError
from model.load import parse_model
from model.mail import Email, parse_addresses

MAIL = {"to": "a@b.c", "from": "a@b.c", "smarthost": "m:25"}


@pytest.mark.parametrize(("given", "missing"), [("username", "passwordSecret"), ("passwordSecret", "username")])
def test_a_login_has_user_and_password(given: str, missing: str) -> None:
    """Half a login is refused, at the half that is missing."""
    with pytest.raises(ConfigError, match=f"email: {missing}: is required to log in"):
        parse_model(Email, {**MAIL, given: "x"}, "email")
    assert parse_model(Email, {**MAIL, given: "x", missing: "y"}, "email").smarthost == "m:25"


def test_mail_is_sent_with_tls() -> None:
    """TLS is required unless said otherwise; it begins at once on port 465, or where that is said."""
    plain = parse_model(Email, MAIL, "email")
    assert plain.require_tls and not plain.begins_with_tls
    assert parse_model(Email, {**MAIL, "smarthost": "m:465"}, "email").begins_with_tls
    assert parse_model(Email, {**MAIL, "forceImplicitTls": True}, "email").begins_with_tls
    assert not parse_model(Email, {**MAIL, "smarthost": "m:465", "forceImplicitTls": False}, "email").begins_with_tls


def test_several_people_with_names_are_addressed() -> None:
    """A list of addresses, each with or without a name, which may hold a comma in quotes."""
    text = 'a@example.com, Shop team <b@example.com>, "Doe, Ann" <c@example.com>'
    assert parse_addresses(text) == ["a@example.com", "b@example.com", "c@example.com"]
    mail = parse_model(Email, {**MAIL, "to": text, "from": "Monitoring <stack@example.com>"}, "email")
    assert (mail.to, mail.sender) == (text, "Monitoring <stack@example.com>")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"to": "nobody"}, "to: .*'nobody' is no mail address"),
        ({"to": "a@b.c, oh"}, "to: .*'oh' is no mail address"),
        ({"to": "a b@c.d"}, "to: .*no mail address"),
        ({"to": "{{ .CommonLabels.team }}@example.com"}, "to: .*templates are not allowed"),
        ({"from": "a@b.c, d@e.f"}, "from: .*exactly one"),
        ({"smarthost": "mail"}, "smarthost: .*host:port"),
        ({"smarthost": "localhost:25"}, "smarthost: .*the container that asks"),
        (
            {"requireTls": False, "username": "u", "passwordSecret": "p"},
            "requireTls: false sends the password unencrypted",
        ),
        ({"requireTls": False, "tlsConfig": {"serverName": "mail"}}, "tlsConfig: has no effect while requireTls"),
        ({"requireTls": False, "smarthost": "m:465"}, "requireTls: has no effect where TLS begins at once"),
    ],
)
def test_what_would_never_be_sent_is_refused(change: dict[str, Any], says: str) -> None:
    """Addresses that are none, servers that are nowhere, and a password without TLS."""
    with pytest.raises(ConfigError, match=says):
        parse_model(Email, {**MAIL, **change}, "email")
