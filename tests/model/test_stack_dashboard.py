"""The stack's own dashboard has a row for what runs, and nothing for what does not."""

from __future__ import annotations

import pytest

from model.component import Planning
from model.load import parse
from model.settings import ComponentSettings, Settings
from model.stack_dashboard import stack_dashboard
from model.system import System
from tests.support.systems import SYSTEM

ROWS = {
    "prometheus": "Prometheus",
    "loki": "Loki",
    "kube-state-metrics": "Cluster",
    "cadvisor": "Containers",
    "node-exporter": "Host",
    "traefik": "Traefik",
}


def titles(*components: str) -> list[str]:
    """The rows of the dashboard when these components run."""
    context = Planning(
        stack="dev",
        settings=parse(Settings, {"system": "shop"}, "settings"),
        system=parse(System, SYSTEM, "shop"),
        sections={name: ComponentSettings() for name in components},
        address=lambda name, port: f"{name}:{port}",
        images={},
    )
    return [row.title for row in stack_dashboard(context).rows]


def test_targets_are_always_shown() -> None:
    """Whatever runs, the first question is which targets are up."""
    assert titles() == ["Targets and alerts"]


@pytest.mark.parametrize(("component", "row"), ROWS.items())
def test_a_component_that_runs_has_its_row(component: str, row: str) -> None:
    """A row stands for each component that is deployed, so that no panel is empty for lack of one."""
    assert titles(component)[1:] == [row]


def test_containers_are_shown_whoever_tells_of_them() -> None:
    """On a cluster the kubelets are asked, elsewhere cAdvisor: the row is the same."""
    assert titles("kubelet") == titles("cadvisor")


def test_all_rows_keep_their_order() -> None:
    """The order of the rows does not depend on the order of deployment."""
    assert titles(*reversed(ROWS)) == ["Targets and alerts", *ROWS.values()]
