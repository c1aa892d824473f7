"""Promtail's document: which lines it collects, and what becomes of them.

Format: https://grafana.com/docs/loki/latest/send-data/promtail/configuration/.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from components.lines.files import (
    HOST_DIR,
    build_file_reading,
    build_glob,
    find_joined,
    list_file_labels,
    list_log_files,
    name_log_files,
)
from components.lines.reading import build_readings
from components.lines.settings import PODS_DIR, POSITIONS_FILE
from components.lines.sources import POD, build_cluster_rules, build_docker_rules
from components.lines.times import OLDEST
from components.promtail.multiline import build_joined, build_joining_stages
from components.promtail.pipeline import build_stages
from components.promtail.settings import PORT, Settings
from components.promtail.times import build_time_stages
from model.component import Planned, Planning
from model.logs import CONTAINERS
from model.stores import LogStore
from model.telemetry import LogFile

OLD_LINES: dict[str, Any] = {"drop": {"older_than": OLDEST, "drop_counter_reason": "older_than_loki_takes"}}
"""Source: https://grafana.com/docs/loki/latest/send-data/promtail/stages/drop/"""


def build_config(own: Settings, context: Planned) -> dict[str, Any]:
    """promtail.yml as a dict."""
    jobs = [build_docker_job(own, context) if context.settings.target == "docker" else build_pods_job(context)]
    jobs += build_file_jobs(context, list_log_files(context))
    return {
        "server": {"http_listen_port": PORT, "grpc_listen_port": 0, "log_level": "warn"},
        "positions": {"filename": POSITIONS_FILE, "sync_period": "5s"},
        "clients": [build_client(context, store) for store in context.telemetry.log_stores],
        "limits_config": {"max_streams": 0},
        "scrape_configs": jobs,
    }


def build_client(context: Planning, store: LogStore) -> dict[str, Any]:
    """One entry of `clients`."""
    return {
        "url": store.url,
        "batchwait": "500ms",
        "external_labels": {"environment": context.settings.environment, "stack": context.stack},
        # Loki may be away for long: tried again for about an hour, the position stays at the last success
        "backoff_config": {"min_period": "500ms", "max_period": "1m", "max_retries": 60},
    }


def build_docker_job(own: Settings, context: Planned) -> dict[str, Any]:
    """The containers of the engine, seen through the read-only socket proxy."""
    labels = own.container_labels
    chosen = {"filters": [{"name": "label", "values": list(labels)}]} if labels else {}
    apis = context.telemetry.docker_apis
    return {
        "job_name": CONTAINERS,
        "docker_sd_configs": [{"host": f"tcp://{api.address}", "refresh_interval": "2s", **chosen} for api in apis],
        "relabel_configs": build_docker_rules(context.system.services),
        "pipeline_stages": [*build_pipeline(context), OLD_LINES],
    }


def build_pods_job(context: Planning) -> dict[str, Any]:
    """The pods of this node. The kubelet keeps their lines in the runtime's own format.

    Source: https://grafana.com/docs/loki/latest/send-data/promtail/configuration/#kubernetes_sd_config
    """
    return {
        "job_name": CONTAINERS,
        "kubernetes_sd_configs": [{"role": "pod"}],
        "relabel_configs": [
            {"source_labels": [f"{POD}node_name"], "target_label": "__host__"},  # pods of other nodes are left out
            *build_cluster_rules(context.system.services),
            {
                "source_labels": [f"{POD}uid", f"{POD}container_name"],
                "separator": "/",
                "target_label": "__path__",
                "replacement": f"{PODS_DIR}/*$1/*.log",
            },
            {  # a kubelet names the folder of a pod of its own after the pod's file, as the API has another uid for it
                "source_labels": [f"{POD}annotation_kubernetes_io_config_hash", f"{POD}container_name"],
                "separator": "/",
                "regex": "([^/]+/.+)",
                "target_label": "__path__",
                "replacement": f"{PODS_DIR}/*$1/*.log",
            },
        ],
        "pipeline_stages": [*build_runtime_stages(), *build_pipeline(context), OLD_LINES],
    }


def build_runtime_stages() -> list[dict[str, Any]]:
    """What takes off what the node's runtime puts around a line: Docker's JSON, or the form that all others have.

    Source: https://github.com/kubernetes/design-proposals-archive/blob/main/node/kubelet-cri-logging.md
    """
    docker = r'^\{"log":".*","stream":"(stdout|stderr)",.*"time":"[^"]+"\}\s*$'
    end = {
        "replace": {"expression": r"(\n)$", "replace": ""}
    }  # which Docker has in each line, and Promtail leaves there
    forms = {docker: [{"docker": {}}, end], r"^\S+ (stdout|stderr) \S+ ": [{"cri": {}}]}
    return [
        {"match": {"selector": f'{{job="{CONTAINERS}"}} |~ {json.dumps(form)}', "stages": stages}}
        for form, stages in forms.items()
    ]


def build_pipeline(context: Planning) -> list[dict[str, Any]]:
    """What is made of the lines of containers, each as its service says."""
    logs = {key: service.logs for key, service in context.system.services.items()}
    return [*build_joining_stages(logs), *build_stages(build_readings(logs))]


def build_file_jobs(context: Planning, logs: Sequence[LogFile]) -> list[dict[str, Any]]:
    """One entry for each, under a name of its own: several may have one label job, as files of one application do."""
    return [{**build_file_job(context, log), "job_name": name} for name, log in name_log_files(logs)]


def build_file_job(context: Planning, log: LogFile) -> dict[str, Any]:
    """Files of the host, followed by name; their lines have the fields that those who write them say."""
    labels = {**list_file_labels(log), "__path__": build_glob(context, log)}
    if log.exclude:
        labels["__path_exclude__"] = f"{{{','.join(f'{HOST_DIR}{path}' for path in log.exclude)}}}"
    how = build_file_reading(context, log)
    multiline = find_joined(context, log)
    joined = [build_joined(multiline, how.format, '{job=~".+"}')] if multiline else []
    return {
        "job_name": log.job,
        "static_configs": [{"targets": ["localhost"], "labels": labels}],
        "pipeline_stages": [
            *joined,
            *build_stages({}, how),
            *build_time_stages(log.time, how.format, how.expression),
            OLD_LINES,
        ],
    }
