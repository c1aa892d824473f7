"""Loki: keeps log lines, as a single process with a TSDB index and chunks on a volume.

Format: https://grafana.com/docs/loki/latest/configure/. Limits live in a runtime file that Loki reads again by itself.
"""

from __future__ import annotations

from typing import Annotated, Any

import yaml
from pydantic import Field

from components.base import MonitoringComponent, identity, limits, published
from components.documents import dump
from model.base import Duration
from model.capacity import limit_mib, loki_memory
from model.packs import loki as pack
from model.plan import Context, Secret
from model.settings import ComponentSettings
from model.telemetry import Datasource, Route, RuleGroup, ScrapeJob, ScrapeTarget, Telemetry
from model.workload import ConfigDir, DataVolume, HttpProbe, Reload, Workload

NAME = "loki"
PORT = 3100
CONFIG_DIR = "/etc/loki"
DATA_DIR = "/loki"
TENANT = "fake"
"""The tenant of every line while authentication is off; Loki's own name for it."""


class Settings(ComponentSettings):
    """Loki."""

    retention: Duration = "360h"
    """How long lines are kept; the compactor deletes older ones."""
    ingestion_rate_mb: Annotated[int, Field(ge=1, le=1024)] = 8
    """Mean rate of accepted lines, in MB per second."""
    ingestion_burst_size_mb: Annotated[int, Field(ge=1, le=4096)] = 16
    """Burst above the mean rate, in MB."""
    max_entries_limit_per_query: Annotated[int, Field(ge=1)] = 5000
    """Lines that one query may return."""
    max_query_length: Duration = "721h"
    """Longest time range of a query."""
    max_streams: Annotated[int, Field(ge=1)] = 10_000
    """Active streams (distinct sets of labels); protects from labels with too many values."""


# -- documents -------------------------------------------------------------------------------------------------------


def config() -> dict[str, Any]:
    """loki.yaml as a dict: everything that Loki reads only when it starts."""
    return {
        "auth_enabled": False,
        "server": {"http_listen_port": PORT, "grpc_listen_port": 9095, "log_level": "warn"},
        "common": {
            "instance_addr": "127.0.0.1",
            "path_prefix": DATA_DIR,
            "replication_factor": 1,
            "ring": {"kvstore": {"store": "inmemory"}},
            "storage": {
                "filesystem": {"chunks_directory": f"{DATA_DIR}/chunks", "rules_directory": f"{DATA_DIR}/rules"}
            },
        },
        "schema_config": {
            "configs": [
                {
                    "from": "2024-01-01",
                    "store": "tsdb",
                    "object_store": "filesystem",
                    "schema": "v13",
                    "index": {"prefix": "index_", "period": "24h"},
                }
            ]
        },
        "ingester": {"wal": {"dir": f"{DATA_DIR}/wal", "flush_on_shutdown": True}, "chunk_idle_period": "30m"},
        "compactor": {
            "working_directory": f"{DATA_DIR}/compactor",
            "compaction_interval": "10m",
            "retention_enabled": True,  # without this a retention period is only a number
            "retention_delete_delay": "2h",
            "delete_request_store": "filesystem",
        },
        "limits_config": {"allow_structured_metadata": True, "volume_enabled": True},
        "query_range": {"parallelise_shardable_queries": True},
        "frontend": {"encoding": "protobuf"},
        "runtime_config": {"file": f"{CONFIG_DIR}/runtime.yaml", "period": "2s"},
        "analytics": {"reporting_enabled": False},
    }


def runtime(own: Settings) -> str:
    """runtime.yaml: the limits, written exactly as Loki writes them back, so that its digest is that of this text.

    Loki exposes the digest of what it loaded after parsing and writing it (keys sorted, four spaces); see
    https://grafana.com/docs/loki/latest/configure/#runtime-configuration-file.
    """
    overrides = {
        "ingestion_burst_size_mb": own.ingestion_burst_size_mb,
        "ingestion_rate_mb": own.ingestion_rate_mb,
        "max_entries_limit_per_query": own.max_entries_limit_per_query,
        "max_global_streams_per_user": own.max_streams,
        "max_query_length": own.max_query_length,
        "per_stream_rate_limit": f"{own.ingestion_rate_mb}MB",
        "per_stream_rate_limit_burst": f"{own.ingestion_burst_size_mb}MB",
        "retention_period": own.retention,
    }
    return yaml.safe_dump({"overrides": {TENANT: overrides}}, sort_keys=True, indent=4)


# -- telemetry -------------------------------------------------------------------------------------------------------


def telemetry(context: Context) -> Telemetry:
    """Loki is scraped, is a data source, and has alerts about lines it refuses or fails to delete."""
    address = context.address(NAME, PORT)
    target = ScrapeTarget(address=address, labels=identity(context, NAME))
    return Telemetry(
        scrape=(ScrapeJob(name=NAME, targets=(target,)),),
        datasources=(
            Datasource(uid="loki", name="Loki", kind="loki", url=f"http://{address}", json_data={"maxLines": 1000}),
        ),
        rules=(RuleGroup(name="loki", alerts=pack.alerts(context.system.tune)),),
        routes=(Route(name=NAME, prefix="/loki", url=f"http://{address}"),),
    )


# -- workload --------------------------------------------------------------------------------------------------------


def secrets(context: Context) -> tuple[Secret, ...]:
    """Loki needs none."""
    return ()


def workloads(context: Context) -> tuple[Workload, ...]:
    """One Loki with index, chunks and write-ahead log on a volume."""
    own = context.own(Settings)
    memory = limit_mib(loki_memory(context.system), 512)
    return (
        Workload(
            name=NAME,
            image="loki",
            limits=limits(own, memory=memory, cpus=2.0, pids=512),
            args=(f"-config.file={CONFIG_DIR}/loki.yaml",),
            config=ConfigDir(
                path=CONFIG_DIR,
                files={"loki.yaml": dump(config()), "runtime.yaml": runtime(own)},
                restart_on=frozenset({"loki.yaml"}),
                validate=("/usr/bin/loki", "-config.file={dir}/loki.yaml", "-verify-config"),
                reload=Reload(
                    port=PORT,
                    path=None,
                    success_metric="loki_runtime_config_last_reload_successful",
                    digest_metric="loki_runtime_config_hash",
                    digest_file="runtime.yaml",
                ),
            ),
            ports=(published(context, NAME, PORT, default=3100),),
            volumes=(DataVolume(name="loki-data", path=DATA_DIR, retain=context.settings.retain_data),),
            probe=HttpProbe(path="/ready", port=PORT, start_period=60),
            stop_seconds=60,
        ),
    )


# -- resource --------------------------------------------------------------------------------------------------------


class Loki(MonitoringComponent):
    """Loki as a ComponentResource."""


Resource = Loki
