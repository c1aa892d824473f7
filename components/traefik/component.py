"""Traefik: one entry point for people, which leads to every part of the stack, behind TLS and a login."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from components.base import build_limits, open_port, publish_port
from components.entry import acme, certificates, credentials
from components.traefik import mixin as pack
from components.traefik.documents import list_arguments, render_documents
from components.traefik.settings import (
    CONFIG_DIR,
    INTERNAL_PORT,
    LOADED,
    NAME,
    PORT,
    REVISION_FILE,
    REVISION_PATH,
    SECURE_PORT,
    Settings,
)
from model.addresses import is_own_host
from model.backups import BackupSource
from model.component import Component, Planned, Planning, SystemRow
from model.dashboard import build_dashboard
from model.errors import Problem
from model.host_ports import locate_host_port
from model.naming import build_scrape_targets
from model.places import locate_in_section, locate_setting
from model.route import Opening, Route
from model.secret import Secret
from model.telemetry import EDGE, RuleGroup, ScrapeJob, SeriesCount, StackRow, Telemetry, name_series_offer
from model.workload import ConfigDir, HttpProbe, Port, Reload, Workload


def list_ports(own: Settings, context: Planning) -> tuple[Port, ...]:
    """What people connect to: TLS and, beside it, plain HTTP that leads there; or plain HTTP alone."""
    settings = context.settings
    if not settings.tls.on:
        return (publish_port(context, NAME, PORT, default=8080),)
    secure = publish_port(context, NAME, SECURE_PORT, name="https", default=settings.port)
    plain = open_port(context, NAME, PORT, host=own.http_port or 80)
    return (replace(secure, outside=443), replace(plain, outside=80))


def list_extra_routes(own: Settings) -> tuple[Route, ...]:
    """The routes to people's own applications."""
    return tuple(
        Route(name=r.name, prefix=r.prefix, url=r.url, strip=r.strip, login=r.login, page=r.prefix) for r in own.routes
    )


def check_routes(own: Settings, context: Planned) -> Iterator[Problem]:
    """Routes of people that have the name or prefix of a route of the stack, or of one before them."""
    extra = list_extra_routes(own)
    known = [route for route in context.telemetry.routes if route not in extra]
    for number, wanted in enumerate(extra):
        for part in ("name", "prefix"):
            value = getattr(wanted, part)
            if other := next((each for each in known if getattr(each, part) == value), None):
                where = locate_in_section(context.stack, NAME, f"routes[{number}].{part}")
                message = f"{value!r} is that of the route {other.name} already; choose another"
                yield Problem(where, message, taken=value)
        known.append(wanted)


# -- component -------------------------------------------------------------------------------------------------------


class Traefik(Component[Settings]):
    """Traefik, the entry point for people."""

    name = NAME
    settings = Settings
    system_rows = (SystemRow(name="traefik", title="Traefik", panels=pack.panels),)

    def telemetry(self, own: Settings, context: Planning) -> Telemetry:
        """Traefik is scraped, routes to its own dashboard, and has alerts about failing requests."""
        tune = context.system.tune
        return Telemetry(
            offers=(EDGE, name_series_offer("traefik")),
            backups=tuple(BackupSource(workload=NAME, volume=volume) for volume in acme.list_volumes(context)),
            rows=(StackRow(title="Traefik", panels=pack.panels(), position=100),),
            scrape=(
                ScrapeJob(
                    name=NAME,
                    series=SeriesCount(target=150),
                    **build_scrape_targets(context, NAME, INTERNAL_PORT, exposed=True),
                ),
            ),
            rules=(
                RuleGroup(name="traefik", alerts=(*pack.alerts(tune), *certificates.alerts(tune, context.settings))),
            ),
            dashboards=(
                build_dashboard(
                    pack.board(certificates.panels(context.settings)),
                    folder="Monitoring",
                    tags=["monitoring"],
                    where="dashboard traefik",
                ),
            ),
            routes=(
                Route(
                    name="traefik", prefix="/traefik", url="api@internal", open=(Opening(),), page="/traefik/dashboard/"
                ),
                *list_extra_routes(own),
            ),
        )

    def problems(self, own: Settings, context: Planned) -> list[Problem]:
        """Settings of TLS where there is none, and links to a port of this host at which nothing listens."""
        problems, settings, opened = [], context.settings, list_ports(own, context)[0].publish
        if own.http_port is not None and not settings.tls.on:
            setting_path = locate_in_section(context.stack, NAME, "httpPort")
            problems.append(Problem(setting_path, "has an effect with TLS only; without it plain HTTP is at `port`"))
        if is_own_host(settings.base_url) and opened not in (
            None,
            settings.port,
        ):  # elsewhere something may stand in between
            message = f"{settings.base_url!r} leads nowhere: Traefik's port on this host is {opened}"
            setting_path = locate_setting(context.stack, "baseUrl")
            key = locate_host_port(context.stack, own, context.system, NAME, opened)
            problems.append(Problem(setting_path, f"{message}; give both the same port ({key})"))
        return [*problems, *check_routes(own, context)]

    def secrets(self, own: Settings, context: Planning) -> tuple[Secret, ...]:
        """What `components.entry.credentials` and `components.entry.acme` say."""
        return (*credentials.list_secrets(context), *acme.list_secrets(context))

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
                limits=build_limits(own, memory=128),
                entrypoint=("/usr/local/bin/traefik",),
                args=list_arguments(own, context),
                env=acme.build_environment(context),
                secrets=(*credentials.list_secret_files(context), *acme.list_secret_files(context)),
                volumes=acme.list_volumes(context),
                config=ConfigDir(
                    path=CONFIG_DIR,
                    files=render_documents(context),
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
                    restart_on=frozenset(acme.render_documents(context)),
                ),
                ports=list_ports(own, context),
                exposed=True,
                host=context.settings.host,
                egress="anywhere",
                probe=HttpProbe(path="/ping", port=INTERNAL_PORT),
            ),
            *acme.build_retry_workload(context),
        )
