"""Settings of Jaeger, and where it listens."""

from __future__ import annotations

from typing import Annotated

from model.base import Duration, PortNumber
from model.scope import OnlyOn
from model.settings import ComponentSettings

NAME = "jaeger"
PORT = 16686
"""Web interface and query API."""
COLLECTOR_PORT = 14268
"""Spans in Jaeger's own format (Thrift over HTTP)."""
OTLP_GRPC_PORT = 4317
OTLP_HTTP_PORT = 4318
HEALTH_PORT, METRICS_PORT = 13133, 8888
"""Not published, as nobody but the engine and Prometheus asks there."""
QUERY_GRPC_PORT = 16685
"""The query API by gRPC, which cannot be switched off and nobody is meant to reach."""
PREFIX = "/jaeger"
CONFIG_DIR, CONFIG_FILE = "/etc/jaeger", "jaeger.yaml"
DATA_DIR = "/badger"


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
