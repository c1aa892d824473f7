"""redis-exporter: operations, memory, clients and slow log of the system's Redis databases.

Flags: https://github.com/oliver006/redis_exporter#command-line-flags.
"""

from __future__ import annotations

from components.base import build_limits, publish_port
from components.exporters.base import build_scrape_job, find_address, find_databases, name_workload
from components.exporters.redis import mixin as pack
from model.component import Component, Planned, Planning, SystemRow
from model.dashboard import build_dashboard
from model.secret import Secret
from model.service import Database
from model.settings import ComponentSettings
from model.telemetry import RuleGroup, Telemetry, name_series_offer
from model.workload import HttpProbe, SecretFile, Workload

NAME = "redis-exporter"
PORT = 9121
KIND = "redis"


class Settings(ComponentSettings):
    """redis-exporter."""


def build_exporter(own: Settings, context: Planning, key: str, database: Database) -> Workload:
    """The exporter of one database; a password is read from a file, which maps addresses to passwords."""
    url = f"redis://{find_address(context, key, database)}"
    secret = database.password_secret
    single = len(find_databases(context, KIND)) == 1
    files: tuple[SecretFile, ...] = ()
    if secret:
        files = (SecretFile(path=f"/run/secrets/{secret}", secret=secret, template=f'{{"{url}": "{{}}"}}'),)
    return Workload(
        name=name_workload(context, NAME, KIND, key),
        image="redis-exporter",
        limits=build_limits(own, memory=64, cpus=0.5),
        args=("-include-system-metrics",),  # the memory of its machine, for a Redis without a limit of its own
        env={"REDIS_ADDR": url, **({"REDIS_PASSWORD_FILE": f"/run/secrets/{secret}"} if secret else {})},
        secrets=files,
        ports=(publish_port(context, NAME, PORT),) if single else (),
        probe=HttpProbe(path="/health", port=PORT),
        after=(database.derive_stand_in_name(key),) if context.settings.demo else (),
        egress="anywhere",
    )


# -- component -------------------------------------------------------------------------------------------------------


class RedisExporter(Component[Settings]):
    """redis-exporter, one for each Redis database."""

    name = NAME
    settings = Settings
    system_rows = (SystemRow(name="redis", title="Redis", panels=pack.panels),)

    def telemetry(self, own: Settings, context: Planning) -> Telemetry:
        """Each database's exporter is scraped, with the database's name as a label."""
        if not find_databases(context, KIND):
            return Telemetry()
        return Telemetry(
            offers=(name_series_offer(KIND),),
            scrape=(build_scrape_job(context, NAME, KIND, PORT, series=250),),
            rules=(RuleGroup(name=KIND, alerts=pack.alerts(context.system.tune)),),
            dashboards=(
                build_dashboard(pack.board(), folder="Monitoring", tags=["monitoring"], where="dashboard redis"),
            ),
        )

    def secrets(self, own: Settings, context: Planning) -> tuple[Secret, ...]:
        """The passwords of the databases that have one."""
        return tuple(
            Secret(name=item.password_secret, purpose=f"the password of the database {key}")
            for key, item in find_databases(context, KIND).items()
            if item.password_secret
        )

    def workloads(self, own: Settings, context: Planned) -> tuple[Workload, ...]:
        """One exporter per database."""
        return tuple(
            build_exporter(own, context, key, database) for key, database in find_databases(context, KIND).items()
        )
