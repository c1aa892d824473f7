"""Traefik: one entry point for people, which leads to every part of the stack by path prefix.

Formats: https://doc.traefik.io/traefik/reference/static-configuration/cli/ (arguments) and
https://doc.traefik.io/traefik/reference/dynamic-configuration/file/ (routes, watched and reloaded).
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from components.base import MonitoringComponent, limits, published
from components.documents import dump
from model.base import Elsewhere, Name, Strict
from model.dashboard import build
from model.naming import scraped
from model.packs import traefik as pack
from model.plan import Context, Secret
from model.settings import ComponentSettings
from model.telemetry import EDGE, Route, RuleGroup, ScrapeJob, Telemetry, series_for
from model.workload import ConfigDir, HttpProbe, Reload, Workload, digest

NAME = "traefik"
PORT = 8080
INTERNAL_PORT = 8082
"""API, health and metrics; not published."""
CONFIG_DIR = "/etc/traefik/dynamic"
REVISION_PATH = "/revision"
"""Where Traefik says which configuration it runs: neither its metrics nor its API do."""
REVISION_FILE = "revision"
"""The document that holds what is said there."""
_REVISION = "_revision"
"""Name of its router and middleware, which no route of a user can have."""


class ExtraRoute(Strict):
    """A route of your own, to a service that the stack's network reaches."""

    name: Name
    """Name of the route."""
    prefix: Annotated[str, Field(pattern=r"^/[A-Za-z0-9._~/-]*$")]
    """Path prefix that it claims."""
    url: Annotated[str, Field(pattern=r"^https?://[^\s/]+$", examples=["http://api:4000"]), Elsewhere]
    """Where it leads."""
    strip: bool = False
    """Remove the prefix before the service sees the path."""


class Settings(ComponentSettings):
    """Traefik."""

    access_log: bool = False
    """Write a line for every request."""
    routes: tuple[ExtraRoute, ...] = ()
    """Routes beside those of the stack's own parts."""


# -- documents -------------------------------------------------------------------------------------------------------


def config(context: Context) -> dict[str, Any]:
    """The dynamic configuration as a dict: a router and a service for each route, and what they share."""
    routes = [route for route in context.telemetry.routes if not route.url.startswith("api@")]
    routers = {route.name: router(route) for route in context.telemetry.routes}
    middlewares: dict[str, Any] = {"security-headers": {"headers": headers(context)}}
    middlewares |= {f"strip-{r.name}": {"stripPrefix": {"prefixes": [r.prefix]}} for r in routes if r.strip}
    services = {route.name: {"loadBalancer": {"servers": [{"url": route.url}]}} for route in routes}
    return {"http": {"routers": routers, "middlewares": middlewares, "services": services}}


def documents(context: Context) -> dict[str, str]:
    """The dynamic configuration, and a digest of it that Traefik itself reports once it runs it.

    Traefik shows nowhere which file it runs, and moves the time of its last reload only when the parsed content
    differs. So the configuration brings a route of its own to the port for health, whose answer carries the digest.
    """
    document = config(context)
    revision = f"r-{digest(document)}"  # digits alone, or with an e among them, would be read as a number
    http = document["http"]
    http["routers"][_REVISION] = {
        "entryPoints": ["internal"],
        "rule": f"Path(`{REVISION_PATH}`)",
        "service": "ping@internal",
        "middlewares": [_REVISION],
    }
    http["middlewares"][_REVISION] = {"headers": {"customResponseHeaders": {"X-Revision": revision}}}
    return {"routes.yml": dump(document), REVISION_FILE: f"X-Revision: {revision}\n"}


def router(route: Route) -> dict[str, Any]:
    """One router: longer prefixes win over shorter ones."""
    internal = route.url.startswith("api@")
    middlewares = ["security-headers", *([f"strip-{route.name}"] if route.strip else [])]
    return {
        "entryPoints": ["web"],
        "rule": f"PathPrefix(`{route.prefix}`)",
        "priority": len(route.prefix) * 10,
        "service": route.url if internal else route.name,
        "middlewares": middlewares,
    }


def headers(context: Context) -> dict[str, Any]:
    """Headers that browsers honour: no sniffing, no framing by others, no leaking of addresses."""
    found: dict[str, Any] = {
        "contentTypeNosniff": True,
        "customFrameOptionsValue": "SAMEORIGIN",
        "referrerPolicy": "same-origin",
    }
    if context.settings.base_url.startswith("https:"):
        found["stsSeconds"] = 31_536_000  # a year, the least that preload lists accept
    return found


def arguments(own: Settings) -> tuple[str, ...]:
    """The static configuration."""
    access = ("--accesslog=true", "--accesslog.format=json") if own.access_log else ()
    return (
        "--global.checknewversion=false",
        "--global.sendanonymoususage=false",
        "--log.level=INFO",
        "--log.nocolor=true",
        f"--entrypoints.web.address=:{PORT}",
        f"--entrypoints.internal.address=:{INTERNAL_PORT}",
        "--api=true",
        "--api.basepath=/traefik",
        "--ping=true",
        "--ping.entrypoint=internal",
        "--metrics.prometheus=true",
        "--metrics.prometheus.entrypoint=internal",
        "--metrics.prometheus.addrouterslabels=true",
        f"--providers.file.filename={CONFIG_DIR}/routes.yml",
        "--providers.file.watch=true",
        *access,
    )


# -- telemetry -------------------------------------------------------------------------------------------------------


def telemetry(context: Context) -> Telemetry:
    """Traefik is scraped, routes to its own dashboard, and has alerts about failing requests."""
    own = context.own(Settings)
    extra = tuple(Route(name=r.name, prefix=r.prefix, url=r.url, strip=r.strip) for r in own.routes)
    return Telemetry(
        offers=(EDGE, series_for("traefik")),
        scrape=(ScrapeJob(name=NAME, **scraped(context, NAME, INTERNAL_PORT, edge=True)),),
        rules=(RuleGroup(name="traefik", alerts=pack.alerts(context.system.tune)),),
        dashboards=(build(pack.board(), folder="Monitoring", tags=["monitoring"], where="dashboard traefik"),),
        routes=(Route(name="traefik", prefix="/traefik", url="api@internal"), *extra),
    )


# -- workload --------------------------------------------------------------------------------------------------------


def secrets(context: Context) -> tuple[Secret, ...]:
    """Traefik needs none without TLS."""
    return ()


def workloads(context: Context) -> tuple[Workload, ...]:
    """One Traefik. Its validator is a second one that reads the new directory for three seconds."""
    own = context.own(Settings)
    check = (
        "/usr/local/bin/traefik",
        "--log.level=INFO",
        "--log.nocolor=true",  # else colour codes part what the marker looks for
        "--global.checknewversion=false",
        "--entrypoints.web.address=127.0.0.1:18080",
        "--entrypoints.internal.address=127.0.0.1:18082",
        "--api=true",
        "--api.basepath=/traefik",
        "--ping=true",
        "--ping.entrypoint=internal",
        "--providers.file.filename={dir}/routes.yml",
        "--providers.file.watch=false",
    )
    return (
        Workload(
            name=NAME,
            image="traefik",
            limits=limits(own, memory=128),
            entrypoint=("/usr/local/bin/traefik",),
            args=arguments(own),
            config=ConfigDir(
                path=CONFIG_DIR,
                files=documents(context),
                validate=check,
                validate_seconds=2,
                validate_marker='ERR |level=error|"level":"error"',
                reload=Reload(
                    port=INTERNAL_PORT, path=None, report_path=REVISION_PATH, report_file=REVISION_FILE, timeout=15
                ),
            ),
            ports=(published(context, NAME, PORT, default=8080),),
            edge=True,
            host=context.settings.host,
            egress="anywhere",
            probe=HttpProbe(path="/ping", port=INTERNAL_PORT),
        ),
    )


# -- resource --------------------------------------------------------------------------------------------------------


class Traefik(MonitoringComponent):
    """Traefik as a ComponentResource."""


Resource = Traefik
