"""Demo workload: stand-ins for the system's services and databases, to see the stack alive before yours is there.

Each service is imitated from its YAML: metrics with believable traffic, JSON log lines, and faults that are switched
on over HTTP (/demo/faults). The databases are real.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Annotated, Any

from pydantic import Field

from components.base import build_limits, open_port
from model.component import Component, Planned, Planning
from model.naming import can_share_files, derive_demo_log_volume, derive_host
from model.probing import get_path
from model.scope import OnlyOn
from model.service import Database, Metric, Service
from model.settings import ComponentSettings
from model.telemetry import STAND_INS, Telemetry
from model.workload import ConfigDir, DataVolume, ExecProbe, HttpProbe, Port, Reload, SecretFile, Workload

NAME = "demo-workload"
CONFIG_DIR = "/etc/demo"
LOGS_DIR = "/var/log/demo"
WEBHOOK, WEBHOOK_PORT = "demo-webhook", 8080
LIKE = {"in_flight": "active", "pool_idle": "active", "query_duration": "generic"}
"""Roles that the demo imitates as it does others."""


class Settings(ComponentSettings):
    """The demo workload; deployed only where `demo` is set."""

    publish: Annotated[bool, OnlyOn("docker")] = True
    """Publish each service's port on the host where no other part wants it, so that faults can be sent."""
    request_rate: float = Field(default=20.0, gt=0, le=2000)
    """Requests per second that each service pretends to serve."""


# -- documents -------------------------------------------------------------------------------------------------------


def build_spec(own: Settings, context: Planned, key: str, service: Service) -> dict[str, Any]:
    """What the demo must imitate of one service."""
    errors = sorted(
        {value for m in service.find_metrics("requests").values() for value in _list_error_values(service, m)}
    )
    entry: dict[str, Any] = {
        "port": service.port,
        "metricsPath": service.metrics_path,
        "metrics": [build_metric(name, item) for name, item in _list_families(service).items()],
        "statusLabel": service.status_label,
        "pathLabel": service.path_label,
        "health": [*dict.fromkeys(map(get_path, service.health))],
        "logs": build_logs(context, key, service),
        "requestRate": own.request_rate,
    }
    if errors:
        entry["errorStatuses"] = errors
    if takers := [*(f"{url}/v1/traces" for url in context.telemetry.gateways), *context.telemetry.spans]:
        entry["traces"] = takers[0]
    return {"system": context.system.name, "services": {key: entry}}


def _list_families(service: Service) -> dict[str, Metric]:
    """What it exposes; the count of a histogram or summary comes with that."""
    timers = {name for name, item in service.metrics.items() if item.type in ("histogram", "summary")}
    return {name: item for name, item in service.metrics.items() if name.removesuffix("_count") not in timers - {name}}


def build_logs(context: Planning, key: str, service: Service) -> dict[str, Any]:
    """What the demo must write: lines to its output, and to a file where the system's host logs say so."""
    entry: dict[str, Any] = {
        "format": "json" if service.logs.format == "json" else "logfmt",
        # the stand-in knows the level by this name alone, where it is looked for as well
        "fields": ["level" if name == service.logs.level_field else name for name in service.logs.fields],
    }
    if service.logs.samples:
        entry["samples"] = [dict(sample) for sample in service.logs.samples]
    if writes_files(context, key):
        entry["file"] = f"{LOGS_DIR}/{key}.log"
    return entry


def writes_files(context: Planning, key: str) -> bool:
    """Whether a service writes one of the system's log files on the host."""
    return can_share_files(context) and any(key in log.written_by for log in context.system.host_logs)


def _list_error_values(service: Service, item: Metric) -> list[str]:
    return [value for value in item.labels.get(service.status_label, ()) if value.startswith("5")]


def build_metric(name: str, item: Metric) -> dict[str, Any]:
    """One metric of a spec."""
    entry: dict[str, Any] = {
        "name": name,
        "type": item.type,
        "help": item.help or name,
        "unit": item.unit,
        "labels": {label: list(values) for label, values in item.labels.items()},
        "role": LIKE.get(item.role, item.role),
    }
    if item.buckets:
        entry["buckets"] = list(item.buckets)
    if item.baseline is not None:
        entry["baseline"] = item.baseline
    return entry


# -- workload --------------------------------------------------------------------------------------------------------


def build_service_workload(own: Settings, context: Planned, key: str, service: Service) -> Workload:
    """The stand-in of one service, under the name and port by which that is reached."""
    volumes = (
        (DataVolume(name=derive_demo_log_volume(key), path=LOGS_DIR, retain=False),)
        if writes_files(context, key)
        else ()
    )
    text = json.dumps(build_spec(own, context, key, service), indent=2)
    return Workload(
        name=derive_host(context, key),
        image="demo",
        limits=build_limits(own, memory=64, cpus=0.5),
        args=("-spec", f"{CONFIG_DIR}/spec.json", "-service", key, "-listen", f":{service.port}"),
        config=ConfigDir(
            path=CONFIG_DIR,
            files={"spec.json": text},
            validate=("/bin/demo", "-check", "{dir}/spec.json"),
            reload=Reload(port=service.port, path="/demo/reload", metrics_path=service.metrics_path),
        ),
        # 8080 is the port of every other service, and Traefik's
        ports=(
            replace(open_port(context, NAME, service.port, host=service.port if own.publish else None), yields=True),
        ),
        volumes=volumes,
        labels=service.kubernetes.selector if service.kubernetes else {},
        probe=HttpProbe(path="/demo/healthz", port=service.port),
        stop_seconds=5,
    )


def build_webhook(own: Settings, context: Planning) -> Workload:
    """A receiver that keeps what Alertmanager sends, to be read back at /demo/webhook."""
    return Workload(
        name=WEBHOOK,
        image="demo",
        limits=build_limits(own, memory=64, cpus=0.25),
        args=("-service", "webhook", "-listen", f":{WEBHOOK_PORT}"),
        ports=(Port(number=WEBHOOK_PORT),),
        probe=HttpProbe(path="/demo/healthz", port=WEBHOOK_PORT),
        stop_seconds=5,
    )


def build_database_workload(own: Settings, context: Planning, key: str, database: Database) -> Workload:
    """A real database where the system expects one."""
    return (
        build_postgres(own, context, key, database)
        if database.kind == "postgres"
        else build_redis(own, context, key, database)
    )


def build_postgres(own: Settings, context: Planning, key: str, database: Database) -> Workload:
    """PostgreSQL with the statement statistics that the exporter reads. Its data goes with the stack."""
    secret = database.password_secret or f"{key}-password"
    name = database.derive_stand_in_name(key)
    return Workload(
        name=name,
        image="postgres",
        limits=build_limits(own, memory=256, cpus=0.5),
        # a quarter of its memory, as PostgreSQL advises: its default of 128 MiB leaves too little for 50 connections,
        # and the kernel then kills one of them, after which all others are closed and statistics are gone
        args=("-c", "shared_preload_libraries=pg_stat_statements", "-c", "shared_buffers=64MB"),
        env={
            "PGDATA": "/var/lib/postgresql/data/pgdata",
            "POSTGRES_DB": database.database,
            "POSTGRES_USER": database.user,
            "POSTGRES_PASSWORD_FILE": f"/run/secrets/{secret}",
        },
        secrets=(SecretFile(path=f"/run/secrets/{secret}", secret=secret),),
        ports=(Port(number=database.listens, name="postgres"),),
        volumes=(DataVolume(name=f"{name}-data", path="/var/lib/postgresql/data", retain=False),),
        tmpfs=("/tmp", "/var/run/postgresql"),  # noqa: S108 - mount points inside the container
        probe=ExecProbe(command=("pg_isready", "-q", "-h", "127.0.0.1", "-U", database.user)),
    )


def build_redis(own: Settings, context: Planning, key: str, database: Database) -> Workload:
    """Redis; its snapshots go with the stack."""
    name = database.derive_stand_in_name(key)
    return Workload(
        name=name,
        image="redis",
        limits=build_limits(own, memory=64, cpus=0.25),
        args=("--dir", "/data", "--appendonly", "no", "--protected-mode", "no"),
        ports=(Port(number=database.listens, name="redis"),),
        volumes=(DataVolume(name=f"{name}-data", path="/data", retain=False),),
        probe=ExecProbe(command=("redis-cli", "ping")),
    )


# -- component -------------------------------------------------------------------------------------------------------


class DemoWorkload(Component[Settings]):
    """Stand-ins for the services and databases of the system."""

    name = NAME
    settings = Settings

    def telemetry(self, own: Settings, context: Planning) -> Telemetry:
        """None of its own: it stands for services that are in the system's telemetry already."""
        return Telemetry(offers=(STAND_INS,)) if context.settings.demo else Telemetry()

    def workloads(self, own: Settings, context: Planned) -> tuple[Workload, ...]:
        """One container per service, the webhook receiver, and the databases."""
        if not context.settings.demo:
            return ()
        services = tuple(
            build_service_workload(own, context, key, item) for key, item in context.system.services.items()
        )
        databases = tuple(
            build_database_workload(own, context, key, item) for key, item in context.system.databases.items()
        )
        return (build_webhook(own, context), *databases, *services)
