"""The alerts about the entry point's certificate: none without TLS, and by the lifetime that it has."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from model.telemetry import AlertRule
from tests.support.planned import alerts
from tests.support.systems import plan_shop

HOUR, DAY = 3600, 86400


def made(folder: Path, tls: dict[str, Any], group: str = "traefik") -> dict[str, AlertRule]:
    """The alerts of a stack with such TLS."""
    settings = {"baseUrl": "https://m.example.com", "environment": "prod", "tls": json.dumps(tls)}
    return alerts(plan_shop(folder, settings=settings), group)


@pytest.mark.parametrize(
    ("profile", "warning"),
    [("shortlived", 44 * HOUR), ("tlsserver", 9 * DAY), ("classic", 9 * DAY)],
)
def test_two_looks_may_fail(tmp_path: Path, profile: str, warning: float) -> None:
    """Six-day certificates do not cry for all of their life, and ninety-day ones not after their end."""
    found = made(tmp_path, {"mode": "acme", "acme": {"email": "a@example.com", "profile": profile}})
    assert found["TraefikTLSCertificatesExpiringSoon"].limit == warning
    assert (found["TraefikTLSCertificatesExpiring"].limit or 0) < warning
    assert found["TraefikCertificateMissing"].severity == "critical"


def test_without_tls_there_are_none(tmp_path: Path) -> None:
    """Nothing is renewed there."""
    assert not [name for name in alerts(plan_shop(tmp_path), "traefik") if "Certificate" in name]


def test_an_authority_that_does_not_answer_is_noticed(tmp_path: Path) -> None:
    """Before the certificate ends: its directory is probed."""
    found = made(tmp_path, {"mode": "acme", "acme": {"email": "a@example.com"}}, "probes")
    assert "AcmeDirectoryUnreachable" in found
    assert "AcmeDirectoryUnreachable" not in made(tmp_path / "b", {"mode": "internal"}, "probes")
