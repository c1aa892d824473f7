"""node-exporter: the host's CPU, memory, disks and load.

It runs in the stack's own network, so its network counters are those of its container; the host's are left out.
Flags: https://github.com/prometheus/node_exporter.
"""

from __future__ import annotations

import re

from components.base import build_limits, publish_port
from components.exporters.node import mixin as pack
from model.component import Component, Planned, Planning, SystemRow
from model.dashboard import build_dashboard
from model.naming import build_scrape_targets
from model.settings import DATA_ROOT, ComponentSettings
from model.telemetry import RuleGroup, ScrapeJob, SeriesCount, StackRow, Telemetry, name_series_offer
from model.workload import Exemption, HostMount, HttpProbe, Workload

NAME = "node-exporter"
PORT = 9100
HOST = "/host"
NO_DISKS = ("dev", "proc", "run", "sys", "var/lib/(docker|containerd|kubelet)/.+")
"""Mount points that are no disks of the host, as regular expressions without the first slash."""
QUIET = ("arp", "netclass", "netdev", "netstat", "sockstat", "udp_queues", "wifi", "ipvs", "infiniband", "nfs", "nfsd")
"""Collectors whose figures would be those of the container's own network, or that only few hosts have."""


class Settings(ComponentSettings):
    """node-exporter."""


def build_excluded_mounts(data_root: str) -> str:
    """The regular expression of all mount points that are no disks: those of containers are below the data root."""
    own = () if data_root == DATA_ROOT else (f"{re.escape(data_root[1:])}/.+",)
    return f"^/({'|'.join((*NO_DISKS, *own))})($|/)"


# -- component -------------------------------------------------------------------------------------------------------


class NodeExporter(Component[Settings]):
    """node-exporter, which measures the host."""

    name = NAME
    settings = Settings
    system_rows = (SystemRow(name="host", title="Host", panels=pack.panels),)

    def telemetry(self, own: Settings, context: Planning) -> Telemetry:
        """The host is scraped; alerts are about what runs out."""
        return Telemetry(
            offers=(name_series_offer("host"),),
            rows=(StackRow(title="Host", panels=pack.panels(), position=90),),
            scrape=(
                ScrapeJob(
                    name=NAME, series=SeriesCount(target=400), **build_scrape_targets(context, NAME, PORT, agent=True)
                ),
            ),
            rules=(RuleGroup(name="host", alerts=pack.alerts(context.system.tune)),),
            dashboards=(
                build_dashboard(pack.board(), folder="Monitoring", tags=["monitoring"], where="dashboard host"),
            ),
        )

    def workloads(self, own: Settings, context: Planned) -> tuple[Workload, ...]:
        """One exporter per host, as an ordinary user that sees the host's files read-only."""
        reason = "reads the host's /proc, /sys and the free space of its disks"
        return (
            Workload(
                name=NAME,
                image="node-exporter",
                limits=build_limits(own, memory=64, cpus=0.5),
                args=(
                    f"--path.rootfs={HOST}",
                    f"--path.procfs={HOST}/proc",
                    f"--path.sysfs={HOST}/sys",
                    f"--collector.filesystem.mount-points-exclude={build_excluded_mounts(context.settings.docker.data_root)}",
                    *(f"--no-collector.{name}" for name in QUIET),
                ),
                ports=(publish_port(context, NAME, PORT),),
                host_mounts=(HostMount(source="/", path=HOST, reason=reason),),
                exemptions=(Exemption(rule="host-mount", reason=reason),),
                probe=HttpProbe(path="/", port=PORT),
                placement="node-agent",
            ),
        )
