"""The panels about the nodes of a cluster: what their alerts are about is drawn."""

from __future__ import annotations

from components.exporters.kube_state import node_alerts as cluster_node_alerts
from components.exporters.kube_state import node_panels
from components.exporters.kube_state.alerts import SELF
from components.exporters.kube_state.node_alerts import KUBELET
from packs.base import build_flat_samples, build_service_series
from tests.conftest import Proves
from tests.support.boards import shows_troubles

CALM = {
    **{build_service_series(service, "up"): build_flat_samples(1) for service in (SELF, KUBELET)},
    build_service_series(SELF, "kube_node_status_condition", condition="Ready", status="true"): build_flat_samples(1),
}
"""A node that is well, and of whose kubelet and reads nothing has been counted."""
UNPROVEN = ("KubeNodeReadinessFlapping", "KubeletClientCertificateExpiration", "KubeletServerCertificateExpiration")
"""A node is ready again as it flaps; and certificates have no line where a kubelet does not renew them: see below."""


def test_sick_nodes_are_drawn(proves: Proves) -> None:
    """Each state of a node, and each renewal or read that fails, has a line above 0; a well cluster is not empty."""
    alerts = [alert for alert in cluster_node_alerts.alerts({}) if alert.name not in UNPROVEN]
    shows_troubles(proves, alerts, node_panels.build_node_panels(), CALM)


def test_certificates_are_judged_by_their_alerts() -> None:
    """Yellow begins where a warning is sent for one, and red where people are called for the other."""
    limits = {alert.name: alert.limit for alert in cluster_node_alerts.alerts({})}
    (panel,) = (each for each in node_panels.build_node_panels() if each.title == "Certificates of kubelets end in")
    assert [(step.value, step.colour) for step in panel.thresholds] == [
        (limits["KubeletClientCertificateExpiration"], "yellow"),
        (limits["KubeletServerCertificateExpiration"], "green"),
    ]
