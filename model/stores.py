"""Who takes what the parts of a stack send: log lines and alerts; and who lists the containers of an engine."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class LogLimits:
    """What a store of log lines takes; whatever is beyond it is refused for good. All but the last are Loki's own.

    Source: https://grafana.com/docs/loki/latest/configure/#limits_config
    """

    line_bytes: int = 256 * 1024
    """Bytes of a line."""
    metadata_bytes: int = 64 * 1024
    """Bytes of all that stands beside a line, names and values."""
    metadata_entries: int = 128
    """So many entries may stand beside a line."""
    oldest: str = "168h"
    """How old a line may be."""
    ahead: str = "10m"
    """How far ahead of the clock a line may be."""
    window: str = "1h"
    """How much older than the newest line of its stream a line may be."""
    request_bytes: int = 16 * 1024 * 1024
    """Bytes of one request, with all that stands beside each of its lines."""


@dataclass(frozen=True, kw_only=True)
class LogStore:
    """Where log lines go: the address of a push API as Loki has it, and the workload that answers there.

    `otlp` is the address below which it takes log records as OTLP over HTTP.
    Source: https://grafana.com/docs/loki/latest/reference/loki-http-api/#ingest-logs
    """

    url: str
    workload: str
    otlp: str
    limits: LogLimits = LogLimits()


@dataclass(frozen=True, kw_only=True)
class AlertReceiver:
    """Whom alerts are sent to: `host:port` of each instance of an Alertmanager, and the path below which it answers.

    Source: https://prometheus.io/docs/prometheus/latest/configuration/configuration/#alertmanager_config
    """

    targets: tuple[str, ...]
    path_prefix: str = "/"


@dataclass(frozen=True, kw_only=True)
class DockerApi:
    """Where containers are listed and their lines read: `host:port` of the API, and the workload that answers there."""

    address: str
    workload: str
