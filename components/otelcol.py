"""What every OpenTelemetry Collector of a stack has, whatever it is for: folders, ports, and parts of its document.

Format: https://opentelemetry.io/docs/collector/configuration/.
"""

from __future__ import annotations

from typing import Any

from components.documents import render_yaml
from model.base import escape_dollars
from model.workload import MIB, ConfigDir, Limits
from packs.base import BY

IMAGE = "otel-collector"
PROGRAM = "/otelcol-contrib"
CONFIG_DIR = "/etc/otelcol"
DATA_DIR = "/var/lib/otelcol"
METRICS_PORT = 8888
"""Its own metrics; neither published nor routed."""
HEALTH_PORT = 13133
EXTENSIONS = ("health_check", "file_storage")


def build_extensions() -> dict[str, Any]:
    """Its health, and the files of its queues and of how far it has read."""
    compaction = {"on_start": True, "on_rebound": True, "directory": DATA_DIR}
    return {
        "health_check": {"endpoint": f"0.0.0.0:{HEALTH_PORT}"},
        "file_storage": {"directory": DATA_DIR, "create_directory": True, "timeout": "10s", "compaction": compaction},
    }


def build_memory_limiter(limits: Limits) -> dict[str, Any]:
    """Beyond four fifths of the memory nothing more is taken, and sooner while it grows quickly."""
    most = limits.memory * 4 // 5 // MIB
    return {"check_interval": "1s", "limit_mib": most, "spike_limit_mib": most // 4}


def build_telemetry() -> dict[str, Any]:
    """Its own log and metrics. Source: https://opentelemetry.io/docs/collector/internal-telemetry/"""
    prometheus = {"host": "0.0.0.0", "port": METRICS_PORT, "without_scope_info": True}  # noqa: S104 - in its container
    return {
        "logs": {"level": "warn", "encoding": "json"},
        "metrics": {"level": "normal", "readers": [{"pull": {"exporter": {"prometheus": prometheus}}}]},
    }


def build_config_dir(name: str, document: dict[str, Any]) -> ConfigDir:
    """The document under a name. The program reads it at its start alone, so it is away for a second after a change.

    A `$` in it is none of a variable: https://opentelemetry.io/docs/collector/configuration/#environment-variables
    """
    return ConfigDir(
        path=CONFIG_DIR,
        files={name: render_yaml(escape_dollars(document))},
        restart_on=frozenset({name}),
        validate=(PROGRAM, "validate", f"--config=file:{{dir}}/{name}"),
    )


def count_new(by: str, series: str) -> str:
    """How much a counter has grown in five minutes, its first value included: it appears with its first event.

    Unless nobody looked five minutes ago, as after an absence of Prometheus: then it may be as old as it likes.
    """
    now, before = f"sum by ({by}) ({series})", f"sum by ({by}) ({series} offset 5m)"
    more = by.removeprefix(BY).strip(", ")  # what `up` has no label for
    watched = f"ignoring ({more}) " * bool(more) + f"count by ({BY}) (up offset 5m)"
    return f"({now} - {before} or {now} unless {before} and {watched})"
