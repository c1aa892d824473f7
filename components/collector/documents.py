"""The collector's document: which lines it reads, and what becomes of them.

Format: https://opentelemetry.io/docs/collector/configuration/. How far files are read stands on disk once what was
read is in a queue on disk, so that a line is lost neither by the collector's end nor by that of Loki.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from components.collector.operators import (
    PATH,
    build_docker_operators,
    build_joined,
    build_joining_operators,
    build_pod_operators,
    build_time_operators,
)
from components.collector.settings import LINKS_DIR, Settings
from components.collector.statements import build_groups
from components.lines.files import (
    HOST_DIR,
    build_file_reading,
    build_glob,
    find_joined,
    list_file_labels,
    list_log_files,
    name_log_files,
)
from components.lines.reading import Reading, build_readings
from components.lines.settings import PODS_DIR
from components.lines.times import OLDEST, UNREAD
from components.otelcol import EXTENSIONS, build_extensions, build_memory_limiter, build_telemetry
from model.base import derive_label_name, parse_size
from model.component import Planned, Planning
from model.logs import CONTAINERS, Logs
from model.telemetry import LogFile
from model.workload import Limits

FIRST = ("service", "container", "namespace", "pod", "app", "stream", "filename", "job")
"""Labels in the order in which Loki is to see them: it names a stream by the first one that it takes for a name."""
BATCH_BYTES = 1_000_000
FINGERPRINT = "4kb"
"""Bytes by which a file is known: a first line of Docker has its time behind its text, which may be long."""
FOREVER = {"enabled": True, "initial_interval": "500ms", "max_interval": "30s", "max_elapsed_time": 0}
POLL = "500ms"
READ = {"storage": "file_storage", "poll_interval": POLL, "fingerprint_size": FINGERPRINT, "start_at": "beginning"}
LINKED = {
    **READ,
    "include_file_path": True,
    "include_file_name": False,
    "resource": {"job": CONTAINERS},
    "retry_on_failure": {"enabled": True, "max_elapsed_time": 0},
}
"""How files behind links are read."""
TAIL = ("transform/stream", "filter/old", "groupbyattrs")
"""What is done with all lines alike."""


def build_config(own: Settings, context: Planned, limits: Limits) -> dict[str, Any]:
    """The whole document as a dict."""
    logs = dict(name_log_files(list_log_files(context)))
    services = {key: service.logs for key, service in context.system.services.items()}
    readings = build_readings(services)
    groups = {CONTAINERS: build_groups(readings, Reading())}
    build_receiver = build_pod_receiver if context.settings.target == "kubernetes" else build_docker_receiver
    receivers = {CONTAINERS: build_receiver(services)}
    for name, log in logs.items():
        groups[name] = build_groups({}, build_file_reading(context, log))
        receivers[name] = build_file_receiver(context, log)
    labels = list_line_labels(context)
    return {
        "extensions": build_extensions(),
        "receivers": {f"file_log/{name}": receiver for name, receiver in receivers.items()},
        "processors": {
            "memory_limiter": build_memory_limiter(limits),
            **{f"transform/{name}": build_line_transform(each) for name, each in groups.items()},
            "transform/stream": build_stream_transform(context, labels),
            "filter/old": build_age_filter(),
            "groupbyattrs": {"keys": [name for name in labels if name not in FIRST]},
        },
        "exporters": build_exporters(own, context),
        "service": {
            "extensions": list(EXTENSIONS),
            "pipelines": {f"logs/{name}": build_pipeline(name, context) for name in receivers},
            "telemetry": build_telemetry(),
        },
    }


def list_line_labels(context: Planning) -> tuple[str, ...]:
    """Every label that a line may have, those that say whose it is first."""
    own = {"level", "environment", "stack"}
    for service in context.system.services.values():
        own |= {derive_label_name(name) for name in service.logs.labels}
    for log in context.system.host_logs:
        own |= {*log.labels, *map(derive_label_name, log.label_fields)}
    return (*FIRST, *sorted(own.difference(FIRST)))


# -- receivers -------------------------------------------------------------------------------------------------------


def build_docker_receiver(services: Mapping[str, Logs]) -> dict[str, Any]:
    """The files of containers, those that were rotated too, by links that say whose they are.

    Source: https://pkg.go.dev/github.com/open-telemetry/opentelemetry-collector-contrib/receiver/filelogreceiver
    """
    name = rf"^{LINKS_DIR}/(?P<service>[^,/]*),(?P<container>[^,/]*),(?P<since>\d+),"
    sent = {"type": "filter", "if": "resource.since != '0'", "expr": "timestamp.Unix() < int(resource.since)"}
    owner = [_build_path_parser(name), sent]
    return {
        "include": [f"{LINKS_DIR}/*/*-json.log*"],
        "exclude": [f"{LINKS_DIR}/*/*.gz"],
        **LINKED,
        "operators": [*build_docker_operators(), *owner, *build_joining_operators(services)],
    }


def build_pod_receiver(services: Mapping[str, Logs]) -> dict[str, Any]:
    """The files of this node's pods, by links that say whose they are; a file is called as the kubelet calls it.

    Rotated files have a time behind their names, and compressed ones were read before.
    """
    pod = r"(?P<folder>(?P<namespace>[^_/]+)_(?P<pod>[^_/]+)_[^/]+)"
    name = rf"^{LINKS_DIR}/{pod}/(?P<service>[^,/]*),(?P<app>[^,/]*),(?P<container>[^,/]*),[^/]*/(?P<file>[^/]+\.log)"
    path = " + '/' + ".join((f"'{PODS_DIR}'", "resource.folder", "resource.container", "resource.file"))
    owner = [_build_path_parser(name), {"type": "add", "field": "resource.filename", "value": f"EXPR({path})"}]
    return {
        "include": [f"{LINKS_DIR}/*/*/*.log*"],
        "exclude": [f"{LINKS_DIR}/*/*/*.{end}" for end in ("gz", "tmp")],
        **LINKED,
        "preserve_trailing_whitespaces": True,
        "operators": [*build_pod_operators(), *owner, *build_joining_operators(services)],
    }


def _build_path_parser(expression: str) -> dict[str, Any]:
    return {
        "type": "regex_parser", "parse_from": PATH, "parse_to": "resource", "regex": expression, "cache": {"size": 1000}
    }  # fmt: skip


def build_file_receiver(context: Planning, log: LogFile) -> dict[str, Any]:
    """Files of the host, with the time that their lines have."""
    how, multiline = build_file_reading(context, log), find_joined(context, log)
    joined = [build_joined(multiline, how.format, within=PATH)] if multiline else []
    return {
        "include": [build_glob(context, log)],
        "exclude": [f"{HOST_DIR}{path}" for path in log.exclude],
        **READ,
        "include_file_path": True,
        "include_file_name": False,
        "preserve_leading_whitespaces": True,
        "preserve_trailing_whitespaces": True,
        "resource": list_file_labels(log),
        "retry_on_failure": {"enabled": True, "max_elapsed_time": 0},
        "operators": [
            *joined,
            *build_time_operators(log.time, how.format, how.expression),
            {"type": "copy", "from": PATH, "to": "resource.filename"},
        ],
    }


# -- processors ------------------------------------------------------------------------------------------------------


def build_line_transform(groups: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What is made of each line; one that is not what its service says is left as it is."""
    first = {"statements": [f'keep_keys(log.attributes, ["{UNREAD}"])']}
    return {"error_mode": "silent", "log_statements": [first, *groups]}


def build_stream_transform(context: Planning, labels: Sequence[str]) -> dict[str, Any]:
    """Labels in their order, and no second time beside a line."""
    attribute = "resource.attributes"
    constant = {"environment": context.settings.environment, "stack": context.stack}
    own = [name for name in labels if name not in constant]
    return {
        "error_mode": "ignore",
        "log_statements": [
            {
                "statements": [
                    f'set(resource.cache["own"], {attribute})',
                    f'keep_keys({attribute}, ["none"])',
                    *(
                        f'set({attribute}["{name}"], resource.cache["own"]["{name}"])'
                        f' where resource.cache["own"]["{name}"] != nil and resource.cache["own"]["{name}"] != ""'
                        for name in own
                    ),
                    *(f'set({attribute}["{name}"], "{value}")' for name, value in constant.items()),
                ]
            },
            {"statements": ["set(log.observed_time_unix_nano, 0) where log.time_unix_nano != 0"]},
        ],
    }


def build_age_filter() -> dict[str, Any]:
    """What drops lines that Loki would refuse; one without a time of its own has that of reading."""
    condition = f'log.time_unix_nano != 0 and log.time < Now() - Duration("{OLDEST}")'
    return {"error_mode": "ignore", "log_conditions": [condition]}


# -- the rest --------------------------------------------------------------------------------------------------------


def build_exporters(own: Settings, context: Planned) -> dict[str, Any]:
    """Loki behind a queue on disk; when that is full, files wait.

    Source: https://pkg.go.dev/go.opentelemetry.io/collector/exporter/exporterhelper
    """
    queue = {
        "sizer": "bytes",
        "queue_size": parse_size(own.queue),
        "storage": "file_storage",
        "block_on_overflow": True,
        "num_consumers": 2,
        "batch": {"flush_timeout": "500ms", "min_size": BATCH_BYTES // 4, "max_size": BATCH_BYTES},
    }
    common = {"timeout": "30s", "retry_on_failure": FOREVER, "sending_queue": queue}
    return {f"otlp_http/{store.workload}": {"endpoint": store.otlp, **common} for store in context.telemetry.log_stores}


def build_pipeline(name: str, context: Planned) -> dict[str, list[str]]:
    """The way of the lines of one receiver."""
    return {
        "receivers": [f"file_log/{name}"],
        "processors": ["memory_limiter", f"transform/{name}", *TAIL],
        "exporters": [f"otlp_http/{store.workload}" for store in context.telemetry.log_stores],
    }
