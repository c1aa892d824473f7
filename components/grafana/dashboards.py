"""The stack's own dashboards: is the monitoring itself well, and where is everything?"""

from __future__ import annotations

from collections.abc import Sequence

from model.component import Planning
from model.dashboard_spec import DashboardSpec, Panel, Row
from model.telemetry import StackRow
from packs import slo
from packs.base import build_panel, build_thresholds

INDEX = "index"
"""Uid of the dashboard that people see first."""

_FIRST = "What is firing, whether promises are kept, and every dashboard by name."


def build_stack_dashboard(rows: Sequence[StackRow]) -> DashboardSpec:
    """The stack itself, with the rows of all components that run."""
    ordered = sorted(rows, key=lambda row: row.position)
    return DashboardSpec(
        uid="monitoring-stack",
        title="Monitoring Stack",
        description="Is the monitoring itself well: what is scraped, what is stored, what does it cost?",
        refresh="30s",
        rows=tuple(Row(title=row.title, panels=row.panels) for row in ordered),
    )


def build_index(context: Planning) -> DashboardSpec:
    """What people see first: what is firing, whether promises are kept, and every dashboard by name."""
    system = context.system
    rows = [Row(title="Now", panels=_build_overview_panels())]
    if system.objectives:
        width = max(4, 24 // min(len(system.objectives), 6))
        rows.append(Row(title="SLOs", panels=tuple(slo.build_status_panel(item, width) for item in system.objectives)))
    rows.append(
        Row(
            title="Dashboards",
            panels=(_build_list_panel(system.title, system.name), _build_list_panel("Monitoring", "monitoring")),
        )
    )
    return DashboardSpec(
        uid=INDEX,
        title=f"{system.title} {context.settings.environment}",
        description=" ".join([system.description.strip(), _FIRST]).strip(),
        refresh="30s",
        rows=tuple(rows),
    )


def _build_overview_panels() -> tuple[Panel, ...]:
    up = {"{{service}}": 'min by (service) (up{environment=~"$environment"})'}
    critical = {"critical": 'count(ALERTS{alertstate="firing", severity="critical"}) or on() vector(0)'}
    warning = {"warning": 'count(ALERTS{alertstate="firing", severity="warning"}) or on() vector(0)'}
    firing = {
        "{{alertname}} {{service}}": 'max by (alertname, severity, service, environment) (ALERTS{alertstate="firing"})'
    }
    red = build_thresholds((1, "red"))
    # as high as some twenty parts need
    return (
        build_panel(
            "Critical alerts", critical, "short", "Paging alerts.",
            kind="stat", width=4, height=8, thresholds=red,
        ),
        build_panel(
            "Warnings", warning, "short", "They wait for the morning.", kind="stat", width=4, height=8,
            thresholds=build_thresholds((1, "yellow")),
        ),
        build_panel(
            "Services up", up, "bool_yes_no", "Yes: the last scrapes were answered.", kind="stat", width=16, height=8,
            thresholds=build_thresholds((1, "green")),
        ),
        build_panel("Firing", firing, "short", "Watchdog always fires: alerting works.", kind="table", width=24),
    )  # fmt: skip


def _build_list_panel(title: str, tag: str) -> Panel:
    return Panel(title=title, kind="dashboards", tag=tag, description=f"Every dashboard with the tag {tag}.", height=9)
