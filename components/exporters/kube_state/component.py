"""kube-state-metrics: what the cluster's API says of pods, controllers, volumes and nodes.

Flags and metrics: https://github.com/kubernetes/kube-state-metrics/tree/main/docs.
"""

from __future__ import annotations

from components.base import build_limits, publish_port
from components.exporters.kube_state import mixin as pack
from model.capacity import choose_limit_mib
from model.component import Component, Planned, Planning
from model.dashboard import build_dashboard
from model.naming import build_scrape_targets
from model.settings import ComponentSettings, KubernetesSettings
from model.telemetry import RuleGroup, ScrapeJob, SeriesCount, StackRow, Telemetry
from model.workload import MIB, Access, HttpProbe, Port, Workload

NAME = "kube-state-metrics"
ITSELF = f"{NAME}-self"
"""The job of what it tells of itself, on a port of its own."""
PORT = 8080
SELF_PORT = 8081
RESOURCES = {
    "": ("nodes", "persistentvolumeclaims", "pods", "namespaces"),
    "apps": ("daemonsets", "deployments", "statefulsets", "replicasets"),
    "autoscaling": ("horizontalpodautoscalers",),
    "batch": ("cronjobs", "jobs"),
}
"""What it counts, by API group. No Secret and no ConfigMap is among it, so it may not read them either."""
RETAINED_METRICS = "kube_state_metrics_(list|watch)_total|process_.+"
"""What is stored of itself; the rest are histograms of those who scrape it."""


SERIES = SeriesCount(node=40, pod=60)
MEMORY = 32 * MIB
MEMORY_PER_POD = 48 * 1024
"""Bytes that it takes without pods, and for each of them with what belongs to it; measured with 18 and with 618 pods,
as the series were."""


class Settings(ComponentSettings):
    """kube-state-metrics."""


def estimate_memory(cluster: KubernetesSettings) -> int:
    """Bytes of memory that it is expected to take."""
    return MEMORY + cluster.expected_pods * MEMORY_PER_POD


# -- component -------------------------------------------------------------------------------------------------------


class KubeState(Component[Settings]):
    """kube-state-metrics, which reports the objects of a cluster."""

    name = NAME
    settings = Settings
    targets = ("kubernetes",)

    def telemetry(self, own: Settings, context: Planning) -> Telemetry:
        """The state of the cluster's objects; its own labels give way to those of the objects that it tells of.

        Whether it could read them all is told on a port of its own.
        """
        relabel = ({"source_labels": ["__name__"], "regex": RETAINED_METRICS, "action": "keep"},)
        return Telemetry(
            rows=(StackRow(title="Cluster", panels=pack.panels(), position=70),),
            scrape=(
                ScrapeJob(name=NAME, honor_labels=True, series=SERIES, **build_scrape_targets(context, NAME, PORT)),
                ScrapeJob(
                    name=ITSELF,
                    series=SeriesCount(target=31),
                    metric_relabel=relabel,
                    **build_scrape_targets(context, NAME, SELF_PORT),
                ),
            ),
            rules=(RuleGroup(name="cluster", alerts=pack.alerts(context.system.tune)),),
            dashboards=(
                build_dashboard(pack.board(), folder="Monitoring", tags=["monitoring"], where="dashboard cluster"),
            ),
        )

    def workloads(self, own: Settings, context: Planned) -> tuple[Workload, ...]:
        """One for the cluster; it may list what it counts and nothing else."""
        kinds = ",".join(sorted(kind for group in RESOURCES.values() for kind in group))
        return (
            Workload(
                name=NAME,
                image=NAME,
                limits=build_limits(
                    own, memory=choose_limit_mib(estimate_memory(context.settings.kubernetes), 128), cpus=0.5
                ),
                args=(f"--port={PORT}", f"--telemetry-port={SELF_PORT}", f"--resources={kinds}"),
                ports=(publish_port(context, NAME, PORT), Port(number=SELF_PORT, name="self")),
                access=tuple(
                    Access(groups=(group,), resources=kinds, verbs=("list", "watch"))
                    for group, kinds in RESOURCES.items()
                ),
                probe=HttpProbe(path="/readyz", port=SELF_PORT),
            ),
        )
