"""Jaeger: keeps traces, as a single process with its spans in Badger on a volume. Off unless it is switched on."""

from __future__ import annotations

from components.base import build_heap_limit, build_identity_labels, build_limits, open_port, publish_port
from components.documents import render_yaml
from components.jaeger import mixin as pack
from components.jaeger.documents import MEMORY_PERCENT, build_config
from components.jaeger.settings import (
    COLLECTOR_PORT,
    CONFIG_DIR,
    CONFIG_FILE,
    DATA_DIR,
    HEALTH_PORT,
    METRICS_PORT,
    NAME,
    OTLP_GRPC_PORT,
    OTLP_HTTP_PORT,
    PORT,
    PREFIX,
    Settings,
)
from model.backups import BackupSource
from model.component import Component, Planned, Planning
from model.route import Opening, Route
from model.telemetry import TRACES, Datasource, RuleGroup, ScrapeJob, ScrapeTarget, SeriesCount, StackRow, Telemetry
from model.workload import ConfigDir, DataVolume, HttpProbe, Port, Workload

PROGRAM = "/cmd/jaeger/jaeger-linux"

# -- workload --------------------------------------------------------------------------------------------------------


def list_ports(own: Settings, context: Planning) -> tuple[Port, ...]:
    """The web interface and all ways in for spans; only those that the settings name are published."""
    return (
        publish_port(context, NAME, PORT),
        open_port(context, NAME, COLLECTOR_PORT, name="collector", host=own.collector_port),
        open_port(context, NAME, OTLP_GRPC_PORT, name="otlp-grpc", host=own.otlp_grpc_port),
        open_port(context, NAME, OTLP_HTTP_PORT, name="otlp-http", host=own.otlp_http_port),
        Port(number=METRICS_PORT, name="metrics"),
    )


def build_documents(own: Settings, context: Planning) -> ConfigDir:
    """Its one document, which it reads at its start alone, and its own word on whether it would take it."""
    return ConfigDir(
        path=CONFIG_DIR,
        files={CONFIG_FILE: render_yaml(build_config(own, context.settings.base_path))},
        restart_on=frozenset({CONFIG_FILE}),
        validate=(PROGRAM, "validate", f"--config={{dir}}/{CONFIG_FILE}"),
    )


def build_volume(context: Planning) -> DataVolume:
    """Where spans are kept."""
    return DataVolume(name="jaeger-data", path=DATA_DIR, retain=context.settings.retain_data)


def build_backup_source(context: Planning) -> BackupSource:
    """What of the volume is copied, and in which order: the list of tables first, as tables that it does not name are
    removed and those that it names must be there; then tables and memory, which lead to values, and at last the values.

    Source: https://github.com/dgraph-io/badger/blob/main/manifest.go.
    """
    return BackupSource(
        workload=NAME, volume=build_volume(context), order=("key/MANIFEST", "key"), exclude=("key/LOCK", "data/LOCK")
    )


# -- component -------------------------------------------------------------------------------------------------------


class Jaeger(Component[Settings]):
    """Jaeger, which stores traces."""

    name = NAME
    settings = Settings

    def telemetry(self, own: Settings, context: Planning) -> Telemetry:
        """Jaeger is scraped, is a data source, takes spans, and has alerts about those that it loses."""
        address = context.address(NAME, PORT)
        target = ScrapeTarget(address=context.address(NAME, METRICS_PORT), labels=build_identity_labels(context, NAME))
        return Telemetry(
            rows=(StackRow(title="Jaeger", panels=pack.panels(), position=40),),
            scrape=(ScrapeJob(name=NAME, series=SeriesCount(target=250), targets=(target,)),),
            datasources=(
                Datasource(
                    uid=TRACES,
                    name="Traces",
                    kind="jaeger",
                    url=f"http://{address}{context.settings.base_path}{PREFIX}",
                ),
            ),
            rules=(RuleGroup(name=NAME, alerts=pack.alerts(context.system.tune)),),
            routes=(
                Route(
                    name=NAME, prefix=PREFIX, url=f"http://{address}", open=(Opening(),), whole=True, page=f"{PREFIX}/"
                ),
            ),
            backups=(build_backup_source(context),),
            spans=(f"http://{context.address(NAME, OTLP_HTTP_PORT)}/v1/traces",),
        )

    def workloads(self, own: Settings, context: Planned) -> tuple[Workload, ...]:
        """One Jaeger with its spans on a volume."""
        limits = build_limits(own, memory=512)  # Badger's memory tables and caches may grow to some 300 MiB
        return (
            Workload(
                name=NAME,
                image="jaeger",
                limits=limits,
                env=build_heap_limit(limits, MEMORY_PERCENT),
                args=(f"--config={CONFIG_DIR}/{CONFIG_FILE}",),
                config=build_documents(own, context),
                ports=list_ports(own, context),
                volumes=(build_volume(context),),
                probe=HttpProbe(path="/status", port=HEALTH_PORT),
                stop_seconds=30,  # Badger writes its tables when it closes
            ),
        )
