"""Promtail's document: which lines it collects, and what becomes of them.

Format: https://grafana.com/docs/loki/latest/send-data/promtail/configuration/.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Any

from components.promtail.multiline import build_joined, build_joining_stages
from components.promtail.pipeline import (
    Reading,
    build_reading,
    build_stages,
    select_fields,
)
from components.promtail.settings import DATA_DIR, DISCOVERY, HOST_DIR, PODS_DIR, PORT, Settings
from components.promtail.sources import (
    COMPOSE,
    CONTAINER,
    POD,
    build_container_rules,
    build_key_rules,
    build_pod_rules,
)
from components.promtail.times import build_time_stages
from model.component import Planned, Planning
from model.logs import CONTAINERS, HostLog, Logs
from model.naming import can_share_files, derive_demo_log_volume
from model.stores import LogStore
from model.telemetry import LogFile
from model.workload import (
    SharedVolume,
)

OLD_LINES: dict[str, Any] = {"drop": {"older_than": "168h", "drop_counter_reason": "older_than_loki_takes"}}
"""Loki refuses lines that are older than a week (`reject_old_samples_max_age`), and alerts say that lines are lost. On
a host with old containers and files that would be so at each first start; they are left out here, and counted.

Source: https://grafana.com/docs/loki/latest/send-data/promtail/stages/drop/
"""


def build_config(own: Settings, context: Planned) -> dict[str, Any]:
    """promtail.yml as a dict."""
    jobs = [build_docker_job(own, context) if context.settings.target == "docker" else build_pods_job(context)]
    jobs += build_file_jobs(context, list_log_files(context))
    return {
        "server": {"http_listen_port": PORT, "grpc_listen_port": 0, "log_level": "warn"},
        "positions": {"filename": f"{DATA_DIR}/positions.yaml", "sync_period": "5s"},
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
        "relabel_configs": [
            {"target_label": "job", "replacement": CONTAINERS},
            {"source_labels": [f"{CONTAINER}name"], "regex": "/(.*)", "target_label": "container"},
            {"source_labels": ["container"], "target_label": "service"},
            _build_copy_rule(f"{COMPOSE}service", "service"),
            *build_container_rules(context.system.services),
            _build_copy_rule(f"{DISCOVERY}_workload", "service"),
        ],
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
            {"target_label": "job", "replacement": CONTAINERS},
            {"source_labels": ["__meta_kubernetes_namespace"], "target_label": "namespace"},
            {"source_labels": [f"{POD}name"], "target_label": "pod"},
            {"source_labels": [f"{POD}container_name"], "target_label": "container"},
            {"source_labels": [f"{POD}container_name"], "target_label": "service"},
            _build_copy_rule(f"{POD}label_app", "app"),
            _build_copy_rule(f"{POD}label_app_kubernetes_io_name", "app"),
            _build_copy_rule("app", "service"),
            *build_key_rules(context.system.services),
            *build_pod_rules(context.system.services),
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


def _build_copy_rule(source: str, target: str) -> dict[str, Any]:
    return {"source_labels": [source], "regex": "(.+)", "target_label": target}


def build_pipeline(context: Planning) -> list[dict[str, Any]]:
    """What is made of the lines of containers, each as its service says."""
    logs = {key: service.logs for key, service in context.system.services.items()}
    readings = {number: build_reading(each) for number, each in {id(each): each for each in logs.values()}.items()}
    return [*build_joining_stages(logs), *build_stages({key: readings[id(each)] for key, each in logs.items()})]


def list_log_files(context: Planned) -> tuple[LogFile, ...]:
    """The log files of the system and of all components.

    A stand-in writes one file, so in a demo the first entry has it, and one that nothing else writes is left out.
    """
    files: list[LogFile] = []
    owners = {service.logs.file: key for key, service in context.system.services.items() if service.logs.file}
    for log in context.system.host_logs:
        stand_ins = {key for other in files for key in other.demo} if context.settings.demo else set()
        writers = tuple(key for key in log.written_by if key not in stand_ins)
        if writers or not log.written_by:
            files.append(_build_log_file(log, writers, owners.get(log.job, "")))
    return (*files, *context.telemetry.log_files)


def _build_log_file(log: HostLog, writers: tuple[str, ...], service: str) -> LogFile:
    return LogFile(
        job=log.job,
        path=log.path,
        exclude=log.exclude,
        labels=log.labels,
        label_fields=log.label_fields,
        demo=writers,
        group=log.group,
        service=service,
        format=log.format,
        expression=log.expression,
        fields=log.fields,
        time=log.time,
        multiline=log.multiline,
    )


def build_file_jobs(context: Planning, logs: Sequence[LogFile]) -> list[dict[str, Any]]:
    """One entry for each, under a name of its own: several may have one label job, as files of one application do."""
    seen = Counter[str]()
    jobs = []
    for log in logs:
        seen[log.job] += 1
        name = log.job if seen[log.job] == 1 else f"{log.job}.{seen[log.job]}"
        jobs.append({**build_file_job(context, log), "job_name": name})
    return jobs


def build_file_job(context: Planning, log: LogFile) -> dict[str, Any]:
    """Files of the host, followed by name; their lines have the fields that those who write them say."""
    owner = {"service": log.service or log.job}
    labels = {"job": log.job, **owner, **log.labels, "__path__": build_glob(context, log)}
    if log.exclude:
        labels["__path_exclude__"] = f"{{{','.join(f'{HOST_DIR}{path}' for path in log.exclude)}}}"
    own = context.system.services[log.service].logs if log.service else None
    how = _build_file_reading(context, log, own)
    multiline = log.multiline or (own.multiline if own else None)
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


def _build_file_reading(context: Planning, log: LogFile, service: Logs | None) -> Reading:
    """How lines of a file are read: as its service says, with the labels that the file's entry adds."""
    own = build_reading(service) if service else None
    if own and own.format == "text":
        return own
    written = [name for key in log.demo for name in build_reading(context.system.services[key].logs).fields]
    fields = [*(own.fields if own else ()), *log.fields, *(written if log.format != "text" else ())]
    labels = dict.fromkeys([*(own.labels if own else ()), *log.label_fields])
    return select_fields(own or Reading(format=log.format, expression=log.expression), list(labels), fields)


def build_glob(context: Planning, log: LogFile) -> str:
    """Where Promtail sees the files; in a demo each stand-in's are in a directory of their own."""
    path = PurePosixPath(log.path)
    if context.settings.demo and log.demo and can_share_files(context):
        writers = log.demo[0] if len(log.demo) == 1 else f"{{{','.join(log.demo)}}}"
        return f"{HOST_DIR}{path.parent}/{writers}/*.log"
    return f"{HOST_DIR}{path}"


def list_shared_volumes(context: Planned) -> tuple[SharedVolume, ...]:
    """The volumes to which stand-ins write what would be log files of the host."""
    if not (context.settings.demo and can_share_files(context)):
        return ()
    return tuple(
        SharedVolume(name=derive_demo_log_volume(key), path=f"{HOST_DIR}{PurePosixPath(log.path).parent}/{key}")
        for log in list_log_files(context)
        for key in log.demo
    )
