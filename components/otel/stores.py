"""Where the gateway passes spans, samples and log records on to: each store has a queue on disk of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from components.otel.settings import Settings
from model.base import parse_size
from model.component import Planned

BATCH_BYTES = 1_000_000
"""Bytes of one request to a store: some 2,000 spans."""
BATCH = {"min_size": BATCH_BYTES // 4, "max_size": BATCH_BYTES}
BATCH_RECORDS = {"sizer": "items", "min_size": 0, "max_size": 250}
"""Records of one request to a store, which has attributes of a sender once for each: those of one request of a sender
at most, so that both together are bounded."""
FOREVER = {"enabled": True, "initial_interval": "1s", "max_interval": "30s", "max_elapsed_time": 0}
"""How a store that is away is waited for: until it is back."""


def build_exporters(own: Settings, context: Planned) -> dict[str, dict[str, Any]]:
    """The stores of each signal by name, each behind a queue on disk."""
    telemetry = context.telemetry
    places = {
        "traces": [{"traces_endpoint": url} for url in telemetry.spans[:1]],
        "metrics": [{"endpoint": url} for url in telemetry.metric_stores],
        "logs": [{"endpoint": store.otlp} for store in telemetry.log_stores[:1]],
    }
    return {
        signal: {
            f"otlp_http/{signal}" + (f"-{number}" if number else ""): build_exporter(own, signal, place)
            for number, place in enumerate(stores)
        }
        for signal, stores in places.items()
    }


def build_exporter(own: Settings, signal: str, place: Mapping[str, str]) -> dict[str, Any]:
    """One store; samples and records go there one request after the other, as they came.

    Source: https://pkg.go.dev/go.opentelemetry.io/collector/exporter/exporterhelper
    """
    queue = {
        "sizer": "bytes",
        "queue_size": parse_size(own.queue),
        "storage": "file_storage",
        # in their order: samples and lines are refused that are older than others that are there
        "num_consumers": 4 if signal == "traces" else 1,
        "batch": {"flush_timeout": "1s", **(BATCH_RECORDS if signal == "logs" else BATCH)},
    }
    return {**place, "timeout": "30s", "retry_on_failure": FOREVER, "sending_queue": queue}
