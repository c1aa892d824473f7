"""The collector: reads the output of every container and the log files of the host, and passes them on to Loki.

The program is the OpenTelemetry Collector; it stands in Promtail's place where `logs.agent` says so.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from components.base import build_heap_limit, build_limits
from components.collector import mixin as pack
from components.collector.documents import build_config, list_line_labels
from components.collector.settings import (
    DOCUMENT,
    LINKS,
    LINKS_DIR,
    LINKS_PORT,
    NAME,
    Settings,
)
from components.lines.files import build_folder_mounts, list_groups, list_shared_volumes, list_writers
from components.lines.settings import PODS_DIR, POSITIONS_DIR, POSITIONS_FILE, POSITIONS_VOLUME
from components.lines.sources import build_cluster_rules, build_docker_rules
from components.otelcol import CONFIG_DIR, DATA_DIR, HEALTH_PORT, IMAGE, METRICS_PORT, build_config_dir
from model.base import parse_size
from model.component import Component, Planned, Planning
from model.naming import build_scrape_targets
from model.telemetry import (
    DOCKER_API,
    LOG_FILES,
    LOG_STORE,
    Need,
    RuleGroup,
    ScrapeJob,
    SeriesCount,
    StackRow,
    Telemetry,
)
from model.workload import (
    MIB,
    Access,
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

PROGRAM_OPTIONS = ("--feature-gates=stanza.synchronousLogEmitter",)
"""How far a file is read is written down only once what was read is in the queue."""
PYTHON = ("/usr/bin/python3", "-B")
DOCKER_SCRIPT, POD_SCRIPT, RULES = "container_links.py", "pod_links.py", "links.json"
FOLDER_SCRIPT = "components/collector/link_folder.py"
"""What both programs import, at the path by which they do."""
REASON = "reads the lines of containers, and the log files of the host"


# -- workloads -------------------------------------------------------------------------------------------------------


def build_links(own: Settings, context: Planned) -> Workload:
    """What tells the collector whose the files of containers are."""
    build = build_pod_links if context.settings.target == "kubernetes" else build_container_links
    return build(own, context)


def build_container_links(own: Settings, context: Planned) -> Workload:
    """What asks an engine; it sees no file of it."""
    apis = context.telemetry.docker_apis[:1]  # without one the plan is refused, as the need says
    # a volume that goes with Promtail could not be removed while somebody looks at it
    before = (DataVolume(name=POSITIONS_VOLUME, path=POSITIONS_DIR, size=MIB),) if context.settings.retain_data else ()
    document = {
        "engine": "".join(api.address for api in apis),
        "containers": f"{context.settings.docker.data_root}/containers",
        "labels": list(own.container_labels),
        "rules": build_docker_rules(context.system.services),
    }
    made = _build_program(DOCKER_SCRIPT, document, POSITIONS_FILE)
    return replace(made, volumes=(*made.volumes, *before), after=tuple(api.workload for api in apis))


def build_pod_links(own: Settings, context: Planned) -> Workload:
    """What asks the API server for the pods of its node; it looks whether their files are there, and opens none."""
    reason = "looks whether the files of this node's pods are there"
    return replace(  # the server's answer has all of each pod in it
        _build_program(POD_SCRIPT, {"pods": PODS_DIR, "rules": build_cluster_rules(context.system.services)}),
        limits=Limits(memory=96 * MIB, cpus=0.5, pids=64),
        host_mounts=_list_pod_mounts(own, reason),
        exemptions=(
            Exemption(rule="host-mount", reason=reason),
            Exemption(rule="root-user", reason="folders of a node that agents share are root's, as pods' files are"),
        ),
        placement="node-agent",
        field_refs={"NODE_NAME": "node-name"},
        access=(Access(resources=("pods",)),),
    )


def _build_program(script: str, document: Mapping[str, Any], *arguments: str) -> Workload:
    """A program with its document; the rules in that are those by which any agent names the lines of containers."""
    texts = {script: _read_own(script), FOLDER_SCRIPT: _read_own(FOLDER_SCRIPT), RULES: json.dumps(document, indent=1)}
    return Workload(
        name=LINKS,
        image="mcp",
        limits=Limits(memory=48 * MIB, cpus=0.5, pids=64),
        entrypoint=(*PYTHON, f"{CONFIG_DIR}/{script}"),
        args=("run", f"{CONFIG_DIR}/{RULES}", LINKS_DIR, str(LINKS_PORT), *arguments),
        config=ConfigDir(
            path=CONFIG_DIR,
            files=texts,
            restart_on=frozenset(texts),
            validate=(*PYTHON, f"{{dir}}/{script}", "check", f"{{dir}}/{RULES}"),
        ),
        ports=(Port(number=LINKS_PORT, name="metrics"),),
        volumes=(DataVolume(name=LINKS, path=LINKS_DIR, retain=False, size=MIB),),
        probe=HttpProbe(path="/healthz", port=LINKS_PORT),
    )


@cache
def _read_own(name: str) -> str:
    return Path(__file__).with_name(Path(name).name).read_text(encoding="utf-8")


def _list_pod_mounts(own: Settings, reason: str) -> tuple[HostMount, ...]:
    """Where the files of pods are, at the paths that links lead to; nodes may have different runtimes."""
    pods = HostMount(source=PODS_DIR, path=PODS_DIR, reason=reason)
    if not own.docker_folder:
        return (pods,)
    return (pods, HostMount(source=own.docker_folder, path=own.docker_folder, reason=reason, create=True))


def list_mounts(own: Settings, context: Planned) -> tuple[HostMount, ...]:
    """What the collector sees of the host: the files that links lead to, and the folders of log files."""
    pods, containers = context.settings.target == "kubernetes", f"{context.settings.docker.data_root}/containers"
    linked = _list_pod_mounts(own, REASON) if pods else (HostMount(source=containers, path=containers, reason=REASON),)
    return (*linked, *build_folder_mounts(context, REASON))


# -- component -------------------------------------------------------------------------------------------------------


class Collector(Component[Settings]):
    """The OpenTelemetry Collector, which collects log lines."""

    name = NAME
    settings = Settings

    def telemetry(self, own: Settings, context: Planning) -> Telemetry:
        """Both programs are scraped, and have alerts about lines that do not reach Loki."""
        needs = [Need(what=LOG_STORE, why=f"{NAME} sends its lines to it")]
        if context.settings.target == "docker":
            needs.append(Need(what=DOCKER_API, why=f"{NAME} asks it whose the lines of containers are"))
        jobs = {NAME: (METRICS_PORT, 100), LINKS: (LINKS_PORT, 20)}
        return Telemetry(
            offers=(LOG_FILES,),
            needs=tuple(needs),
            rows=(StackRow(title="Collector of lines", panels=pack.panels(), position=50),),
            scrape=tuple(
                ScrapeJob(
                    name=name, series=SeriesCount(target=count), **build_scrape_targets(context, name, port, agent=True)
                )
                for name, (port, count) in jobs.items()
            ),
            rules=(RuleGroup(name=NAME, alerts=pack.alerts(context.system.tune)),),
            line_labels=list_line_labels(context),
        )

    def workloads(self, own: Settings, context: Planned) -> tuple[Workload, ...]:
        """The collector, and beside it what tells whose the files are; how far it has read stands on a volume."""
        limits = build_limits(own, memory=256)
        collector = Workload(
            name=NAME,
            image=IMAGE,
            limits=limits,
            args=(f"--config=file:{CONFIG_DIR}/{DOCUMENT}", *PROGRAM_OPTIONS),
            env=build_heap_limit(limits, 80),
            config=build_config_dir(DOCUMENT, build_config(own, context, limits)),
            ports=(Port(number=METRICS_PORT, name="metrics"), Port(number=HEALTH_PORT, name="health")),
            volumes=(
                DataVolume(
                    name="collector-data", path=DATA_DIR, retain=context.settings.retain_data,
                    size=2 * parse_size(own.queue),
                ),
            ),
            shared_volumes=(SharedVolume(name=LINKS, path=LINKS_DIR), *list_shared_volumes(context)),
            host_mounts=list_mounts(own, context),
            groups=list_groups(context),
            exemptions=(
                Exemption(rule="host-mount", reason=REASON),
                Exemption(rule="root-user", reason="files of containers are readable by root alone"),
            ),
            probe=HttpProbe(path="/", port=HEALTH_PORT),
            placement="node-agent",
            after=(*(store.workload for store in context.telemetry.log_stores), *list_writers(context)),
        )  # fmt: skip
        return (build_links(own, context), collector)
