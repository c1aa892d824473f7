"""Promtail: collects the output of every container and the log files of the host, and pushes them to Loki."""

from __future__ import annotations

from components.base import build_limits, publish_port
from components.documents import render_yaml
from components.lines.files import build_folder_mounts, list_groups, list_shared_volumes, list_writers
from components.lines.settings import PODS_DIR, POSITIONS_DIR, POSITIONS_VOLUME
from components.promtail import mixin as pack
from components.promtail.documents import build_config
from components.promtail.settings import CONFIG_DIR, NAME, PORT, Settings
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
    Access,
    ConfigDir,
    DataVolume,
    Exemption,
    HostMount,
    HttpProbe,
    Reload,
    Workload,
)

# -- component -------------------------------------------------------------------------------------------------------


class Promtail(Component[Settings]):
    """Promtail, which collects log lines."""

    name = NAME
    settings = Settings

    def telemetry(self, own: Settings, context: Planning) -> Telemetry:
        """Promtail is scraped and has alerts about lines that do not reach Loki."""
        needs = [Need(what=LOG_STORE, why=f"{NAME} sends its lines to it")]
        if context.settings.target == "docker":
            needs.append(Need(what=DOCKER_API, why=f"{NAME} finds containers and reads their lines through it"))
        return Telemetry(
            offers=(LOG_FILES,),
            needs=tuple(needs),
            rows=(StackRow(title="Promtail", panels=pack.panels(), position=50),),
            scrape=(
                ScrapeJob(
                    name=NAME, series=SeriesCount(target=270), **build_scrape_targets(context, NAME, PORT, agent=True)
                ),
            ),
            rules=(RuleGroup(name="promtail", alerts=pack.alerts(context.system.tune)),),
        )

    def workloads(self, own: Settings, context: Planned) -> tuple[Workload, ...]:
        """One Promtail; how far it has read stands on a volume, so a restart neither loses nor repeats lines."""
        pods = context.settings.target == "kubernetes"
        mounts = build_folder_mounts(context, "reads the log files of the host")
        if pods:
            mounts += (HostMount(source=PODS_DIR, path=PODS_DIR, reason="reads what the pods of this node write"),)
        if own.docker_folder:  # at the path that links lead to; nodes may have different runtimes
            where = own.docker_folder
            mounts += (HostMount(source=where, path=where, reason="files of pods are links into it", create=True),)
        exemptions: tuple[Exemption, ...] = ()
        if mounts:
            exemptions = (Exemption(rule="host-mount", reason="reads the log files of the host"),)
        if pods:
            exemptions += (Exemption(rule="root-user", reason="pods' log files are readable by root alone"),)
        return (
            Workload(
                name=NAME,
                image="promtail",
                limits=build_limits(own, memory=128),
                args=(f"-config.file={CONFIG_DIR}/promtail.yml", "-server.enable-runtime-reload"),
                config=ConfigDir(
                    path=CONFIG_DIR,
                    files={"promtail.yml": render_yaml(build_config(own, context))},
                    validate=("/usr/bin/promtail", "-check-syntax", "-config.file={dir}/promtail.yml"),
                    reload=Reload(port=PORT, path="/reload"),
                ),
                ports=(publish_port(context, NAME, PORT),),
                volumes=(DataVolume(name=POSITIONS_VOLUME, path=POSITIONS_DIR, retain=context.settings.retain_data),),
                shared_volumes=list_shared_volumes(context),
                host_mounts=mounts,
                groups=list_groups(context),
                exemptions=exemptions,
                probe=HttpProbe(path="/ready", port=PORT),
                placement="node-agent",
                field_refs={"HOSTNAME": "node-name"} if pods else {},
                access=(Access(resources=("pods",)),) if pods else (),
                after=(
                    *(api.workload for api in context.telemetry.docker_apis if not pods),
                    *(store.workload for store in context.telemetry.log_stores),
                    *list_writers(context),
                ),
            ),
        )
