"""The collector: reads the output of every container and the log files of the host, and passes them on to Loki.

The program is the OpenTelemetry Collector; it stands in Promtail's place where `logs.agent` says so.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from components.base import build_heap_limit, build_identity_labels, build_limits
from components.collector import mixin as pack
from components.collector.documents import build_config, list_line_labels
from components.collector.settings import (
    CONFIG_DIR,
    DATA_DIR,
    DOCUMENT,
    HEALTH_PORT,
    LINKS,
    LINKS_DIR,
    LINKS_PORT,
    METRICS_PORT,
    NAME,
    Settings,
)
from components.documents import render_yaml
from components.lines.files import HOST_DIR, list_folders, list_log_files, list_shared_volumes
from components.lines.sources import build_docker_rules
from model.base import parse_size
from model.component import Component, Planned, Planning
from model.telemetry import (
    DOCKER_API,
    LOG_FILES,
    LOG_STORE,
    Need,
    RuleGroup,
    ScrapeJob,
    ScrapeTarget,
    SeriesCount,
    StackRow,
    Telemetry,
)
from model.workload import (
    MIB,
    ConfigDir,
    DataVolume,
    Exemption,
    HostMount,
    HttpProbe,
    Limits,
    Port,
    SharedVolume,
    Workload,
)

PROGRAM = "/otelcol-contrib"
PROGRAM_OPTIONS = ("--feature-gates=stanza.synchronousLogEmitter",)
"""How far a file is read is written down only once what was read is in the queue."""
SCRIPT, RULES = "container_links.py", "links.json"
SCRIPT_TEXT = Path(__file__).with_name(SCRIPT).read_text(encoding="utf-8")
PROMTAIL_VOLUME, POSITIONS_DIR = "promtail-positions", "/positions"
"""Where Promtail says how far it has read, if it was the agent before."""


# -- workloads -------------------------------------------------------------------------------------------------------


def build_links(own: Settings, context: Planned) -> Workload:
    """What tells the collector whose the files of containers are; it reads none of them."""
    script, rules = f"{CONFIG_DIR}/{SCRIPT}", f"{CONFIG_DIR}/{RULES}"
    (api,) = context.telemetry.docker_apis[:1]
    # a volume that goes with Promtail could not be removed while somebody looks at it
    before = (DataVolume(name=PROMTAIL_VOLUME, path=POSITIONS_DIR, size=MIB),) if context.settings.retain_data else ()
    positions = f"{POSITIONS_DIR}/positions.yaml"
    program = ("/usr/bin/python3", "-B")
    return Workload(
        name=LINKS,
        image="mcp",
        limits=Limits(memory=48 * MIB, cpus=0.5, pids=64),
        entrypoint=(*program, script),
        args=("run", rules, LINKS_DIR, str(LINKS_PORT), positions),
        config=ConfigDir(
            path=CONFIG_DIR,
            files={SCRIPT: SCRIPT_TEXT, RULES: json.dumps(build_rules_document(own, context, api.address), indent=1)},
            restart_on=frozenset({SCRIPT, RULES}),
            validate=(*program, f"{{dir}}/{SCRIPT}", "check", f"{{dir}}/{RULES}"),
        ),
        ports=(Port(number=LINKS_PORT, name="metrics"),),
        volumes=(DataVolume(name=LINKS, path=LINKS_DIR, retain=False, size=MIB), *before),
        probe=HttpProbe(path="/healthz", port=LINKS_PORT),
        after=(api.workload,),
    )


def build_rules_document(own: Settings, context: Planned, engine: str) -> dict[str, Any]:
    """What the links follow from: the rules are those by which any agent names the lines of containers."""
    return {
        "engine": engine,
        "containers": f"{context.settings.docker.data_root}/containers",
        "labels": list(own.container_labels),
        "rules": build_docker_rules(context.system.services),
    }


# -- component -------------------------------------------------------------------------------------------------------


class Collector(Component[Settings]):
    """The OpenTelemetry Collector, which collects log lines."""

    name = NAME
    settings = Settings
    targets = ("docker",)

    def telemetry(self, own: Settings, context: Planning) -> Telemetry:
        """Both programs are scraped, and have alerts about lines that do not reach Loki."""
        ports = {NAME: METRICS_PORT, LINKS: LINKS_PORT}
        targets = tuple(
            ScrapeTarget(address=context.address(name, port), labels=build_identity_labels(context, name))
            for name, port in ports.items()
        )
        return Telemetry(
            offers=(LOG_FILES,),
            needs=(
                Need(what=LOG_STORE, why=f"{NAME} sends its lines to it"),
                Need(what=DOCKER_API, why=f"{NAME} asks it whose the lines of containers are"),
            ),
            rows=(StackRow(title="Collector of lines", panels=pack.panels(), position=50),),
            scrape=(ScrapeJob(name=NAME, series=SeriesCount(target=120), targets=targets),),
            rules=(RuleGroup(name=NAME, alerts=pack.alerts(context.system.tune)),),
            line_labels=list_line_labels(context),
        )

    def workloads(self, own: Settings, context: Planned) -> tuple[Workload, ...]:
        """The collector, and beside it what tells whose the files are; how far it has read stands on a volume."""
        limits = build_limits(own, memory=256)
        volumes, logs = list_shared_volumes(context), list_log_files(context)
        read = [log for log in logs if not (volumes and log.demo)]
        containers = f"{context.settings.docker.data_root}/containers"
        reason = "reads the lines of containers, and the log files of the host"
        mounts = (
            HostMount(source=containers, path=containers, reason=reason),  # where links lead to
            *(HostMount(source=each, path=f"{HOST_DIR}{each}", reason=reason) for each in list_folders(read)),
        )
        collector = Workload(
            name=NAME,
            image="otel-collector",
            limits=limits,
            args=(f"--config=file:{CONFIG_DIR}/{DOCUMENT}", *PROGRAM_OPTIONS),
            env=build_heap_limit(limits, 80),
            config=ConfigDir(
                path=CONFIG_DIR,
                files={DOCUMENT: render_yaml(build_config(own, context, limits))},
                restart_on=frozenset({DOCUMENT}),  # it is away for a second, and goes on where it was
                validate=(PROGRAM, "validate", f"--config=file:{{dir}}/{DOCUMENT}"),
            ),
            ports=(Port(number=METRICS_PORT, name="metrics"), Port(number=HEALTH_PORT, name="health")),
            volumes=(
                DataVolume(
                    name="collector-data", path=DATA_DIR, retain=context.settings.retain_data,
                    size=2 * parse_size(own.queue),
                ),
            ),
            shared_volumes=(SharedVolume(name=LINKS, path=LINKS_DIR), *volumes),
            host_mounts=mounts,
            groups=tuple(sorted({log.group for log in read if log.group is not None})),
            exemptions=(
                Exemption(rule="host-mount", reason=reason),
                Exemption(rule="root-user", reason="files of containers are readable by root alone"),
            ),
            probe=HttpProbe(path="/", port=HEALTH_PORT),
            placement="node-agent",
            after=(
                *(store.workload for store in context.telemetry.log_stores),
                *(key for log in logs if volumes for key in log.demo),
            ),
        )  # fmt: skip
        return (build_links(own, context), collector)
