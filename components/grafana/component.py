"""Grafana: draws everyone's dashboards from everyone's data sources, all of them provisioned from files."""

from __future__ import annotations

from typing import Any

from components.base import build_limits, publish_port
from components.grafana import mixin as pack
from components.grafana.dashboards import build_index, build_stack_dashboard
from components.grafana.documents import (
    build_environment,
    list_datasources,
    list_secret_variables,
    list_tracing_datasources,
    render_documents,
)
from components.grafana.settings import (
    CONFIG_DIR,
    DATA_DIR,
    DATABASE_CA,
    DATABASE_PASSWORD,
    NAME,
    PASSWORD,
    PORT,
    SECRETS,
    START,
    Settings,
)
from model.backups import BackupSource
from model.checks.times import check_dashboards
from model.component import Component, Planned, Planning
from model.dashboard import build_dashboard
from model.dashboard_files import check_source_kinds
from model.errors import Problem
from model.naming import build_scrape_targets
from model.route import Route
from model.secret import Secret
from model.telemetry import DRAWING, RuleGroup, ScrapeJob, SeriesCount, StackRow, Telemetry, name_source_offer
from model.workload import ConfigDir, DataVolume, HttpProbe, Reload, SecretFile, Workload


def build_storage_arguments(own: Settings, context: Planning) -> dict[str, Any]:
    """Where data is kept, as arguments of `Workload`: a volume, or memory where all that must last is elsewhere."""
    if own.database:
        return {"tmpfs": ("/tmp", DATA_DIR)}  # noqa: S108 - inside the container
    return {"volumes": (build_volume(context),)}


def build_volume(context: Planning) -> DataVolume:
    """Where users, preferences and people's own dashboards are kept."""
    return DataVolume(name="grafana-data", path=DATA_DIR, retain=context.settings.retain_data)


def list_backups(own: Settings, context: Planning) -> dict[str, Any]:
    """What of its data is backed up, as arguments of `Telemetry`; with a database elsewhere it has none of its own."""
    if own.database:
        host = own.database.host
        return {"data_elsewhere": (f"Grafana's users and dashboards are in the database at {host}; back that up",)}
    source = BackupSource(
        workload=NAME,
        volume=build_volume(context),
        exclude=(
            "grafana.db-journal",
            "grafana.db-wal",
            "grafana.db-shm",
            "png",
            "png/*",
            "csv",
            "csv/*",
            "log",
            "log/*",
        ),
        sqlite=("grafana.db",) if own.image == NAME else (),
        secrets=(SECRETS["GF_SECURITY_SECRET_KEY"],),
    )
    return {"backups": (source,)}


# -- component -------------------------------------------------------------------------------------------------------


class Grafana(Component[Settings]):
    """Grafana, which draws dashboards."""

    name = NAME
    settings = Settings

    def telemetry(self, own: Settings, context: Planning) -> Telemetry:
        """Grafana is scraped, is reached at the root, and draws dashboards."""
        address, replicas = context.address(NAME, PORT), own.replicas
        return Telemetry(
            offers=(DRAWING, *(name_source_offer(source.uid) for source in list_tracing_datasources(own))),
            rows=(StackRow(title="Grafana", panels=pack.panels(), position=60),),
            scrape=(
                ScrapeJob(
                    name=NAME,
                    series=SeriesCount(target=150),
                    **build_scrape_targets(context, NAME, PORT, replicas=replicas),
                ),
            ),
            rules=(RuleGroup(name=NAME, alerts=pack.alerts(context.system.tune)),),
            **list_backups(own, context),
            routes=(
                Route(name=NAME, prefix="/", url=f"http://{address}", login=False, page="/"),
            ),  # it has a login of its own
        )

    def derived(self, own: Settings, context: Planning, collected: Telemetry) -> Telemetry:
        """The dashboards of the stack itself, and the list of all."""
        specs = (build_stack_dashboard(collected.rows), build_index(context))
        where = "dashboard {}".format
        boards = (build_dashboard(s, folder="Monitoring", tags=["monitoring"], where=where(s.uid)) for s in specs)
        return Telemetry(dashboards=tuple(boards))

    def problems(self, own: Settings, context: Planned) -> list[Problem]:
        """Times that contradict each other, or that Grafana does not take; panels that ask what is not there."""
        kinds = {source.uid: source.kind for source in list_datasources(own, context)}
        boards = [board for board in context.telemetry.dashboards if board.file]
        return [
            *check_dashboards(context, NAME, refresh=own.min_refresh, timeout=own.query_timeout),
            *(problem for board in boards for problem in check_source_kinds(board, kinds)),
        ]

    def secrets(self, own: Settings, context: Planning) -> tuple[Secret, ...]:
        """The administrator's password, and the key that Grafana's database is encrypted with: its default is public.

        The password of a database is somebody else's to make.
        """
        database, oauth = own.database, own.oauth
        client = f"the secret of Grafana's client {oauth.client_id} at {oauth.auth_url}" if oauth else ""
        purpose = f"the password of Grafana's user {database.user} at {database.host}" if database else ""
        return (
            *((Secret(name=DATABASE_PASSWORD, purpose=purpose),) if purpose else ()),
            *((Secret(name=oauth.client_secret, purpose=client),) if oauth else ()),
            Secret(name=PASSWORD, purpose="the password of Grafana's user admin", generate=True),
            Secret(
                name=SECRETS["GF_SECURITY_SECRET_KEY"],
                purpose="the key that Grafana encrypts its database with",
                generate=True,
                permanent="with another key Grafana cannot read what it has encrypted; only an empty database takes"
                " one: `make down`, remove Grafana's data, `pulumi config rm grafana-secret-key`, `make up`",
            ),
        )

    def workloads(self, own: Settings, context: Planned) -> tuple[Workload, ...]:
        """One Grafana with its database on a volume, or as many as are wanted that share one elsewhere."""
        files = render_documents(own, context)
        reload = Reload(
            port=PORT,
            path="/api/admin/provisioning/dashboards/reload",
            basic_auth=("admin", f"/run/secrets/{PASSWORD}"),
        )
        return (
            Workload(
                name=NAME,
                image=own.image,
                limits=build_limits(own, memory=256),
                entrypoint=("/bin/sh", "-ec", START),
                env=build_environment(own, context),
                config=ConfigDir(
                    path=CONFIG_DIR,
                    files=files,
                    reload=reload,
                    restart_on=frozenset({"datasources/datasources.yaml", DATABASE_CA} & files.keys()),
                ),
                secrets=tuple(
                    SecretFile(path=f"/run/secrets/{name}", secret=name) for name in list_secret_variables(own).values()
                ),
                ports=(publish_port(context, NAME, PORT, default=3000),),
                replicas=own.replicas,
                egress="anywhere" if own.database or own.tracing or own.oauth else "stack",
                **build_storage_arguments(own, context),
                probe=HttpProbe(path="/api/health", port=PORT, start_period=90),  # the first start creates the database
            ),
        )
