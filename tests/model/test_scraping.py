"""How a service is asked for its metrics: what the system says for all, and a service otherwise."""

from __future__ import annotations

from typing import Any

import pytest

from model.errors import ConfigError
from model.load import parse_model
from model.scraping import RESERVED, USUAL, Scrape

PEM = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
LOGIN = {"username": "prometheus", "passwordSecret": "metrics-password"}


def read(**keys: Any) -> Scrape:
    """The model of these keys."""
    return parse_model(Scrape, keys, "scrape")


def test_a_service_that_says_nothing_is_asked_as_all_are() -> None:
    """And with neither saying anything, plainly."""
    every = read(scheme="https", basicAuth=LOGIN)
    assert every.complete(USUAL) is every and USUAL.complete(read()) == USUAL


def test_a_service_says_what_is_otherwise() -> None:
    """Key by key; a login of another kind and another protocol leave nothing of what they stand in for."""
    every = read(scheme="https", tls={"caCertificate": PEM}, basicAuth=LOGIN, params={"format": ["prometheus"]})
    token = every.complete(read(scheme="https", bearerTokenSecret="token"))
    assert (token.basic_auth, token.bearer_token_secret, token.tls, token.params) == (
        None, "token", every.tls, every.params,
    )  # fmt: skip
    plain = every.complete(Scrape.model_validate({"scheme": "http"}))
    assert (plain.scheme, plain.tls, plain.basic_auth) == ("http", None, every.basic_auth)
    assert read(bearerTokenSecret="token").complete(read(basicAuth=LOGIN)).bearer_token_secret is None


def test_secrets_are_named() -> None:
    """The password's or the token's, and none where there is no login."""
    assert read(basicAuth=LOGIN).list_secrets() == ("metrics-password",)
    assert read(bearerTokenSecret="token").list_secrets() == ("token",)
    assert USUAL.list_secrets() == ()


@pytest.mark.parametrize(
    ("keys", "key", "says"),
    [
        ({"basicAuth": LOGIN, "bearerTokenSecret": "token"}, "bearerTokenSecret", "a request has one login"),
        ({"scheme": "https", "tls": {"unverifiedBecause": "it is a test", "caCertificate": PEM}},
         "tls.caCertificate", "has no effect on what is not verified"),
        ({"scheme": "https", "tls": {"unverifiedBecause": "so"}}, "tls.unverifiedBecause", "10 characters"),
        ({"headers": {"Authorization": "x"}}, "headers.Authorization", "Prometheus sets itself"),
        ({"scheme": "https", "tls": {"caCertificate": "/etc/ca.pem"}}, "tls.caCertificate", "the PEM text"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused(keys: dict[str, Any], key: str, says: str) -> None:
    """With the key, and what would be right."""
    with pytest.raises(ConfigError) as error:
        read(**keys)
    assert f"scrape.{key}: " in str(error.value).replace("scrape: ", "scrape.") and says in str(error.value)


def test_plain_http_has_no_certificate_to_verify() -> None:
    """A system may say how to verify those of its services that are https, and a service what the system does not."""
    tls = {"serverName": "api.internal"}
    assert read(tls=tls).complete(read()).tls is None
    assert read(tls=tls).complete(read(scheme="https")).tls == read(tls=tls).tls
    assert read(scheme="https").complete(read(tls=tls)).tls == read(tls=tls).tls


def test_reserved_headers_are_written_small() -> None:
    """As they are compared."""
    assert {name.lower() for name in RESERVED} == RESERVED
