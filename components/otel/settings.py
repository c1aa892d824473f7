"""Settings of the OpenTelemetry gateway, and where it listens."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from model.addresses import PageOrigin
from model.base import Duration, PortNumber, Size, Strict, parse_size
from model.scope import OnlyOn
from model.settings import ComponentSettings

NAME = "otel"
GRPC_PORT = 4317
HTTP_PORT = 4318
PREFIX = "/otlp"
DOCUMENT = "otel.yaml"
BROWSER_PORT = 4319
"""For browsers, whose requests are bounded and cut down."""
BROWSER_PREFIX = "/browser"
SIGNALS = ("traces", "metrics", "logs")


LEAST_QUEUE = "16MiB"
"""A few requests of the largest size: what is larger than a queue would be refused whenever it comes."""
LEAST_MEMORY = "128MiB"
"""A few requests of the largest size, beside what it needs for itself."""


def _check_queue(value: str) -> str:
    if parse_size(value) < parse_size(LEAST_QUEUE):
        raise ValueError(f"must be {LEAST_QUEUE} at least: one request of a service may have a quarter of it")
    return value


class Sampling(Strict):
    """Which traces are kept: all with an error, all slow ones, and a share of the others."""

    slow: Duration = "1s"
    """Traces that take longer than this are kept."""
    percentage: Annotated[float, Field(gt=0, lt=100)] = 10.0
    """How many of 100 traces without an error that are not slow are kept."""
    wait: Duration = "10s"
    """How long spans of a trace are waited for before it is decided on. They are in memory until then, so a gateway
    that is killed loses those of this time."""


class Browser(Strict):
    """What pages in visitors' browsers may send, by a way of its own that everybody can use."""

    origins: Annotated[tuple[PageOrigin, ...], Field(min_length=1)]
    """Where the pages are from, as browsers send it: scheme, host and a port that is not the scheme's own. Requests of
    all others are refused."""
    requests_per_second: Annotated[int, Field(ge=1, le=1000)] = 5
    """Requests of one address in the long run; four times as many at once."""
    body_bytes: Size = "64KiB"
    """Size of one request at most; the script of `instrumentation/browser` sends up to 28 KB in one."""


class Settings(ComponentSettings):
    """The OpenTelemetry gateway, to which services send spans, metrics and log records."""

    enabled: bool = False
    """Whether the component is deployed."""
    grpc_port: Annotated[PortNumber | None, OnlyOn("docker")] = None
    """Host port to publish OTLP over gRPC on (4317); not published when absent."""
    http_port: Annotated[PortNumber | None, OnlyOn("docker")] = None
    """Host port to publish OTLP over HTTP on (4318); not published when absent."""
    queue: Annotated[Size, AfterValidator(_check_queue)] = "256MiB"
    """Disk space for what cannot be passed on at once, of each of the three signals. When it is full, senders are
    refused and try again themselves."""
    sampling: Sampling | None = None
    """Which traces are kept; all of them when absent."""
    browser: Browser | None = None
    """Where visitors' browsers may send what the pack `web` draws; nothing is open to them when absent."""
