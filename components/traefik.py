"""Traefik: one entry point for people, which leads to every part of the stack by path prefix, behind TLS and a login.

What it lets in is in `components.entry.routing`, how it gets certificates in `components.entry.acme`. Formats:
https://doc.traefik.io/traefik/reference/static-configuration/cli/ (arguments) and
https://doc.traefik.io/traefik/reference/dynamic-configuration/file/ (routes, watched and reloaded).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from pydantic import Field

from components.base import limits, open_port, published
from components.documents import dump
from components.entry import acme, credentials
from components.entry.routing import SECURE, WEB, config
from model.addresses import HttpOrigin, own_host
from model.base import Name, PortNumber, Strict
from model.component import Component, Planned, Planning, SystemRow
from model.dashboard import build
from model.errors import Problem
from model.naming import scraped
from model.packs import certificates
from model.packs import traefik as pack
from model.places import in_section, setting
from model.scope import OnlyOn
from model.secret import Secret
from model.settings import ComponentSettings
from model.telemetry import EDGE, Opening, Route, RuleGroup, ScrapeJob, SeriesCount, StackRow, Telemetry, series_for
from model.workload import ConfigDir, HttpProbe, Port, Reload, Workload, digest

NAME = "traefik"
PORT, SECURE_PORT = 8080, 8443
"""Plain HTTP, which leads to TLS where that is on, and TLS."""
INTERNAL_PORT = 8082
"""API, health and metrics; not published."""
CONFIG_DIR = "/etc/traefik/dynamic"
ENCODED = ("backslash", "hash", "nullcharacter", "percent", "questionmark", "semicolon", "slash")
"""Characters that no path of ours has encoded; services behind Traefik may decode them in ways of their own."""
MAX_HEADER = 65_536
"""Bytes of all headers of a request; a session's cookies and a long query fit."""
REVISION_PATH = "/revision"
"""Where Traefik says which configuration it runs: neither its metrics nor its API do."""
REVISION_FILE = "revision"
"""The document that holds what is said there."""
LOADED = "X-Loaded"
"""The header of that answer with the time at which it was read, in seconds since the epoch."""
_REVISION = "_revision"
"""Name of its router and middleware, which no route of a user can have."""


class ExtraRoute(Strict):
    """A route of your own, to a service that the stack's network reaches."""

    name: Name
    """Name of the route."""
    prefix: Annotated[str, Field(pattern=r"^/[A-Za-z0-9._~/-]*$")]
    """Path prefix that it claims."""
    url: HttpOrigin
    """Where it leads."""
    strip: bool = False
    """Remove the prefix before the service sees the path."""
    login: bool = True
    """Ask for the stack's login; only a service that has one of its own can do without."""


class Settings(ComponentSettings):
    """Traefik."""

    access_log: bool = False
    """Write a line for every request, as JSON and without credentials; Promtail takes it to Loki."""
    http_port: Annotated[PortNumber | None, OnlyOn("docker")] = None
    """Host port of plain HTTP, which leads to TLS and answers the challenge http; 80 when absent. Without TLS it is
    `port`."""
    routes: tuple[ExtraRoute, ...] = ()
    """Routes beside those of the stack's own parts."""


# -- documents -------------------------------------------------------------------------------------------------------


def documents(context: Planned) -> dict[str, str]:
    """The dynamic configuration, and a digest of it that Traefik itself reports once it runs it.

    Traefik shows nowhere which file it runs, and moves the time of its last reload only when the parsed content
    differs. So the configuration brings a route of its own to the port for health, whose answer carries the digest.
    It also carries the time at which Traefik read the file, which is a template: so each delivery is another content,
    and Traefik reads the files of users and certificates again, which it does not watch.
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
    said = {"X-Revision": revision, LOADED: "{{ now | unixEpoch }}"}
    http["middlewares"][_REVISION] = {"headers": {"customResponseHeaders": said}}
    return {"routes.yml": dump(document), REVISION_FILE: f"X-Revision: {revision}\n", **acme.documents(context)}


def arguments(own: Settings, context: Planning) -> tuple[str, ...]:
    """The static configuration."""
    access = ("--accesslog=true", "--accesslog.format=json") if own.access_log else ()
    return (
        "--global.checknewversion=false",
        "--global.sendanonymoususage=false",
        "--log.level=INFO",
        "--log.nocolor=true",
        *entry_point(context, WEB, PORT),
        *(entry_point(context, SECURE, SECURE_PORT) if context.settings.tls.on else ()),
        f"--entrypoints.internal.address=:{INTERNAL_PORT}",
        "--api=true",
        f"--api.basepath={context.settings.base_path}/traefik",
        "--ping=true",
        "--ping.entrypoint=internal",
        "--metrics.prometheus=true",
        "--metrics.prometheus.entrypoint=internal",
        "--metrics.prometheus.addrouterslabels=true",
        f"--providers.file.filename={CONFIG_DIR}/routes.yml",
        "--providers.file.watch=true",
        *acme.arguments(context, CONFIG_DIR),
        *access,
    )


def entry_point(context: Planning, name: str, port: int) -> tuple[str, ...]:
    """The arguments of an entry point: what a path or a header may hide is refused before any router looks at it.

    Source: https://doc.traefik.io/traefik/security/request-path/ and .../migrate/v3/ (3.6.7, 3.7)
    """
    point, trusted = f"--entrypoints.{name}", context.settings.access.trusted_proxies
    return (
        f"{point}.address=:{port}",
        *(f"{point}.http.encodedcharacters.allowencoded{character}=false" for character in ENCODED),
        f"{point}.http.aliasheadersstrategy=delete",
        f"{point}.http.maxheaderbytes={MAX_HEADER}",
        *((f"{point}.forwardedheaders.trustedips={','.join(trusted)}",) if trusted else ()),
    )


# -- workload --------------------------------------------------------------------------------------------------------


def ports(own: Settings, context: Planning) -> tuple[Port, ...]:
    """What people connect to: TLS and, beside it, plain HTTP that leads there; or plain HTTP alone."""
    settings = context.settings
    if not settings.tls.on:
        return (published(context, NAME, PORT, default=8080),)
    secure = published(context, NAME, SECURE_PORT, name="https", default=settings.port)
    plain = open_port(context, NAME, PORT, host=own.http_port or 80)
    return (replace(secure, outside=443), replace(plain, outside=80))


# -- component -------------------------------------------------------------------------------------------------------


class Traefik(Component[Settings]):
    """Traefik, the entry point for people."""

    name = NAME
    settings = Settings
    system_rows = (SystemRow(name="traefik", title="Traefik", panels=pack.panels),)

    def telemetry(self, own: Settings, context: Planning) -> Telemetry:
        """Traefik is scraped, routes to its own dashboard, and has alerts about failing requests."""
        tune = context.system.tune
        extra = tuple(Route(name=r.name, prefix=r.prefix, url=r.url, strip=r.strip, login=r.login) for r in own.routes)
        return Telemetry(
            offers=(EDGE, series_for("traefik")),
            rows=(StackRow(title="Traefik", panels=pack.panels(), position=100),),
            scrape=(
                ScrapeJob(
                    name=NAME, series=SeriesCount(target=150), **scraped(context, NAME, INTERNAL_PORT, edge=True)
                ),
            ),
            rules=(
                RuleGroup(name="traefik", alerts=(*pack.alerts(tune), *certificates.alerts(tune, context.settings))),
            ),
            dashboards=(build(pack.board(), folder="Monitoring", tags=["monitoring"], where="dashboard traefik"),),
            routes=(Route(name="traefik", prefix="/traefik", url="api@internal", open=(Opening(),)), *extra),
        )

    def problems(self, own: Settings, context: Planned) -> list[Problem]:
        """Settings of TLS where there is none, and links to a port of this host at which nothing listens."""
        found, settings, opened = [], context.settings, ports(own, context)[0].publish
        if own.http_port is not None and not settings.tls.on:
            place = in_section(context.stack, NAME, "httpPort")
            found.append(Problem(place, "has an effect with TLS only; without it plain HTTP is at `port`"))
        if own_host(settings.base_url) and opened not in (
            None,
            settings.port,
        ):  # elsewhere something may stand in between
            message = f"{settings.base_url!r} leads nowhere: Traefik's port on this host is {opened}"
            place = setting(context.stack, "baseUrl")
            found.append(Problem(place, f"{message}; give both the same port (traefik.port)"))
        return found

    def secrets(self, own: Settings, context: Planning) -> tuple[Secret, ...]:
        """What `components.entry.credentials` and `components.entry.acme` say."""
        return (*credentials.secrets(context), *acme.secrets(context))

    def workloads(self, own: Settings, context: Planned) -> tuple[Workload, ...]:
        """One Traefik. Its validator is a second one that reads the new directory for three seconds."""
        secure = context.settings.tls.on
        check = (
            "/usr/local/bin/traefik",
            "--log.level=INFO",
            "--log.nocolor=true",  # else colour codes part what the marker looks for
            "--global.checknewversion=false",
            "--entrypoints.web.address=127.0.0.1:18080",
            *(("--entrypoints.websecure.address=127.0.0.1:18443",) if secure else ()),
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
                args=arguments(own, context),
                env=acme.environment(context),
                secrets=(*credentials.secret_files(context), *acme.secret_files(context)),
                volumes=acme.volumes(context),
                config=ConfigDir(
                    path=CONFIG_DIR,
                    files=documents(context),
                    validate=check,
                    validate_seconds=2,
                    validate_marker='ERR |level=error|"level":"error"',
                    validate_ignore="nonexistent certificate resolver",  # the second one orders nothing
                    reload=Reload(
                        port=INTERNAL_PORT,
                        path=None,
                        report_path=REVISION_PATH,
                        report_file=REVISION_FILE,
                        report_time=LOADED,
                        timeout=15,
                    ),
                    restart_on=frozenset(acme.documents(context)),
                ),
                ports=ports(own, context),
                edge=True,
                host=context.settings.host,
                egress="anywhere",
                probe=HttpProbe(path="/ping", port=INTERNAL_PORT),
            ),
            *acme.retry(context),
        )
