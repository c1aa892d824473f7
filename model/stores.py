"""Who takes what the parts of a stack send: log lines and alerts; and who lists the containers of an engine."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class LogStore:
    """Where log lines go: the address of a push API as Loki has it, and the workload that answers there.

    `otlp` is the address below which it takes log records as OTLP over HTTP.
    Source: https://grafana.com/docs/loki/latest/reference/loki-http-api/#ingest-logs
    """

    url: str
    workload: str
    otlp: str


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
