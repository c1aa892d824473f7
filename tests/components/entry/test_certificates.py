"""The alerts about the entry point's certificate: none without TLS, and by the lifetime that it has."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cli.drawn import list_panels
from components.entry import certificates
from model.base import DAY, HOUR
from model.plan import Plan
from model.telemetry import AlertRule
from tests.conftest import Proves
from tests.support.boards import shows_troubles
from tests.support.planned import alerts
from tests.support.systems import plan_shop


def plan_with(folder: Path, tls: dict[str, Any]) -> Plan:
    """The plan of a stack with such TLS."""
    settings = {"baseUrl": "https://m.example.com", "environment": "prod", "tls": json.dumps(tls)}
    return plan_shop(folder, settings=settings)


def made(folder: Path, tls: dict[str, Any], group: str = "traefik") -> dict[str, AlertRule]:
    """The alerts of a stack with such TLS."""
    return alerts(plan_with(folder, tls), group)


def list_titles(plan: Plan) -> list[str]:
    """The titles of the panels of Traefik's dashboard."""
    (board,) = (board for board in plan.telemetry.dashboards if board.uid == "traefik")
    return [panel["title"] for panel in list_panels(board.model)]


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


def test_its_end_is_drawn(tmp_path: Path, proves: Proves) -> None:
    """With TLS, in the colours of the alerts; without there is neither an end nor an empty panel."""
    plan = plan_with(tmp_path, {"mode": "internal"})
    (panel,) = certificates.panels(plan.settings)
    found = alerts(plan, "traefik")
    ending = [found[f"TraefikTLSCertificates{name}"] for name in ("Expiring", "ExpiringSoon")]
    assert [step.value for step in panel.thresholds] == [alert.limit for alert in ending]
    assert panel.title in list_titles(plan)
    shows_troubles(proves, ending, [panel])
    assert panel.title not in list_titles(plan_shop(tmp_path / "plain"))
