"""Loki: keeps log lines, as one process or as parts that share an object store, with a TSDB index.

Format: https://grafana.com/docs/loki/latest/configure/. Limits live in a runtime file that Loki reads again by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any, Literal

import yaml
from pydantic import Field, model_validator

from components.base import limits, published
from components.documents import dump
from model import openings
from model.base import Duration, Strict
from model.capacity import limit_mib, loki_disk, loki_memory, volume_size
from model.checks.times import keeping_logs
from model.component import Component, Planned, Planning
from model.errors import Inconsistent, Problem
from model.naming import scraped
from model.object_store import Storage, access
from model.packs import loki as pack
from model.places import in_section
from model.secret import Secret
from model.settings import ComponentSettings
from model.telemetry import (
    LOG_STORE,
    Datasource,
    LogStore,
    Opening,
    Route,
    RuleGroup,
    ScrapeJob,
    SeriesCount,
    StackRow,
    Telemetry,
)
from model.workload import ConfigDir, DataVolume, HttpProbe, Port, Reload, Workload

NAME = "loki"
PORT, GRPC_PORT, GOSSIP_PORT = 3100, 9095, 7946
CONFIG_DIR = "/etc/loki"
DATA_DIR = "/loki"
CREDENTIALS = "/run/secrets/loki-s3-credentials"
CA = "ca.pem"
SECRET_KEY = "loki-s3-secret-key"  # noqa: S105 - its name
TENANT = "fake"
"""The tenant of every line while authentication is off; Loki's own name for it."""
WRITE, READ, BACKEND = f"{NAME}-write", f"{NAME}-read", f"{NAME}-backend"
SERIES = {NAME: 2100, WRITE: 1600, READ: 1400, BACKEND: 1300}  # of an instance, by workload
MOST_COPIES = 3  # of each line: one may be away and two still agree; more would only cost


class Replicas(Strict):
    """Instances of each part."""

    write: Annotated[int, Field(ge=1, le=30)] = 3
    """Instances that take lines, each with a volume; each line is on three of them, or on all where they are fewer."""
    read: Annotated[int, Field(ge=1, le=30)] = 2
    """Instances that answer queries; they keep nothing."""
    backend: Annotated[int, Field(ge=1, le=10)] = 2
    """Instances that read the index, delete old lines and evaluate rules."""


class Settings(ComponentSettings):
    """Loki."""

    mode: Literal["single", "simpleScalable"] = "single"
    """One process, or parts for writing, reading and the rest that grow apart; the latter on Kubernetes only.

    Source: https://grafana.com/docs/loki/latest/get-started/deployment-modes/#simple-scalable"""
    replicas: Replicas | None = None
    """Instances of the parts in mode simpleScalable."""
    storage: Storage = Field(default_factory=Storage)
    """Where lines are kept. Lines of before a change stay where they are, and are not found any more."""
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

    @model_validator(mode="after")
    def _parts_share(self) -> Settings:
        found = []
        if self.mode == "simpleScalable" and self.storage.s3 is None:
            found.append(Problem("storage.s3", "is required by mode simpleScalable: its parts share a bucket"))
        if self.mode == "single" and self.replicas is not None:
            found.append(Problem("replicas", "mode single is one process; count instances in mode simpleScalable"))
        if found:
            raise Inconsistent(found)
        return self


def parts(own: Settings, context: Planning) -> Mapping[str, int]:
    """Instances by workload; empty where Loki is one process, as it is planned where parts are refused."""
    if own.mode == "single" or context.settings.target != "kubernetes":
        return {}
    wanted = own.replicas or Replicas()
    return {BACKEND: wanted.backend, WRITE: wanted.write, READ: wanted.read}


# -- documents -------------------------------------------------------------------------------------------------------


def config(own: Settings, context: Planning) -> dict[str, Any]:
    """loki.yaml as a dict: everything that Loki reads only when it starts, the same for all parts."""
    kind = "s3" if own.storage.s3 else "filesystem"
    period = {"prefix": "index_", "period": "24h"}
    schema = {"from": "2024-01-01", "store": "tsdb", "object_store": kind, "schema": "v13", "index": period}
    return {
        "auth_enabled": False,
        "server": {"http_listen_port": PORT, "grpc_listen_port": GRPC_PORT, "log_level": "warn"},
        **together(own, context),
        "schema_config": {"configs": [schema]},
        "ingester": {"wal": {"dir": f"{DATA_DIR}/wal", "flush_on_shutdown": True}, "chunk_idle_period": "30m"},
        "compactor": {
            "working_directory": f"{DATA_DIR}/compactor",
            "compaction_interval": "10m",
            "retention_enabled": True,  # without this a retention period is only a number
            "retention_delete_delay": "2h",
            "delete_request_store": kind,
        },
        "limits_config": {"allow_structured_metadata": True, "volume_enabled": True},
        "query_range": {"parallelise_shardable_queries": True},
        "frontend": {"encoding": "protobuf"},
        "runtime_config": {"file": f"{CONFIG_DIR}/runtime.yaml", "period": "2s"},
        "analytics": {"reporting_enabled": False},
    }


def together(own: Settings, context: Planning) -> dict[str, Any]:
    """How parts find each other, by gossip, and those among them that read the index; one process asks nobody.

    Source: https://grafana.com/docs/loki/latest/configure/#memberlist
    """
    found, kept = parts(own, context), {"storage": storage(own)}
    if not found:
        alone = {"replication_factor": 1, "ring": {"kvstore": {"store": "inmemory"}}}
        return {"common": {"instance_addr": "127.0.0.1", "path_prefix": DATA_DIR, **alone, **kept}}
    copies, compactor = min(found[WRITE], MOST_COPIES), f"http://{context.address(BACKEND, PORT)}"
    gossip = {"compactor_address": compactor, "ring": {"kvstore": {"store": "memberlist"}}}
    gateway = {"server_address": f"dns+{context.peers(BACKEND, GRPC_PORT)}"}
    return {
        "common": {"path_prefix": DATA_DIR, "replication_factor": copies, **gossip, **kept},
        "memberlist": {
            "bind_port": GOSSIP_PORT,
            "join_members": [f"dns+{context.peers(name, GOSSIP_PORT)}" for name in (WRITE, BACKEND)],
            "rejoin_interval": "30s",  # all start at once, so that some may first have found none but themselves
            "abort_if_cluster_join_fails": False,
        },
        "storage_config": {"tsdb_shipper": {"index_gateway_client": gateway}},
    }


def storage(own: Settings) -> dict[str, Any]:
    """The place of chunks, index and rules; neither half of an access key stands here.

    Source: https://grafana.com/docs/loki/latest/configure/#s3_storage_config
    """
    s3 = own.storage.s3
    if s3 is None:
        return {"filesystem": {"chunks_directory": f"{DATA_DIR}/chunks", "rules_directory": f"{DATA_DIR}/rules"}}
    found: dict[str, Any] = {"bucketnames": s3.bucket, "region": s3.region or "us-east-1"}
    if s3.endpoint:
        found |= {"endpoint": s3.endpoint, "insecure": s3.insecure}
    if s3.ca_certificate:
        found["http_config"] = {"ca_file": f"{CONFIG_DIR}/{CA}"}
    return {"s3": {**found, "s3forcepathstyle": s3.path_style}}


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


# -- workload --------------------------------------------------------------------------------------------------------


def single(own: Settings, context: Planning) -> Workload:
    """One Loki with index, chunks and write-ahead log on a volume; with a bucket, what is not yet in it."""
    memory = limit_mib(loki_memory(context.system), 512)
    size = volume_size(0 if own.storage.s3 else loki_disk(context.system, own.retention))
    trusted = own.storage.s3.ca_certificate if own.storage.s3 else None
    files = {
        "loki.yaml": dump(config(own, context)),
        "runtime.yaml": runtime(own),
        **({CA: trusted} if trusted else {}),
    }
    return Workload(
        name=NAME,
        image="loki",
        limits=limits(own, memory=memory, cpus=2.0, pids=512),
        args=(f"-config.file={CONFIG_DIR}/loki.yaml",),
        config=ConfigDir(
            path=CONFIG_DIR,
            files=files,
            restart_on=frozenset(files.keys() - {"runtime.yaml"}),
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
        volumes=(DataVolume(name="loki-data", path=DATA_DIR, retain=context.settings.retain_data, size=size),),
        probe=HttpProbe(path="/ready", port=PORT, start_period=60),
        stop_seconds=60,
        **access(own.storage.s3, file=CREDENTIALS, secret=SECRET_KEY),
    )


def part(context: Planning, one: Workload, name: str, count: int) -> Workload:
    """A part: that which reads keeps nothing, so it has no volume."""
    kept = name != READ
    volume = DataVolume(name=f"{name}-data", path=DATA_DIR, retain=context.settings.retain_data)
    return replace(
        one,
        name=name,
        args=(*one.args, f"-target={name.removeprefix(f'{NAME}-')}"),
        ports=(Port(number=PORT), Port(number=GRPC_PORT, name="grpc"), Port(number=GOSSIP_PORT, name="gossip")),
        replicas=count,
        volumes=(volume,) if kept else (),
        tmpfs=one.tmpfs if kept else (*one.tmpfs, DATA_DIR),
        after=(BACKEND,) if name == READ else (),  # it is ready once it has found who plans its queries
        # it brings what it holds to the bucket; what is left after that is on its volume, so nobody need wait for it
        stop_seconds=180 if name == WRITE else one.stop_seconds,
    )


# -- component -------------------------------------------------------------------------------------------------------


class Loki(Component[Settings]):
    """Loki, which stores log lines."""

    name = NAME
    settings = Settings

    def telemetry(self, own: Settings, context: Planning) -> Telemetry:
        """Loki is scraped, is a data source, takes lines, and has alerts about those it refuses or fails to delete."""
        every = parts(own, context)
        asked, told, rest = (context.address(name if every else NAME, PORT) for name in (READ, WRITE, BACKEND))
        series = {name: SeriesCount(target=count) for name, count in SERIES.items()}
        jobs = tuple(
            ScrapeJob(name=name, series=series[name], **scraped(context, name, PORT, replicas=count))
            for name, count in (every or {NAME: 1}).items()
        )
        elsewhere = {"push": (told, openings.PUSH), "rules": (rest, Opening())} if every else {}
        routes = (
            Route(name=f"{NAME}-{what}", prefix=f"/loki/api/v1/{what}", url=f"http://{at}", open=(way,))
            for what, (at, way) in elsewhere.items()
        )
        source = Datasource(uid="loki", name="Loki", kind="loki", url=f"http://{asked}", json_data={"maxLines": 1000})
        return Telemetry(
            rows=(StackRow(title="Loki", panels=pack.panels(), position=30),),
            scrape=jobs,
            datasources=(source,),
            rules=(RuleGroup(name="loki", alerts=pack.alerts(context.system.tune)),),
            routes=(Route(name=NAME, prefix="/loki", url=f"http://{asked}", open=openings.LOKI), *routes),
            offers=(LOG_STORE,),
            log_stores=(LogStore(url=f"http://{told}/loki/api/v1/push", workload=WRITE if every else NAME),),
        )

    def problems(self, own: Settings, context: Planned) -> list[Problem]:
        """What the target cannot run, and limits that contradict each other."""
        target = context.settings.target
        found = keeping_logs(context, NAME, own)
        if own.mode != "single" and not parts(own, context):
            message = f"{own.mode!r} needs target 'kubernetes'; on {target!r} use 'single', which takes a bucket too"
            return [*found, Problem(in_section(context.stack, NAME, "mode"), message)]
        return found

    def secrets(self, own: Settings, context: Planning) -> tuple[Secret, ...]:
        """The secret half of the access key, where one is named."""
        s3 = own.storage.s3
        if s3 is None or s3.access_key_id is None:
            return ()
        return (Secret(name=SECRET_KEY, purpose=f"the secret key of {s3.access_key_id} for the bucket {s3.bucket}"),)

    def workloads(self, own: Settings, context: Planned) -> tuple[Workload, ...]:
        """One Loki with its data on a volume, or its parts."""
        one = single(own, context)
        return tuple(part(context, one, name, count) for name, count in parts(own, context).items()) or (one,)
