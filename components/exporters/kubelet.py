"""Kubelets: what the nodes of a cluster know of their containers, and of themselves. Nothing is deployed for it.

Source: https://kubernetes.io/docs/concepts/cluster-administration/system-metrics/
"""

from __future__ import annotations

from components.exporters.containers import mixin as pack
from components.exporters.containers.alerts import SELF, list_limit_alerts
from model.component import Component, Planning, SystemRow
from model.dashboard import build_dashboard
from model.naming import build_identity_labels
from model.settings import ComponentSettings
from model.telemetry import Discovery, RuleGroup, ScrapeJob, SeriesCount, StackRow, Telemetry, name_series_offer

NAME = "kubelet"
RETAINED_METRICS = (
    "kubelet_volume_stats_.+|kubelet_running_.+|kubelet_runtime_operations(_errors)?_total|kubernetes_build_info"
    "|kubelet_certificate_manager_(client|server)_(ttl_seconds|expiration_renew_errors)"
    "|kubelet_server_expiration_renew_errors|process_.+"
)
"""What is stored of a kubelet itself; it has two thousand series more, nearly all of them histograms of its insides."""


class Settings(ComponentSettings):
    """The metrics of the cluster's kubelets."""


# -- component -------------------------------------------------------------------------------------------------------


class Kubelet(Component[Settings]):
    """The kubelets of a cluster; nothing is deployed for them."""

    name = NAME
    settings = Settings
    system_rows = (SystemRow(name="containers", title="Containers", panels=pack.panels),)
    targets = ("kubernetes",)

    def telemetry(self, own: Settings, context: Planning) -> Telemetry:
        """Every node is scraped twice: for the kubelet itself, and for its containers.

        A container is called <pod>/<container> in the label `name`, as on Docker by its own name, so that alerts and
        panels are the same for both. Series of groups of containers are left out.
        """
        count = context.settings.kubernetes.expected_nodes
        nodes = Discovery(role="node", labels=build_identity_labels(context, NAME), expected=count)
        named = (
            {"source_labels": ["__name__", "container"], "regex": "container_.+;", "action": "drop"},
            {
                "source_labels": ["pod", "container"], "separator": "/", "regex": "(.+/.+)",
                "target_label": "name", "replacement": "$1",
            },
            {"regex": "id|image", "action": "labeldrop"},
        )  # fmt: skip
        relabel = ({"source_labels": ["__name__"], "regex": RETAINED_METRICS, "action": "keep"},)
        job = ScrapeJob(
            name=NAME,
            series=SeriesCount(node=110, pod=4),
            scheme="https",
            discovery=nodes,
            platform_login=True,
            metric_relabel=relabel,
        )
        return Telemetry(
            offers=(name_series_offer("containers"),),
            rows=(StackRow(title="Containers", panels=pack.panels(), position=80),),
            scrape=(
                job,
                ScrapeJob(
                    name=SELF,
                    series=SeriesCount(node=20, pod=80),
                    path="/metrics/cadvisor",
                    scheme="https",
                    discovery=nodes,
                    platform_login=True,
                    metric_relabel=named,
                ),
            ),
            rules=(RuleGroup(name="containers", alerts=list_limit_alerts(context.system.tune)),),
            dashboards=(
                build_dashboard(
                    # of containers that containerd runs a kubelet counts no files
                    pack.board(files=False),
                    folder="Monitoring",
                    tags=["monitoring"],
                    where="dashboard containers",
                ),
            ),
        )
