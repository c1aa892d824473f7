"""Traefik's routers and middlewares: by name of the host, below the path of the base URL, behind a login."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.planned import document
from tests.support.systems import plan_shop


def routes(folder: Path, **settings: Any) -> Any:
    """The dynamic configuration with these settings."""
    texts = {key: value if isinstance(value, str) else json.dumps(value) for key, value in settings.items()}
    return document(plan_shop(folder, settings=texts), "traefik", "routes.yml")


def for_people(found: Any) -> dict[str, Any]:
    """The routers that people reach."""
    return {name: router for name, router in found["http"]["routers"].items() if router["entryPoints"] != ["internal"]}


def test_all_but_grafana_asks_for_a_login(tmp_path: Path) -> None:
    """Which has its own; a router of one's own asks too, unless it says that its service does."""
    own = [
        {"name": "api", "prefix": "/shop", "url": "http://api:4000"},
        {"name": "wiki", "prefix": "/wiki", "url": "http://wiki:80", "login": False},
    ]
    found = for_people(routes(tmp_path, traefik={"routes": own}))
    assert {name for name, router in found.items() if "login" not in router["middlewares"]} == {"grafana", "wiki"}
    for router in found.values():
        used = router["middlewares"]
        assert "login" not in used or used.index("rate-limit") < used.index("login"), "guesses are limited first"


def test_every_router_names_its_host(tmp_path: Path) -> None:
    """Else no certificate is ordered, and pages of other names could lead here; loopback has several names."""
    named = for_people(routes(tmp_path / "a", baseUrl="https://m.example.com"))
    assert all(router["rule"].startswith("Host(`m.example.com`)") for router in named.values())
    own = for_people(routes(tmp_path / "b"))
    start = "(Host(`127.0.0.1`) || Host(`localhost`) || Host(`::1`))"
    assert all(router["rule"].startswith(start) for router in own.values())


def test_what_is_not_open_is_closed(tmp_path: Path) -> None:
    """A path that no router opens does not fall through to Grafana: it is refused, after the login."""
    found = routes(tmp_path)["http"]
    closed = {name: router for name, router in found["routers"].items() if name.endswith("_closed")}
    assert {"prometheus_closed", "alertmanager_closed", "loki_closed", "traefik_closed"} == closed.keys()
    for name, router in closed.items():
        assert router["middlewares"][-2:] == ["login", "closed"]
        assert router["priority"] < found["routers"][name.removesuffix("_closed")]["priority"]
    assert found["middlewares"]["closed"] == {"ipAllowList": {"sourceRange": ["255.255.255.255/32"]}}


def test_the_base_url_may_have_a_path(tmp_path: Path) -> None:
    """Everything lies below it; services do not see it, but for those that write links by it."""
    found = routes(tmp_path, baseUrl="https://tools.example.com/monitoring", jaeger={"enabled": True})["http"]
    rules = {name: router["rule"] for name, router in found["routers"].items()}
    assert "PathPrefix(`/monitoring/prometheus`)" in rules["prometheus"]
    assert "PathPrefix(`/monitoring/prometheus/-/quit`)" in rules["prometheus"]
    assert rules["grafana"].endswith("PathPrefix(`/monitoring`)")
    assert found["middlewares"]["strip-base"] == {"stripPrefix": {"prefixes": ["/monitoring"]}}
    stripped = {name for name, router in found["routers"].items() if "strip-base" in router["middlewares"]}
    assert stripped == {"grafana", "prometheus", "alertmanager", "loki"}


def test_tls_is_for_all_and_http_leads_there(tmp_path: Path) -> None:
    """But for the challenge, which Traefik answers before any router; ciphers have forward secrecy."""
    found = routes(tmp_path, baseUrl="https://m.example.com:8443", tls={"mode": "internal"})
    routers = for_people(found)
    plain = {name for name, router in routers.items() if router["entryPoints"] == ["web"]}
    assert plain == {"_redirect"}
    assert all("tls" in router for name, router in routers.items() if name not in plain)
    redirect = {"scheme": "https", "permanent": True, "port": "8443"}
    assert found["http"]["middlewares"]["redirect"] == {"redirectScheme": redirect}
    options = found["tls"]["options"]["default"]
    assert options["minVersion"] == "VersionTLS12"
    assert all("ECDHE" in suite and "CBC" not in suite for suite in options["cipherSuites"])
    assert found["tls"]["stores"]["default"]["defaultCertificate"]["certFile"] == "/run/secrets/traefik-certificate"


def test_trusted_proxies_say_who_asks(tmp_path: Path) -> None:
    """Each address has its own share of requests; behind a proxy it is the one that this names."""
    limits = [
        routes(tmp_path / str(number), access=access)["http"]["middlewares"]["rate-limit"]["rateLimit"]
        for number, access in enumerate(({}, {"trustedProxies": ["10.0.0.0/8"]}))
    ]
    assert "sourceCriterion" not in limits[0]
    assert limits[1]["sourceCriterion"] == {"ipStrategy": {"excludedIPs": ["10.0.0.0/8"]}}


@pytest.mark.parametrize(("silences", "opens"), [(False, False), (True, True)])
def test_silences_have_to_be_granted(tmp_path: Path, *, silences: bool, opens: bool) -> None:
    """They are for those who sign in only where the settings say so."""
    rule = routes(tmp_path, access={"silences": silences})["http"]["routers"]["alertmanager"]["rule"]
    assert ("/api/v2/silences" in rule) is opens
