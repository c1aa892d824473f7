"""The stack's own dashboards: is the monitoring itself well, and where is everything?"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from model.component import Planning
from model.packs import (
    alertmanager,
    cluster,
    containers,
    grafana,
    host,
    jaeger,
    loki,
    prometheus,
    promtail,
    slo,
    traefik,
)
from model.packs.base import colours, panel
from model.system import DashboardSpec, Panel, Row

INDEX = "index"
"""Uid of the dashboard that people see first."""

_FIRST = "What is firing, whether promises are kept, and every dashboard by name."

_ROWS: Mapping[str, tuple[str, Callable[[], tuple[Panel, ...]]]] = {
    "prometheus": ("Prometheus", prometheus.panels),
    "alertmanager": ("Alertmanager", alertmanager.panels),
    "loki": ("Loki", loki.panels),
    "jaeger": ("Jaeger", jaeger.panels),
    "promtail": ("Promtail", promtail.panels),
    "grafana": ("Grafana", grafana.panels),
    "kube-state-metrics": ("Cluster", cluster.panels),
    "cadvisor": ("Containers", containers.panels),
    "kubelet": ("Containers", containers.panels),
    "node-exporter": ("Host", host.panels),
    "traefik": ("Traefik", traefik.panels),
}
"""What each component shows here, in the order of the rows."""


def stack_dashboard(context: Planning) -> DashboardSpec:
    """The stack itself, with a row for each component that runs."""
    rows = [Row(title="Targets and alerts", panels=prometheus.target_panels())]
    rows += [Row(title=title, panels=make()) for name, (title, make) in _ROWS.items() if context.enabled(name)]
    return DashboardSpec(
        uid="monitoring-stack",
        title="Monitoring Stack",
        description="Is the monitoring itself well: what is scraped, what is stored, what does it cost?",
        refresh="30s",
        rows=tuple(rows),
    )


def index(context: Planning) -> DashboardSpec:
    """What people see first: what is firing, whether promises are kept, and every dashboard by name."""
    system = context.system
    rows = [Row(title="Now", panels=_now())]
    if system.objectives:
        width = max(4, 24 // min(len(system.objectives), 6))
        rows.append(Row(title="Objectives", panels=tuple(slo.status(item, width) for item in system.objectives)))
    rows.append(Row(title="Dashboards", panels=(_list(system.title, system.name), _list("Monitoring", "monitoring"))))
    return DashboardSpec(
        uid=INDEX,
        title=f"{system.title} {context.settings.environment}",
        description=" ".join([system.description.strip(), _FIRST]).strip(),
        refresh="30s",
        rows=tuple(rows),
    )


def _now() -> tuple[Panel, ...]:
    up = {"{{service}}": 'min by (service) (up{environment=~"$environment"})'}
    critical = {"critical": 'count(ALERTS{alertstate="firing", severity="critical"}) or on() vector(0)'}
    warning = {"warning": 'count(ALERTS{alertstate="firing", severity="warning"}) or on() vector(0)'}
    firing = {"{{alertname}} {{service}}": 'ALERTS{alertstate="firing"}'}
    red = colours((1, "red"))
    return (
        panel("Critical alerts", critical, "short", "They wake you.", kind="stat", width=4, height=5, thresholds=red),
        panel(
            "Warnings", warning, "short", "They wait for the morning.", kind="stat", width=4, height=5,
            thresholds=colours((1, "yellow")),
        ),
        panel(
            "Services", up, "short", "1: the last scrapes were answered.", kind="stat", width=16, height=5,
            thresholds=colours((1, "green")),
        ),
        panel("Firing", firing, "short", "Watchdog always fires: alerting works.", kind="table", width=24),
    )  # fmt: skip


def _list(title: str, tag: str) -> Panel:
    return Panel(title=title, kind="dashboards", tag=tag, description=f"Every dashboard with the tag {tag}.", height=9)
