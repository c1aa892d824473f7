"""Jaeger: keeps traces, as a single process with its spans in Badger on a volume. Off unless it is switched on.

Flags: https://www.jaegertracing.io/docs/1.62/cli/#jaeger-all-in-one-badger. It reads no documents.
"""

from __future__ import annotations

from typing import Annotated

from components.base import build_identity_labels, build_limits, open_port, publish_port
from components.jaeger import mixin as pack
from model.base import Duration, PortNumber, parse_duration
from model.component import Component, Planned, Planning
from model.scope import OnlyOn
from model.settings import ComponentSettings
from model.telemetry import (
    TRACES,
    Datasource,
    Opening,
    Route,
    RuleGroup,
    ScrapeJob,
    ScrapeTarget,
    SeriesCount,
    StackRow,
    Telemetry,
)
from model.workload import DataVolume, HttpProbe, Port, Workload

NAME = "jaeger"
PORT = 16686
"""Web interface and query API."""
COLLECTOR_PORT = 14268
"""Spans in Jaeger's own format (Thrift over HTTP)."""
OTLP_GRPC_PORT = 4317
OTLP_HTTP_PORT = 4318
ADMIN_PORT = 14269
"""Health and metrics; not published."""
PREFIX = "/jaeger"
DATA_DIR = "/badger"
UNUSED = {
    "collector.grpc-server.": 14250,
    "query.grpc-server.": 16685,
    "http-server.": 5778,
    "processor.jaeger-binary.server-": 6832,
    "processor.jaeger-compact.server-": 6831,
    "processor.zipkin-compact.server-": 5775,
}
"""Listeners that the process has beside those above and nobody is meant to reach: begin of the flag, and port."""


ENVIRONMENT = {
    "OTEL_TRACES_SAMPLER": "always_off",  # its own requests would stand among the system's traces
    "SPAN_STORAGE_TYPE": "badger",  # decides which flags there are, so it is none itself
}


class Settings(ComponentSettings):
    """Jaeger, which keeps traces."""

    enabled: bool = False
    """Whether the component is deployed."""
    retention: Duration = "7d"
    """How long spans are kept; each carries the time at which it expires."""
    collector_port: Annotated[PortNumber | None, OnlyOn("docker")] = None
    """Host port to publish the collector on (Jaeger's format over HTTP, 14268); not published when absent."""
    otlp_grpc_port: Annotated[PortNumber | None, OnlyOn("docker")] = None
    """Host port to publish OTLP over gRPC on (4317); not published when absent."""
    otlp_http_port: Annotated[PortNumber | None, OnlyOn("docker")] = None
    """Host port to publish OTLP over HTTP on (4318); not published when absent."""


# -- arguments -------------------------------------------------------------------------------------------------------


def list_arguments(own: Settings, base: str = "") -> tuple[str, ...]:
    """The flags: where it listens, and where and how long spans are kept (durations as Go writes them)."""
    return (
        "--log-level=warn",
        f"--admin.http.host-port=:{ADMIN_PORT}",
        f"--query.http-server.host-port=:{PORT}",
        f"--query.base-path={base}{PREFIX}",
        f"--collector.http-server.host-port=:{COLLECTOR_PORT}",
        "--collector.otlp.enabled=true",
        f"--collector.otlp.grpc.host-port=:{OTLP_GRPC_PORT}",
        f"--collector.otlp.http.host-port=:{OTLP_HTTP_PORT}",
        *(f"--{flag}host-port=127.0.0.1:{port}" for flag, port in UNUSED.items()),
        "--badger.ephemeral=false",
        f"--badger.directory-key={DATA_DIR}/key",
        f"--badger.directory-value={DATA_DIR}/data",
        f"--badger.span-store-ttl={round(parse_duration(own.retention) * 1000)}ms",
    )


# -- workload --------------------------------------------------------------------------------------------------------


def list_ports(own: Settings, context: Planning) -> tuple[Port, ...]:
    """The web interface and all ways in for spans; only those that the settings name are published."""
    return (
        publish_port(context, NAME, PORT),
        open_port(context, NAME, COLLECTOR_PORT, name="collector", host=own.collector_port),
        open_port(context, NAME, OTLP_GRPC_PORT, name="otlp-grpc", host=own.otlp_grpc_port),
        open_port(context, NAME, OTLP_HTTP_PORT, name="otlp-http", host=own.otlp_http_port),
    )


# -- component -------------------------------------------------------------------------------------------------------


class Jaeger(Component[Settings]):
    """Jaeger, which stores traces."""

    name = NAME
    settings = Settings

    def telemetry(self, own: Settings, context: Planning) -> Telemetry:
        """Jaeger is scraped, is a data source, takes spans, and has alerts about those that it loses."""
        address = context.address(NAME, PORT)
        target = ScrapeTarget(address=context.address(NAME, ADMIN_PORT), labels=build_identity_labels(context, NAME))
        return Telemetry(
            rows=(StackRow(title="Jaeger", panels=pack.panels(), position=40),),
            scrape=(ScrapeJob(name=NAME, series=SeriesCount(target=880), targets=(target,)),),
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
            spans=(f"http://{context.address(NAME, OTLP_HTTP_PORT)}/v1/traces",),
        )

    def workloads(self, own: Settings, context: Planned) -> tuple[Workload, ...]:
        """One Jaeger with its spans on a volume."""
        return (
            Workload(
                name=NAME,
                image="jaeger",
                limits=build_limits(own, memory=512),  # Badger's memory tables and caches may grow to some 300 MiB
                args=list_arguments(own, context.settings.base_path),
                env=ENVIRONMENT,
                ports=list_ports(own, context),
                volumes=(DataVolume(name="jaeger-data", path=DATA_DIR, retain=context.settings.retain_data),),
                probe=HttpProbe(path="/", port=ADMIN_PORT),
                stop_seconds=30,  # Badger writes its tables when it closes
            ),
        )
