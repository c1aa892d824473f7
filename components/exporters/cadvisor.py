"""cAdvisor: CPU, memory and network of every container.

Flags: https://github.com/google/cadvisor/blob/master/docs/runtime_options.md.
"""

from __future__ import annotations

from components.base import build_identity_labels, build_limits, publish_port
from components.exporters.containers import mixin as pack
from model.component import Component, Planned, Planning, SystemRow
from model.dashboard import build_dashboard
from model.naming import LABEL
from model.settings import ComponentSettings, DockerSettings
from model.telemetry import (
    DOCKER_API,
    Need,
    RuleGroup,
    ScrapeJob,
    ScrapeTarget,
    SeriesCount,
    StackRow,
    Telemetry,
    name_series_offer,
)
from model.workload import Exemption, HostMount, HttpProbe, Workload

NAME = "cadvisor"
PORT = 8080
WITHOUT_FILES = (
    "-disable_metrics=advtcp,app,cpu_topology,cpuset,disk,hugetlb,memory_numa,perf_event,process,referenced_memory,"
    "resctrl,tcp,udp"
)
"""All that is off by default, and file systems: it would look for those of each container, and complain of each."""


class Settings(ComponentSettings):
    """cAdvisor."""


def _build_layer_access(
    settings: DockerSettings,
) -> tuple[tuple[HostMount, ...], tuple[Exemption, ...], tuple[str, ...]]:
    """What it needs for the figures of containers' file systems, which it has for the classic image store alone.

    These are a mount, an exemption, and the flags that go without.

    Source: https://github.com/google/cadvisor/blob/v0.60.6/container/docker/fs.go.
    """
    if settings.image_store == "containerd":
        return (), (), (WITHOUT_FILES,)
    root = "the engine's container directories are readable by root alone; it keeps no capability"
    mount = HostMount(source=settings.data_root, path=settings.data_root, reason="reads the containers' layers")
    return (mount,), (Exemption(rule="root-user", reason=root),), ()


# -- component -------------------------------------------------------------------------------------------------------


class Cadvisor(Component[Settings]):
    """cAdvisor, which measures the containers of an engine."""

    name = NAME
    settings = Settings
    system_rows = (SystemRow(name="containers", title="Containers", panels=pack.panels),)
    targets = ("docker",)

    def telemetry(self, own: Settings, context: Planning) -> Telemetry:
        """Containers are scraped; alerts are about those that hit their limits."""
        target = ScrapeTarget(address=context.address(NAME, PORT), labels=build_identity_labels(context, NAME))
        files = context.settings.docker.image_store == "classic"  # see _build_layer_access
        return Telemetry(
            offers=(name_series_offer("containers"),),
            needs=(Need(what=DOCKER_API, why=f"{NAME} asks it for the names of containers"),),
            rows=(StackRow(title="Containers", panels=pack.panels(), position=80),),
            scrape=(ScrapeJob(name=NAME, series=SeriesCount(container=90), targets=(target,)),),
            rules=(RuleGroup(name="containers", alerts=pack.alerts(context.system.tune)),),
            dashboards=(
                build_dashboard(
                    pack.board(files=files), folder="Monitoring", tags=["monitoring"], where="dashboard containers"
                ),
            ),
        )

    def workloads(self, own: Settings, context: Planned) -> tuple[Workload, ...]:
        """One cAdvisor per host; container names come through the read-only socket proxy.

        It asks for the engine's driver once, at its start, so a new proxy starts it anew.
        """
        layers, root, flags = _build_layer_access(context.settings.docker)
        apis = tuple(api.workload for api in context.telemetry.docker_apis)
        groups = HostMount(source="/sys", path="/sys", reason="reads the control groups")
        return (
            Workload(
                name=NAME,
                image="cadvisor",
                limits=build_limits(own, memory=192, cpus=0.5),
                args=(
                    *(f"-docker=tcp://{api.address}" for api in context.telemetry.docker_apis),
                    "-docker_only=true",
                    "-housekeeping_interval=5s",
                    "-store_container_labels=false",
                    f"-whitelisted_container_labels={LABEL}.workload,{LABEL}.stack",
                    f"-port={PORT}",
                    *flags,
                ),
                ports=(publish_port(context, NAME, PORT),),
                host_mounts=(groups, *layers),
                exemptions=(*root, Exemption(rule="host-mount", reason="reads control groups and container layers")),
                probe=HttpProbe(path="/healthz", port=PORT),
                placement="node-agent",
                after=apis,
                restart_with=apis,
            ),
        )
