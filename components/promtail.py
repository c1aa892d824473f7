"""Promtail: collects the output of every container and the log files of the host, and pushes them to Loki.

Format: https://grafana.com/docs/loki/latest/send-data/promtail/configuration/.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Annotated, Any

from pydantic import Field

from components.base import limits, published
from components.documents import dump
from components.pipeline import STRUCTURED, Reading, named_containers, reading, selected_pods, stages
from model.component import Component, Planned, Planning
from model.logs import CONTAINERS, HostLog, folder
from model.naming import LABEL, demo_logs, scraped, shares_files
from model.packs import promtail as pack
from model.scope import OnlyOn
from model.settings import ComponentSettings
from model.telemetry import (
    DOCKER_API,
    LOG_FILES,
    LOG_STORE,
    LogFile,
    LogStore,
    Need,
    RuleGroup,
    ScrapeJob,
    SeriesCount,
    StackRow,
    Telemetry,
)
from model.workload import (
    Access,
    BorrowedVolume,
    ConfigDir,
    DataVolume,
    Exemption,
    HostMount,
    HttpProbe,
    Reload,
    Workload,
)

NAME = "promtail"
PORT = 9080
CONFIG_DIR = "/etc/promtail"
DATA_DIR = "/positions"
HOST_DIR = "/host"
PODS_DIR = "/var/log/pods"
DISCOVERY = "__meta_docker_container_label_" + LABEL.replace(".", "_")


Label = Annotated[str, Field(pattern=r"^[^=\s]+(=[^\s]*)?$", examples=["team=shop"])]


class Settings(ComponentSettings):
    """Promtail."""

    container_labels: Annotated[tuple[Label, ...], OnlyOn("docker")] = ()
    """Collect only containers with all of these labels (key, or key=value); all of the engine when empty."""


# -- documents -------------------------------------------------------------------------------------------------------


def config(own: Settings, context: Planned) -> dict[str, Any]:
    """promtail.yml as a dict."""
    jobs = [docker_job(own, context) if context.settings.target == "docker" else pods_job(context)]
    jobs += file_jobs(context, log_files(context))
    return {
        "server": {"http_listen_port": PORT, "grpc_listen_port": 0, "log_level": "warn"},
        "positions": {"filename": f"{DATA_DIR}/positions.yaml", "sync_period": "5s"},
        "clients": [client(context, store) for store in context.telemetry.log_stores],
        "limits_config": {"max_streams": 0},
        "scrape_configs": jobs,
    }


def client(context: Planning, store: LogStore) -> dict[str, Any]:
    """One entry of `clients`."""
    return {
        "url": store.url,
        "batchwait": "500ms",
        "external_labels": {"environment": context.settings.environment, "stack": context.stack},
        # Loki may be away for long: tried again for about an hour, the position stays at the last success
        "backoff_config": {"min_period": "500ms", "max_period": "1m", "max_retries": 60},
    }


def docker_job(own: Settings, context: Planning) -> dict[str, Any]:
    """The containers of the engine, seen through the read-only socket proxy."""
    discovery: dict[str, Any] = {
        "host": f"tcp://{context.address('socket-proxy', 2375)}",
        "refresh_interval": "2s",
    }
    if wanted := own.container_labels:
        discovery["filters"] = [{"name": "label", "values": list(wanted)}]
    return {
        "job_name": CONTAINERS,
        "docker_sd_configs": [discovery],
        "relabel_configs": [
            {"target_label": "job", "replacement": CONTAINERS},
            {"source_labels": ["__meta_docker_container_name"], "regex": "/(.*)", "target_label": "container"},
            {"source_labels": ["container"], "target_label": "service"},
            _unless_empty("__meta_docker_container_label_com_docker_compose_service", "service"),
            *named_containers(context.system.services),
            _unless_empty(f"{DISCOVERY}_workload", "service"),
        ],
        "pipeline_stages": pipeline(context),
    }


def pods_job(context: Planning) -> dict[str, Any]:
    """The pods of this node. The kubelet keeps their lines in the runtime's own format.

    Source: https://grafana.com/docs/loki/latest/send-data/promtail/configuration/#kubernetes_sd_config
    """
    meta = "__meta_kubernetes_pod_"
    return {
        "job_name": CONTAINERS,
        "kubernetes_sd_configs": [{"role": "pod"}],
        "relabel_configs": [
            {"source_labels": [f"{meta}node_name"], "target_label": "__host__"},  # pods of other nodes are left out
            {"target_label": "job", "replacement": CONTAINERS},
            {"source_labels": ["__meta_kubernetes_namespace"], "target_label": "namespace"},
            {"source_labels": [f"{meta}name"], "target_label": "pod"},
            {"source_labels": [f"{meta}container_name"], "target_label": "container"},
            {"source_labels": [f"{meta}container_name"], "target_label": "service"},
            _unless_empty(f"{meta}label_app", "app"),
            _unless_empty(f"{meta}label_app_kubernetes_io_name", "app"),
            _unless_empty("app", "service"),
            *selected_pods(meta, context.system.services),
            {
                "source_labels": [f"{meta}uid", f"{meta}container_name"],
                "separator": "/",
                "target_label": "__path__",
                "replacement": f"{PODS_DIR}/*$1/*.log",
            },
        ],
        "pipeline_stages": [{"cri": {}}, *pipeline(context)],
    }


def _unless_empty(source: str, target: str) -> dict[str, Any]:
    return {"source_labels": [source], "regex": "(.+)", "target_label": target}


def pipeline(context: Planning) -> list[dict[str, Any]]:
    """What is made of the lines of containers, each as its service says."""
    return stages({key: reading(service.logs) for key, service in context.system.services.items()})


def log_files(context: Planned) -> tuple[LogFile, ...]:
    """The log files of the system and of all components.

    A stand-in writes one file, so in a demo the first entry has it, and one that nothing else writes is left out.
    """
    found: list[LogFile] = []
    for log in context.system.host_logs:
        taken = {key for other in found for key in other.demo} if context.settings.demo else set()
        writers = tuple(key for key in log.written_by if key not in taken)
        if writers or not log.written_by:
            found.append(_log_file(log, writers))
    return (*found, *context.telemetry.log_files)


def _log_file(log: HostLog, writers: tuple[str, ...]) -> LogFile:
    labels, fields = log.labels, log.label_fields
    return LogFile(job=log.job, path=log.path, labels=labels, label_fields=fields, demo=writers, group=log.group)


def file_jobs(context: Planning, logs: Sequence[LogFile]) -> list[dict[str, Any]]:
    """One entry for each, under a name of its own: several may have one label job, as files of one application do."""
    before = [[other.job for other in logs[:number]].count(log.job) for number, log in enumerate(logs)]
    names = [log.job + (f".{count + 1}" if count else "") for log, count in zip(logs, before, strict=True)]
    return [{**file_job(context, log), "job_name": name} for name, log in zip(names, logs, strict=True)]


def file_job(context: Planning, log: LogFile) -> dict[str, Any]:
    """Files of the host, followed by name; their lines have the fields that those who write them say."""
    fields = tuple(name for key in log.demo for name in reading(context.system.services[key].logs).fields)
    indexed = tuple(name for name in log.label_fields if name != "level")
    beside = tuple(dict.fromkeys(name for name in (*STRUCTURED, *fields) if name not in indexed))
    labels = {"job": log.job, "service": log.job, **log.labels, "__path__": glob(context, log)}
    return {
        "job_name": log.job,
        "static_configs": [{"targets": ["localhost"], "labels": labels}],
        "pipeline_stages": stages({}, Reading(labels=indexed, fields=beside)),
    }


def glob(context: Planning, log: LogFile) -> str:
    """Where Promtail sees the files; in a demo each stand-in's are in a directory of their own."""
    path = PurePosixPath(log.path)
    if context.settings.demo and log.demo and shares_files(context):
        writers = log.demo[0] if len(log.demo) == 1 else f"{{{','.join(log.demo)}}}"
        return f"{HOST_DIR}{path.parent}/{writers}/*.log"
    return f"{HOST_DIR}{path}"


def borrowed(context: Planned) -> tuple[BorrowedVolume, ...]:
    """The volumes to which stand-ins write what would be log files of the host."""
    if not (context.settings.demo and shares_files(context)):
        return ()
    return tuple(
        BorrowedVolume(name=demo_logs(key), path=f"{HOST_DIR}{PurePosixPath(log.path).parent}/{key}")
        for log in log_files(context)
        for key in log.demo
    )


# -- telemetry -------------------------------------------------------------------------------------------------------


def folders(read: Sequence[LogFile]) -> list[str]:
    """The folders of the host that hold all these files, none of them below another."""
    found = sorted({folder(log.path) for log in read})
    return [path for path in found if not any(path.startswith(f"{other}/") for other in found)]


# -- component -------------------------------------------------------------------------------------------------------


class Promtail(Component[Settings]):
    """Promtail, which collects log lines."""

    name = NAME
    settings = Settings

    def telemetry(self, own: Settings, context: Planning) -> Telemetry:
        """Promtail is scraped and has alerts about lines that do not reach Loki."""
        asked = [Need(what=LOG_STORE, why=f"{NAME} sends its lines to it")]
        if context.settings.target == "docker":
            asked.append(Need(what=DOCKER_API, why=f"{NAME} finds containers and reads their lines through it"))
        return Telemetry(
            offers=(LOG_FILES,),
            needs=tuple(asked),
            rows=(StackRow(title="Promtail", panels=pack.panels(), position=50),),
            scrape=(ScrapeJob(name=NAME, series=SeriesCount(target=270), **scraped(context, NAME, PORT, agent=True)),),
            rules=(RuleGroup(name="promtail", alerts=pack.alerts(context.system.tune)),),
        )

    def workloads(self, own: Settings, context: Planned) -> tuple[Workload, ...]:
        """One Promtail; how far it has read stands on a volume, so a restart neither loses nor repeats lines."""
        lent = borrowed(context)
        read = [log for log in log_files(context) if not (lent and log.demo)]
        pods = context.settings.target == "kubernetes"
        mounts = tuple(
            # a missing folder would be made as root's, where the application that comes later could not write; of the
            # many nodes of a cluster not all have it
            HostMount(source=source, path=f"{HOST_DIR}{source}", reason="reads the log files of the host", create=pods)
            for source in folders(read)
        )
        if pods:
            mounts += (HostMount(source=PODS_DIR, path=PODS_DIR, reason="reads what the pods of this node write"),)
        exemptions: tuple[Exemption, ...] = ()
        if mounts:
            exemptions = (Exemption(rule="host-mount", reason="reads the log files of the host"),)
        if pods:
            exemptions += (Exemption(rule="root-user", reason="pods' log files are readable by root alone"),)
        return (
            Workload(
                name=NAME,
                image="promtail",
                limits=limits(own, memory=128),
                args=(f"-config.file={CONFIG_DIR}/promtail.yml", "-server.enable-runtime-reload"),
                config=ConfigDir(
                    path=CONFIG_DIR,
                    files={"promtail.yml": dump(config(own, context))},
                    validate=("/usr/bin/promtail", "-check-syntax", "-config.file={dir}/promtail.yml"),
                    reload=Reload(port=PORT, path="/reload"),
                ),
                ports=(published(context, NAME, PORT),),
                volumes=(DataVolume(name="promtail-positions", path=DATA_DIR, retain=context.settings.retain_data),),
                borrowed=lent,
                host_mounts=mounts,
                groups=tuple(sorted({log.group for log in read if log.group is not None})),
                exemptions=exemptions,
                probe=HttpProbe(path="/ready", port=PORT),
                placement="node-agent",
                told={"HOSTNAME": "node-name"} if pods else {},
                access=(Access(resources=("pods",)),) if pods else (),
                after=(
                    *(("socket-proxy",) if context.enabled("socket-proxy") else ()),
                    *(store.workload for store in context.telemetry.log_stores),
                    *(key for log in log_files(context) if lent for key in log.demo),
                ),
            ),
        )
