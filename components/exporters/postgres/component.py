"""postgres-exporter: connections, transactions, locks and slow queries of the system's PostgreSQL databases.

Environment: https://github.com/prometheus-community/postgres_exporter#environment-variables.
"""

from __future__ import annotations

from components.base import build_limits, publish_port
from components.exporters.base import build_scrape_job, find_address, find_databases, name_workload
from components.exporters.postgres import mixin as pack
from model.component import Component, Planned, Planning, SystemRow
from model.dashboard import build_dashboard
from model.secret import Secret
from model.service import Database
from model.settings import ComponentSettings
from model.telemetry import RuleGroup, Telemetry, name_series_offer
from model.workload import HttpProbe, SecretFile, Workload

NAME = "postgres-exporter"
PORT = 9187
KIND = "postgres"
COLLECTORS = ("database_wraparound",)
"""Asked for beside the usual ones: two series for each database, which an alert needs."""
FIXED_IN_VOLUME = (
    "the demo's database reads it only when its volume is new; `make down PURGE=1` removes all data volumes of the"
    " stack, and `make up` makes them again with another password"
)
"""Why the password of a demo's database stays."""


class Settings(ComponentSettings):
    """postgres-exporter."""


def name_password(key: str, database: Database) -> str:
    """Name of the secret that holds the password."""
    return database.password_secret or f"{key}-password"


# -- workload --------------------------------------------------------------------------------------------------------


def build_exporter(own: Settings, context: Planning, key: str, database: Database) -> Workload:
    """The exporter of one database; the password is read from a file."""
    secret = name_password(key, database)
    single = len(find_databases(context, KIND)) == 1
    address = find_address(context, key, database)
    trust = "disable" if context.settings.demo else database.ssl_mode  # stand-ins speak no TLS
    return Workload(
        name=name_workload(context, NAME, KIND, key),
        image="postgres-exporter",
        limits=build_limits(own, memory=64, cpus=0.5),
        args=tuple(f"--collector.{name}" for name in COLLECTORS),
        env={
            "DATA_SOURCE_URI": f"{address}/{database.database}?sslmode={trust}",
            "DATA_SOURCE_USER": database.user,
            "DATA_SOURCE_PASS_FILE": f"/run/secrets/{secret}",
        },
        secrets=(SecretFile(path=f"/run/secrets/{secret}", secret=secret),),
        ports=(publish_port(context, NAME, PORT),) if single else (),
        probe=HttpProbe(path="/", port=PORT),
        after=(database.derive_stand_in_name(key),) if context.settings.demo else (),
        egress="anywhere",
    )


# -- component -------------------------------------------------------------------------------------------------------


class PostgresExporter(Component[Settings]):
    """postgres-exporter, one for each PostgreSQL database."""

    name = NAME
    settings = Settings
    system_rows = (SystemRow(name="postgres", title="PostgreSQL", panels=pack.panels),)

    def telemetry(self, own: Settings, context: Planning) -> Telemetry:
        """Each database's exporter is scraped, with the database's name as a label."""
        if not find_databases(context, KIND):
            return Telemetry()
        return Telemetry(
            offers=(name_series_offer(KIND),),
            scrape=(build_scrape_job(context, NAME, KIND, PORT, series=560),),
            rules=(RuleGroup(name=KIND, alerts=pack.alerts(context.system.tune)),),
            dashboards=(
                build_dashboard(pack.board(), folder="Monitoring", tags=["monitoring"], where="dashboard postgres"),
            ),
        )

    def secrets(self, own: Settings, context: Planning) -> tuple[Secret, ...]:
        """The password of each database; generated for the demo's own databases."""
        demo = context.settings.demo
        return tuple(
            Secret(
                name=name_password(key, database),
                purpose=f"the password of {database.user} on the database {key}",
                generate=demo and database.password_secret is None,
                permanent=FIXED_IN_VOLUME if demo else "",
            )
            for key, database in find_databases(context, KIND).items()
        )

    def workloads(self, own: Settings, context: Planned) -> tuple[Workload, ...]:
        """One exporter per database."""
        return tuple(
            build_exporter(own, context, key, database) for key, database in find_databases(context, KIND).items()
        )
