"""Loki: keeps log lines, as one process or as parts that share an object store, with a TSDB index."""

from __future__ import annotations

from dataclasses import replace

from components.base import build_limits, publish_port
from components.documents import render_yaml
from components.loki import mixin as pack
from components.loki.documents import build_config, render_runtime
from components.loki.settings import (
    BACKEND,
    CA,
    CONFIG_DIR,
    CREDENTIALS,
    DATA_DIR,
    GOSSIP_PORT,
    GRPC_PORT,
    LIMITS,
    NAME,
    PORT,
    READ,
    SECRET_KEY,
    SERIES,
    WRITE,
    Settings,
    find_part,
    list_parts,
)
from model import openings
from model.backups import BackupSource
from model.capacity import choose_limit_mib, choose_volume_size, estimate_loki_disk, estimate_loki_memory
from model.checks.times import check_log_limits
from model.component import Component, Planned, Planning
from model.errors import Problem
from model.naming import build_scrape_targets
from model.object_store import S3, build_access
from model.places import locate_in_section
from model.route import Opening, Route
from model.secret import Secret
from model.stores import LogStore
from model.telemetry import LOG_FILES, LOG_STORE, Datasource, RuleGroup, ScrapeJob, SeriesCount, StackRow, Telemetry
from model.workload import MIB, ConfigDir, DataVolume, HttpProbe, Port, Reload, Workload


def build_volume(own: Settings, context: Planning) -> DataVolume:
    """The volume of a single Loki."""
    size = choose_volume_size(0 if own.storage.s3 else estimate_loki_disk(context.system, own.retention))
    return DataVolume(name="loki-data", path=DATA_DIR, retain=context.settings.retain_data, size=size)


def build_backup_source(own: Settings, context: Planning) -> BackupSource:
    """What of the volume is copied, and in which order: chunks that leave the write-ahead log meanwhile are written, an
    index that is handed over is in one of two places, and a chunk is written before the index names it.

    What the index gateway fetched is in the index already.
    """
    return BackupSource(
        workload=NAME,
        volume=build_volume(own, context),
        order=("wal", "tsdb-shipper-active", "chunks/index"),
        exclude=("tsdb-shipper-cache", "tsdb-shipper-cache/*"),
    )


def build_single_workload(own: Settings, context: Planned) -> Workload:
    """One Loki with index, chunks and write-ahead log on a volume; with a bucket, what is not yet in it."""
    memory = choose_limit_mib(estimate_loki_memory(context.system), 512)
    trusted = own.storage.s3.ca_certificate if own.storage.s3 else None
    files = {
        "loki.yaml": render_yaml(build_config(own, context)),
        "runtime.yaml": render_runtime(own),
        **({CA: trusted} if trusted else {}),
    }
    return Workload(
        name=NAME,
        image="loki",
        limits=build_limits(own, memory=memory, cpus=2.0, pids=512),
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
        ports=(publish_port(context, NAME, PORT, default=3100),),
        volumes=(build_volume(own, context),),
        probe=HttpProbe(path="/ready", port=PORT, start_period=60),
        stop_seconds=60,
        **build_access(own.storage.s3, file=CREDENTIALS, secret=SECRET_KEY),
    )


def build_part_workload(context: Planning, one: Workload, name: str, count: int) -> Workload:
    """A part, or several that do everything: that which reads keeps nothing, so it has no volume."""
    stores_data = name != READ
    volume = DataVolume(name=f"{name}-data", path=DATA_DIR, retain=context.settings.retain_data)
    return replace(
        one,
        name=name,
        args=(*one.args, f"-target={'all' if name == NAME else name.removeprefix(f'{NAME}-')}"),
        ports=(Port(number=PORT), Port(number=GRPC_PORT, name="grpc"), Port(number=GOSSIP_PORT, name="gossip")),
        replicas=count,
        volumes=(volume,) if stores_data else (),
        tmpfs=one.tmpfs if stores_data else (*one.tmpfs, DATA_DIR),
        after=(BACKEND,) if name == READ else (),  # it is ready once it has found who plans its queries
        # it brings what it holds to the bucket; what is left after that is on its volume, so nobody need wait for it
        stop_seconds=180 if name in (WRITE, NAME) else one.stop_seconds,
    )


def describe_bucket(s3: S3) -> str:
    """Where lines are that are in no volume of the stack's."""
    return (
        f"the log lines are in the bucket {s3.bucket}, and not backed up here: let the bucket keep versions of its"
        " objects, or replicate it"
    )


def check_burst(own: Settings, context: Planned) -> list[Problem]:
    """Less at once than one request with log records has: it would be refused, and tried again, for ever."""
    least = LIMITS.request_bytes // MIB
    if not context.telemetry.otlp_labels or own.ingestion_burst_size_mb >= least:
        return []
    where = locate_in_section(context.stack, NAME, "ingestionBurstSizeMb")
    message = f"{own.ingestion_burst_size_mb}: one request of a service that sends log records may be larger"
    return [Problem(where, f"{message}; use {least} at least")]


# -- component -------------------------------------------------------------------------------------------------------


class Loki(Component[Settings]):
    """Loki, which stores log lines."""

    name = NAME
    settings = Settings

    def telemetry(self, own: Settings, context: Planning) -> Telemetry:
        """Loki is scraped, is a data source, takes lines, and has alerts about those it refuses or fails to delete."""
        every = list_parts(own, context)
        read, write, backend = (context.address(find_part(name, every), PORT) for name in (READ, WRITE, BACKEND))
        series = {name: SeriesCount(target=count) for name, count in SERIES.items()}
        jobs = tuple(
            ScrapeJob(name=name, series=series[name], **build_scrape_targets(context, name, PORT, replicas=count))
            for name, count in (every or {NAME: 1}).items()
        )
        elsewhere = {"push": (write, openings.PUSH), "rules": (backend, Opening())} if write != read else {}
        routes = (
            Route(name=f"{NAME}-{what}", prefix=f"/loki/api/v1/{what}", url=f"http://{at}", open=(way,))
            for what, (at, way) in elsewhere.items()
        )
        source = Datasource(uid="loki", name="Loki", kind="loki", url=f"http://{read}", json_data={"maxLines": 1000})
        return Telemetry(
            rows=(StackRow(title="Loki", panels=pack.panels(), position=30),),
            scrape=jobs,
            datasources=(source,),
            rules=(RuleGroup(name="loki", alerts=pack.alerts(context.system.tune)),),
            routes=(Route(name=NAME, prefix="/loki", url=f"http://{read}", open=openings.LOKI), *routes),
            offers=(LOG_STORE,),
            backups=() if own.storage.s3 else (build_backup_source(own, context),),
            data_elsewhere=(describe_bucket(own.storage.s3),) if own.storage.s3 else (),
            log_stores=(
                LogStore(
                    url=f"http://{write}/loki/api/v1/push",
                    workload=find_part(WRITE, every),
                    otlp=f"http://{write}/otlp",
                    limits=LIMITS,
                ),
            ),
        )

    def problems(self, own: Settings, context: Planned) -> list[Problem]:
        """What the target cannot run, and limits that contradict each other."""
        target = context.settings.target
        problems = [*check_log_limits(context, NAME, own), *check_burst(own, context)]
        if own.mode != "single" and not list_parts(own, context):
            message = f"{own.mode!r} needs target 'kubernetes'; on {target!r} use 'single', which takes a bucket too"
            return [*problems, Problem(locate_in_section(context.stack, NAME, "mode"), message)]
        return problems

    def warnings(self, own: Settings, context: Planned) -> list[str]:
        """A store that nobody sends a line to: no part of the stack, and no machine that may; and a mode that ends."""
        opened = own.port or context.system.ports.get(NAME)
        pushed = opened or context.settings.access.list_machines("push")
        said = []
        if not pushed and LOG_FILES not in context.telemetry.offers:
            said.append(
                f"{locate_in_section(context.stack, NAME, 'enabled')}: true, but nobody sends lines to it, so panels"
                " and alerts on logs stay empty: let a program of yours push them ('push' in access.machines), or"
                " switch it off"
            )
        if own.mode == "simpleScalable":
            said.append(
                f"{locate_in_section(context.stack, NAME, 'mode')}: simpleScalable ends with Loki 4; replicated finds"
                " the same lines in the same bucket (docs/kubernetes.md)"
            )
        return said

    def secrets(self, own: Settings, context: Planning) -> tuple[Secret, ...]:
        """The secret half of the access key, where one is named."""
        s3 = own.storage.s3
        if s3 is None or s3.access_key_id is None:
            return ()
        return (Secret(name=SECRET_KEY, purpose=f"the secret key of {s3.access_key_id} for the bucket {s3.bucket}"),)

    def workloads(self, own: Settings, context: Planned) -> tuple[Workload, ...]:
        """One Loki with its data on a volume, or its parts."""
        one = build_single_workload(own, context)
        return tuple(
            build_part_workload(context, one, name, count) for name, count in list_parts(own, context).items()
        ) or (one,)
