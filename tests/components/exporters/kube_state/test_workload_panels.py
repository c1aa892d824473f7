"""The panels about the workloads of a cluster: what their alerts are about is drawn, and nothing is 0."""

from __future__ import annotations

from components.exporters.kube_state import workload_alerts as cluster_workload_alerts
from components.exporters.kube_state import workload_panels
from components.exporters.kube_state.alerts import SELF, WORKLOADS, alert_on_waiting_container
from packs.base import build_flat_samples, build_service_series
from tests.conftest import Proves
from tests.support.boards import shows_troubles

CALM = {
    build_service_series(SELF, name): build_flat_samples(1)
    for name in ("up", "kube_deployment_spec_replicas", *(f"kube_{kind}_metadata_generation" for kind in WORKLOADS))
}
"""A cluster whose workloads are as they should be, and that has no Job and no autoscaler."""


def test_what_does_not_arrive_is_drawn(proves: Proves) -> None:
    """Rollouts, autoscalers, Jobs and containers have a line above 0; a cluster without them is not empty."""
    alerts = (alert_on_waiting_container(), *cluster_workload_alerts.alerts({}))
    panels = (*workload_panels.build_workload_panels(), *workload_panels.build_job_panels())
    shows_troubles(proves, alerts, panels, CALM)


def test_panels_in_two_places_are_as_wide_as_there_is_room() -> None:
    """The same panel, of the width that its row has left."""
    for build in (workload_panels.build_phase_panel, workload_panels.build_restart_panel):
        wide, narrow = build(8), build(6)
        assert (wide.width, narrow.width) == (8, 6) and wide.queries == narrow.queries
