"""Promtail: collects the output of every container and the log files of the host, and pushes them to Loki.

Format: https://grafana.com/docs/loki/latest/send-data/promtail/configuration/.
"""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any

from components.base import MonitoringComponent, identity, limits, published
from components.documents import dump
from model.naming import LABEL
from model.plan import Context, Secret
from model.settings import ComponentSettings
from model.telemetry import AlertRule, LogFile, RuleGroup, ScrapeJob, ScrapeTarget, Telemetry
from model.workload import ConfigDir, DataVolume, Exemption, HostMount, HttpProbe, Reload, Workload

NAME = "promtail"
PORT = 9080
CONFIG_DIR = "/etc/promtail"
DATA_DIR = "/positions"
HOST_DIR = "/host"
DISCOVERY = "__meta_docker_container_label_" + LABEL.replace(".", "_")
STRUCTURED = ("request_id", "trace_id", "span_id", "user_id")
"""Fields that people search by and that have too many values for an index: stored beside the line."""


class Settings(ComponentSettings):
    """Promtail."""


# -- documents -------------------------------------------------------------------------------------------------------


def config(context: Context) -> dict[str, Any]:
    """promtail.yml as a dict."""
    jobs = [docker_job(context)]
    jobs += [file_job(context, log) for log in log_files(context)]
    return {
        "server": {"http_listen_port": PORT, "grpc_listen_port": 0, "log_level": "warn"},
        "positions": {"filename": f"{DATA_DIR}/positions.yaml", "sync_period": "5s"},
        "clients": [
            {
                "url": f"http://{context.address('loki', 3100)}/loki/api/v1/push",
                "batchwait": "500ms",
                "external_labels": {"environment": context.settings.environment, "stack": context.stack},
                # Loki may be away for long: tried again for about an hour, the position stays at the last success
                "backoff_config": {"min_period": "500ms", "max_period": "1m", "max_retries": 60},
            }
        ],
        "limits_config": {"max_streams": 0},
        "scrape_configs": jobs,
    }


def docker_job(context: Context) -> dict[str, Any]:
    """All containers of the engine, seen through the read-only socket proxy."""
    return {
        "job_name": "containerlogs",
        "docker_sd_configs": [{"host": f"tcp://{context.address('socket-proxy', 2375)}", "refresh_interval": "2s"}],
        "relabel_configs": [
            {"target_label": "job", "replacement": "containerlogs"},
            {"source_labels": ["__meta_docker_container_name"], "regex": "/(.*)", "target_label": "container"},
            {"source_labels": ["container"], "target_label": "service"},
            _unless_empty("__meta_docker_container_label_com_docker_compose_service", "service"),
            _unless_empty(f"{DISCOVERY}_workload", "service"),
        ],
        "pipeline_stages": pipeline(),
    }


def _unless_empty(source: str, target: str) -> dict[str, Any]:
    return {"source_labels": [source], "regex": "(.+)", "target_label": target}


def pipeline() -> list[dict[str, Any]]:
    """JSON lines give level (a label: it has few values) and the fields people search by; others pass as they are."""
    fields = {"level": "level", "severity": "severity", **{name: name for name in STRUCTURED}}
    return [
        {
            "match": {
                "selector": '{job=~".+"} |~ "^\\\\s*\\\\{"',
                "stages": [
                    {"json": {"expressions": fields}},
                    {"template": {"source": "level", "template": "{{ or .level .severity | ToLower }}"}},
                    {"labels": {"level": None}},
                    {"structured_metadata": dict.fromkeys(STRUCTURED)},
                ],
            }
        }
    ]


def log_files(context: Context) -> tuple[LogFile, ...]:
    """The log files of the system and of all components."""
    own = tuple(LogFile(job=log.job, path=log.path, labels=log.labels) for log in context.system.host_logs)
    return own + context.telemetry.log_files


def file_job(context: Context, log: LogFile) -> dict[str, Any]:
    """Files of the host, followed by name."""
    labels = {"job": log.job, "service": log.job, **log.labels, "__path__": f"{HOST_DIR}{log.path}"}
    return {
        "job_name": log.job,
        "static_configs": [{"targets": ["localhost"], "labels": labels}],
        "pipeline_stages": pipeline(),
    }


# -- telemetry -------------------------------------------------------------------------------------------------------


def telemetry(context: Context) -> Telemetry:
    """Promtail is scraped and has alerts about lines that do not reach Loki."""
    target = ScrapeTarget(address=context.address(NAME, PORT), labels=identity(context, NAME))
    return Telemetry(
        scrape=(ScrapeJob(name=NAME, targets=(target,)),), rules=(RuleGroup(name="promtail", alerts=alerts()),)
    )


def alerts() -> tuple[AlertRule, ...]:
    """Alerts about Promtail."""
    return (
        AlertRule(
            name="PromtailDropsLines",
            expr="sum by (service, reason) (increase(promtail_dropped_entries_total[5m])) > 0",
            hold="5m",
            severity="warning",
            summary="Promtail dropped {{ $value | humanize }} lines in 5 minutes: {{ $labels.reason }}",
            description="These lines are lost: Loki was away for too long or refuses them.",
        ),
        AlertRule(
            name="PromtailRequestErrors",
            # one push in ten failing for a quarter of an hour is no restart of Loki
            expr='sum by (service) (rate(promtail_request_duration_seconds_count{status_code!~"2.."}[5m]))'
            " / sum by (service) (rate(promtail_request_duration_seconds_count[5m])) > 0.1",
            hold="15m",
            severity="critical",
            summary="{{ $value | humanizePercentage }} of the pushes to Loki fail",
            description="Lines wait in Promtail and are dropped when it gives up. Look at Loki.",
        ),
    )


# -- workload --------------------------------------------------------------------------------------------------------


def secrets(context: Context) -> tuple[Secret, ...]:
    """Promtail needs none."""
    return ()


def workloads(context: Context) -> tuple[Workload, ...]:
    """One Promtail; how far it has read stands on a volume, so a restart neither loses nor repeats lines."""
    own = context.own(Settings)
    folders = sorted({str(PurePosixPath(log.path).parent) for log in log_files(context)})
    mounts = tuple(
        HostMount(source=folder, path=f"{HOST_DIR}{folder}", reason="reads the log files of the host")
        for folder in folders
    )
    return (
        Workload(
            name=NAME,
            image="promtail",
            limits=limits(own, memory=128),
            args=(f"-config.file={CONFIG_DIR}/promtail.yml", "-server.enable-runtime-reload"),
            config=ConfigDir(
                path=CONFIG_DIR,
                files={"promtail.yml": dump(config(context))},
                validate=("/usr/bin/promtail", "-check-syntax", "-config.file={dir}/promtail.yml"),
                reload=Reload(port=PORT, path="/reload"),
            ),
            ports=(published(context, NAME, PORT),),
            volumes=(DataVolume(name="promtail-positions", path=DATA_DIR, retain=context.settings.retain_data),),
            host_mounts=mounts,
            exemptions=(Exemption(rule="host-mount", reason="reads the log files of the host"),) if mounts else (),
            probe=HttpProbe(path="/ready", port=PORT),
            after=("socket-proxy", "loki"),
        ),
    )


# -- resource --------------------------------------------------------------------------------------------------------


class Promtail(MonitoringComponent):
    """Promtail as a ComponentResource."""


Resource = Promtail
