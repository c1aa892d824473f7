"""Jaeger's document: what takes spans, where they are stored, and what answers questions about them.

Jaeger 2 is a build of the OpenTelemetry Collector with a store of its own. Format:
https://www.jaegertracing.io/docs/2.13/deployment/configuration/ and
https://opentelemetry.io/docs/collector/configuration/. It is read at the start alone.
"""

from __future__ import annotations

from typing import Any

from components.jaeger.settings import (
    COLLECTOR_PORT,
    DATA_DIR,
    HEALTH_PORT,
    METRICS_PORT,
    OTLP_GRPC_PORT,
    OTLP_HTTP_PORT,
    PORT,
    PREFIX,
    QUERY_GRPC_PORT,
    Settings,
)
from model.base import parse_duration

STORE = "badger"
"""The name of the one store, which extension, exporter and queries agree on; a label of its series."""
QUEUE_SPANS = 10_000
"""Spans that may wait to be stored, some 20 MiB. A request with more of them than that would never fit, and collectors
send up to 8192 at once: https://github.com/open-telemetry/opentelemetry-collector/tree/main/processor/batchprocessor."""
WRITERS = 10
"""Requests that are stored at the same time."""
MEMORY_PERCENT = 80
"""Of the container's memory, what the process may use of it: the rest is for Badger's tables, which are files in it."""
PAGES = "${env:JAEGER_UI_ASSETS:-}"
"""Where the pages of the interface lie. An image that was built here names its own; upstream's, which sets no such
variable, has its interface within the program."""


def build_config(own: Settings, base: str = "") -> dict[str, Any]:
    """jaeger.yaml as a dict; `base` is the path below which the whole stack is reached."""
    return {
        "extensions": build_extensions(own, base),
        "receivers": build_receivers(),
        "processors": {"memory_limiter": build_memory_limiter()},
        "exporters": {"jaeger_storage_exporter": build_exporter()},
        "service": build_service(),
    }


def build_extensions(own: Settings, base: str) -> dict[str, Any]:
    """The store, the queries with the web interface, and the answer of whether all of it runs."""
    directories = {"keys": f"{DATA_DIR}/key", "values": f"{DATA_DIR}/data"}  # where Jaeger 1 had them: it reads both
    expiry = {"spans": f"{round(parse_duration(own.retention) * 1000)}ms"}
    return {
        "healthcheckv2": {"use_v2": True, "http": {"endpoint": f"0.0.0.0:{HEALTH_PORT}"}},
        "jaeger_storage": {
            "backends": {STORE: {"badger": {"directories": directories, "ephemeral": False, "ttl": expiry}}}
        },
        "jaeger_query": {
            "storage": {"traces": STORE},
            "base_path": f"{base}{PREFIX}",
            "ui": {"assets_path": PAGES},
            "enable_tracing": False,  # its own requests would stand among the system's traces
            "http": {"endpoint": f"0.0.0.0:{PORT}"},
            "grpc": {"endpoint": f"127.0.0.1:{QUERY_GRPC_PORT}"},
        },
    }


def build_receivers() -> dict[str, Any]:
    """The ways in for spans."""
    grpc, http = f"0.0.0.0:{OTLP_GRPC_PORT}", f"0.0.0.0:{OTLP_HTTP_PORT}"
    return {
        "otlp": {"protocols": {"grpc": {"endpoint": grpc}, "http": {"endpoint": http}}},
        "jaeger": {"protocols": {"thrift_http": {"endpoint": f"0.0.0.0:{COLLECTOR_PORT}"}}},
    }


def build_memory_limiter() -> dict[str, Any]:
    """When spans are refused, which their senders try again, before the process is killed for its memory.

    https://github.com/open-telemetry/opentelemetry-collector/tree/main/processor/memorylimiterprocessor
    """
    return {"check_interval": "1s", "limit_percentage": MEMORY_PERCENT, "spike_limit_percentage": 20}


def build_exporter() -> dict[str, Any]:
    """What stores spans: a queue that is counted in spans, so that a sender need not wait for the disk.

    Jaeger has no defaults for a queue that is switched on. What fails once fails again, so nothing is tried twice.
    https://github.com/open-telemetry/opentelemetry-collector/tree/main/exporter/exporterhelper
    """
    queue = {"enabled": True, "sizer": "items", "queue_size": QUEUE_SPANS, "num_consumers": WRITERS}
    return {"trace_storage": STORE, "queue": queue}


def build_service() -> dict[str, Any]:
    """What of the above runs, in which order spans pass it, and what it says of itself.

    How its series are called depends on the reader, so all that decides it is written out: with the unit and `_total`.
    https://opentelemetry.io/docs/collector/internal-telemetry/
    """
    names = {"without_scope_info": True, "without_type_suffix": False, "without_units": False}
    place = {"host": "0.0.0.0", "port": METRICS_PORT}  # noqa: S104 - of its container, for Prometheus
    reader = {"pull": {"exporter": {"prometheus": {**place, **names}}}}
    return {
        "extensions": ["healthcheckv2", "jaeger_storage", "jaeger_query"],
        "pipelines": {
            "traces": {
                "receivers": ["otlp", "jaeger"],
                "processors": ["memory_limiter"],
                "exporters": ["jaeger_storage_exporter"],
            }
        },
        "telemetry": {
            "logs": {"level": "warn", "disable_stacktrace": True},
            "metrics": {"level": "normal", "readers": [reader]},
        },
    }
