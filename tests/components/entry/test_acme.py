"""Certificates by ACME: arguments that follow from profile and directory, one store for each, and another order."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from components.entry.acme import RETRY_SECONDS, render_retry_config
from model.plan import Plan
from stack.assemble import ConfigValue
from tests.support.keys import CERTIFICATE
from tests.support.planned import workload
from tests.support.systems import plan_shop

OTHER = "https://ca.example.com/directory"


def plan(folder: Path, environment: str = "prod", **acme: Any) -> Plan:
    """A stack with certificates by ACME."""
    tls = {"mode": "acme", "acme": {"email": "ops@example.com", **acme}}
    given = {"baseUrl": "https://m.example.com", "environment": environment, "tls": json.dumps(tls)}
    return plan_shop(folder, settings={**given, "dns-token": ConfigValue("", secret=True)} if "dns" in acme else given)


def option(made: Plan, key: str) -> str | None:
    """The value of one of the resolver's arguments."""
    start = f"--certificatesresolvers.acme.acme.{key}="
    found = [argument.removeprefix(start) for argument in workload(made, "traefik").args if argument.startswith(start)]
    return found[0] if found else None


@pytest.mark.parametrize(
    ("acme", "hours"),
    [
        ({}, "1536"),
        ({"profile": "classic"}, "1536"),
        ({"profile": "tlsserver"}, "1080"),
        ({"profile": "shortlived"}, "160"),
        ({"directory": OTHER}, "2160"),
        ({"directory": OTHER, "lifetime": "30d"}, "720"),
    ],
)
def test_renewals_follow_from_the_profile(tmp_path: Path, acme: dict[str, Any], hours: str) -> None:
    """Traefik renews by the lifetime that it is given, not by that of the certificate."""
    made = plan(tmp_path, **acme)
    assert option(made, "certificatesduration") == hours
    assert option(made, "profile") == acme.get("profile")


def test_only_production_has_certificates_that_count(tmp_path: Path) -> None:
    """Elsewhere it is Let's Encrypt's staging, unless the settings say otherwise; their stores are two files."""
    found = {
        name: plan(tmp_path / name, environment, **acme)
        for name, environment, acme in (
            ("prod", "prod", {}),
            ("dev", "dev", {}),
            ("said", "dev", {"directory": "production"}),
            ("other", "prod", {"directory": OTHER}),
        )
    }
    assert {name: "staging" in str(option(made, "caserver")) for name, made in found.items()} == {
        "prod": False, "dev": True, "said": False, "other": False,
    }  # fmt: skip
    stores = {name: option(made, "storage") for name, made in found.items()}
    assert stores["prod"] == stores["said"] == "/acme/production.json" and stores["dev"] == "/acme/staging.json"
    assert len(set(stores.values())) == 3


@pytest.mark.parametrize(
    ("acme", "key", "value"),
    [
        ({}, "httpchallenge.entrypoint", "web"),
        ({"challenge": "tls-alpn"}, "tlschallenge", "true"),
        (
            {"challenge": "dns", "dns": {"provider": "cloudflare", "credentials": {"CF_DNS_API_TOKEN": "dns-token"}}},
            "dnschallenge.provider",
            "cloudflare",
        ),
    ],
)
def test_there_is_one_challenge(tmp_path: Path, acme: dict[str, Any], key: str, value: str) -> None:
    """And its credentials are files: the variable names one and holds none."""
    made = plan(tmp_path, **acme)
    assert option(made, key) == value
    challenges = [argument for argument in workload(made, "traefik").args if "challenge" in argument]
    assert len(challenges) == 1
    if "dns" in acme:
        assert workload(made, "traefik").env == {"CF_DNS_API_TOKEN_FILE": "/run/secrets/dns-token"}
        assert "/run/secrets/dns-token" in {file.path for file in workload(made, "traefik").secrets}


def test_the_store_outlives_traefik(tmp_path: Path) -> None:
    """It is on a volume of its own; an authority that is not public is trusted by a document."""
    made = workload(plan(tmp_path, directory=OTHER, caCertificate=CERTIFICATE), "traefik")
    assert [(volume.path, volume.retain) for volume in made.volumes] == [("/acme", True)]
    assert made.config and made.config.files["acme-ca.pem"] == CERTIFICATE
    assert "acme-ca.pem" in made.config.restart_on, "it is read at start alone"


def test_what_was_not_issued_is_ordered_again(tmp_path: Path) -> None:
    """Traefik reads a document that changes, seldom enough for the limit of failed orders; nobody else has it."""
    made = plan(tmp_path)
    retry = workload(made, "traefik-acme-retry")
    assert "--providers.http.endpoint=http://traefik-acme-retry:8080/" in workload(made, "traefik").args
    assert f"date,div({RETRY_SECONDS})" in render_retry_config() and 3600 / RETRY_SECONDS < 5
    assert not [port for port in retry.ports if port.publish]
    assert "traefik-acme-retry" not in {item.name for item in plan_shop(tmp_path / "plain").list_workloads()}
