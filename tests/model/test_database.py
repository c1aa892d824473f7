"""Databases as settings: complete trust by default, in the words of each kind."""

from __future__ import annotations

from typing import Any

import pytest

from model.database import SSL_MODES, Database
from model.errors import ConfigError
from model.load import parse_model


def database(**more: object) -> Database:
    """A database with something said about it."""
    return parse_model(Database, {"type": "postgres", "host": "db:5432", **more}, "x")


@pytest.mark.parametrize(("kind", "mode"), [("postgres", "verify-full"), ("mysql", "true")])
def test_certificates_are_verified_unless_said_otherwise(kind: str, mode: str) -> None:
    """The default is the strictest that the kind knows."""
    assert database(type=kind).trust == mode == SSL_MODES[kind][0]


def test_a_mode_may_be_said() -> None:
    """It is handed on as it is."""
    assert database(sslMode="require").trust == "require"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"sslMode": "verify_full"}, "sslMode: 'verify_full' is not known to postgres; did you mean 'verify-full'?"),
        (
            {"type": "mysql", "sslMode": "require"},
            "'require' is not known to mysql; valid are: false, skip-verify, true",
        ),
        ({"type": "sqlite3"}, '"sqlite3" is not known; valid are'),
        ({"host": "db"}, "must be a host and a port"),
        ({"name": "a b"}, '"a b": must be letters, digits and the signs'),
        ({"caCertificate": "/etc/ca.pem"}, '"/etc/ca.pem": must be the PEM text of a certificate'),
    ],
)
def test_nonsense_is_refused(given: dict[str, Any], words: str) -> None:
    """Each with the value and what would be right."""
    with pytest.raises(ConfigError) as caught:
        database(**given)
    assert words in str(caught.value)


def test_grafana_is_given_all_but_the_password() -> None:
    """The path of a certificate is there only with one."""
    database = Database(type="mysql", host="db.internal:3306")
    assert database.build_environment("/ca.pem") == {
        "GF_DATABASE_TYPE": "mysql",
        "GF_DATABASE_HOST": "db.internal:3306",
        "GF_DATABASE_NAME": "grafana",
        "GF_DATABASE_USER": "grafana",
        "GF_DATABASE_SSL_MODE": "true",
    }
    trusting = database.model_copy(update={"ca_certificate": "PEM"})
    assert trusting.build_environment("/ca.pem")["GF_DATABASE_CA_CERT_PATH"] == "/ca.pem"
