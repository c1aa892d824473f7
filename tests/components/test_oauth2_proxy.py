"""oauth2-proxy: only where people sign in at a provider; secrets are files; Traefik asks it about every request."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from model.plan import Plan
from stack.assemble import ConfigValue
from tests.support.planned import document, scraped_as, workload
from tests.support.systems import plan_shop

SECRET = ConfigValue("", secret=True)


def planned(folder: Path, base: str = "https://m.example.com", **oidc: Any) -> Plan:
    """A stack whose people sign in at a provider."""
    provider = {
        "issuer": "https://login.example.com",
        "clientId": "monitoring",
        "emailDomains": ["example.com"],
        **oidc,
    }
    settings: dict[str, str | ConfigValue] = {
        "baseUrl": base,
        "tls": '{"mode": "internal"}',
        "access": json.dumps({"login": "oidc", "oidc": provider}),
        "oidc-client-secret": SECRET,
    }
    return plan_shop(folder, settings=settings)


def test_it_runs_where_it_is_needed(tmp_path: Path) -> None:
    """With passwords there is none."""
    assert "oauth2-proxy" not in plan_shop(tmp_path / "a").workloads
    plan = planned(tmp_path / "b")
    scraped_as(plan, "oauth2-proxy")
    assert not any(port.publish for port in workload(plan, "oauth2-proxy").ports)


def test_secrets_are_files(tmp_path: Path) -> None:
    """Of the client and of the cookies, whose key is generated with a length that AES takes."""
    plan = planned(tmp_path)
    made = workload(plan, "oauth2-proxy")
    assert {file.path for file in made.secrets} == {
        "/run/secrets/oidc-client-secret",
        "/run/secrets/oidc-cookie-secret",
    }
    assert plan.secrets["oidc-cookie-secret"].generate and plan.secrets["oidc-cookie-secret"].length == 32
    assert "--client-secret-file=/run/secrets/oidc-client-secret" in made.args


@pytest.mark.parametrize("path", ["", "/monitoring"])
def test_the_provider_leads_back(tmp_path: Path, path: str) -> None:
    """To a path that Traefik leads to it without a login."""
    plan = planned(tmp_path, base=f"https://m.example.com{path}")
    args = workload(plan, "oauth2-proxy").args
    assert f"--redirect-url=https://m.example.com{path}/oauth2/callback" in args
    assert f"--proxy-prefix={path}/oauth2" in args
    http = document(plan, "traefik", "routes.yml")["http"]
    router = http["routers"]["oauth2-proxy"]
    assert f"PathPrefix(`{path}/oauth2`)" in router["rule"] and "login" not in router["middlewares"]
    assert http["middlewares"]["login"]["forwardAuth"]["address"] == "http://oauth2-proxy:4180/"
    assert "login" in http["routers"]["prometheus"]["middlewares"]


def test_who_may_come_in_is_said(tmp_path: Path) -> None:
    """By domain of the address, by group, or both."""
    args = workload(planned(tmp_path, groups=["ops"]), "oauth2-proxy").args
    assert "--email-domain=example.com" in args and "--allowed-group=ops" in args
