"""Traefik's documents: a router for each route."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NoReturn

import pytest

from tests.support.planned import document, workload
from tests.support.systems import plan_shop


def fail() -> NoReturn:
    """There is none."""
    pytest.fail("Traefik has documents and reloads them")


def test_every_route_has_a_router(tmp_path: Path) -> None:
    """Each part of the stack is reached below its prefix, longer prefixes first."""
    routers = document(plan_shop(tmp_path), "traefik", "routes.yml")["http"]["routers"]
    assert {"grafana", "prometheus", "alertmanager", "loki", "traefik"} <= routers.keys()
    assert " && PathPrefix(`/prometheus`) && " in routers["prometheus"]["rule"]
    assert routers["prometheus"]["priority"] > routers["grafana"]["priority"]


def test_own_routes_can_strip_their_prefix(tmp_path: Path) -> None:
    """A route of one's own leads to its service, without its prefix where asked."""
    route = {"name": "api", "prefix": "/shop", "url": "http://api:4000", "strip": True}
    found = document(
        plan_shop(tmp_path, settings={"traefik": json.dumps({"routes": [route]})}), "traefik", "routes.yml"
    )["http"]
    assert "strip-api" in found["routers"]["api"]["middlewares"]
    assert found["middlewares"]["strip-api"] == {"stripPrefix": {"prefixes": ["/shop"]}}
    assert found["services"]["api"]["loadBalancer"]["servers"] == [{"url": "http://api:4000"}]


def test_strict_transport_security_only_with_https(tmp_path: Path) -> None:
    """Browsers are told to insist on HTTPS only where the stack is reached by it."""
    plain = document(plan_shop(tmp_path), "traefik", "routes.yml")
    secure = document(plan_shop(tmp_path, settings={"baseUrl": "https://m.example.com"}), "traefik", "routes.yml")
    assert "stsSeconds" not in plain["http"]["middlewares"]["security-headers"]["headers"]
    assert secure["http"]["middlewares"]["security-headers"]["headers"]["stsSeconds"] >= 31_536_000


def test_it_reports_which_routes_it_runs(tmp_path: Path) -> None:
    """Its answer at the internal port carries what the revision document holds, and both change with the routes."""
    plan, other = plan_shop(tmp_path), plan_shop(tmp_path, settings={"baseUrl": "https://m.example.com"})
    reload = (workload(plan, "traefik").config or fail()).reload or fail()
    said = {}
    for each in (plan, other):
        http = document(each, "traefik", "routes.yml")["http"]
        (name,) = [name for name, router in http["routers"].items() if router["entryPoints"] == ["internal"]]
        assert http["routers"][name]["rule"] == f"Path(`{reload.report_path}`)"
        header, time = http["middlewares"][name]["headers"]["customResponseHeaders"].items()
        assert time == (reload.report_time, "{{ now | unixEpoch }}"), (
            "the time of loading, which each delivery waits for"
        )
        said[": ".join(header)] = (workload(each, "traefik").config or fail()).files[str(reload.report_file)].strip()
    assert len(said) == 2
    assert all(header == text for header, text in said.items())
