"""Everything about Prometheus and its targets: alerts of both, and panels."""

from __future__ import annotations

from typing import Any

from components.prometheus import alerts as prometheus_alerts
from components.prometheus import discovery_alerts as discovery
from components.prometheus import mixin as pack
from components.prometheus import target_alerts as targets


def test_alerts_of_all_three_kinds_are_there() -> None:
    """What is said of instances and cluster reaches those that it concerns."""
    own = prometheus_alerts.alerts({}, replicas=2, alertmanagers=3)
    found = (*own, *targets.alerts({}, cluster=True), *discovery.alerts(cluster=True))
    assert pack.alerts({}, replicas=2, alertmanagers=3, cluster=True) == found
    assert pack.alerts({}) == (*prometheus_alerts.alerts({}), *targets.alerts({}), *discovery.alerts())


def test_every_panel_explains_itself(explains: Any) -> None:
    """Each panel has a title of its own and says what it shows."""
    explains(pack.panels())
