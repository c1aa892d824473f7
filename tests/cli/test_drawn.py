"""The panel of an alert: the one with its metrics, recorded ones included, on its own dashboard first."""

from __future__ import annotations

import pytest

from cli.drawn import PanelIndex, list_drawn_names
from cli.render import plan_file
from cli.workspace import ROOT


@pytest.mark.parametrize(
    ("alert", "panel", "uid"),
    [
        ("NodeCPUHighUsage", "CPU of the host", "host"),
        ("PostgreSQLMaxConnectionsReached", "Connections in use", "postgres"),
        ("HighErrorRatio", "Error ratio", "plue-overview"),  # by a recorded series
        ("PrometheusRuleFailures", "Failures within Prometheus", "monitoring-stack"),
        ("LokiRetentionNotApplied", "Old lines deleted", "monitoring-stack"),
    ],
)
def test_a_panel_has_the_metrics_of_its_alert(alert: str, panel: str | None, uid: str | None) -> None:
    """Whoever is called sees there what the alert is about."""
    plan = plan_file(ROOT / "Pulumi.dev.yaml", "dev")
    rule = next(rule for group in plan.telemetry.rules for rule in group.alerts if rule.name == alert)
    drawn = PanelIndex(plan).find_panel(rule)
    assert (drawn and drawn.panel, drawn and drawn.uid) == (panel, uid)


@pytest.mark.parametrize(
    ("stack", "alert", "panel"),
    [
        ("prod", "KubeNodePressure", "Nodes that are not well"),  # as "Nodes ready", by the same metric
        ("devops-mcp", "OtelItemsLost", "Lost"),  # by a pattern of names
        ("devops-mcp", "MetricMissing", "Services up"),  # whose pattern is drawn by no single panel
    ],
)
def test_of_panels_with_a_metric_the_one_with_the_same_series_is_taken(stack: str, alert: str, panel: str) -> None:
    """By the values of labels that both choose, and by all names that a pattern stands for."""
    plan = plan_file(ROOT / f"Pulumi.{stack}.yaml", stack)
    rule = next(rule for group in plan.telemetry.rules for rule in group.alerts if rule.name == alert)
    drawn = PanelIndex(plan).find_panel(rule)
    assert drawn and drawn.panel == panel


def test_variables_are_no_metrics() -> None:
    """A query of a panel has variables of Grafana, and one of log lines no metric at all."""
    query = 'sum(rate(http_requests_total{service="$service"}[$__rate_interval]))'
    assert list_drawn_names(query) == {"http_requests_total"}
    assert not list_drawn_names('{service="api"} |= "error"')


def test_every_pack_draws_what_it_alerts_on() -> None:
    """Alerts about containers, probes, traffic and objectives lead to a panel."""
    plan = plan_file(ROOT / "Pulumi.devops-mcp.yaml", "devops-mcp")
    index = PanelIndex(plan)
    missing = {
        rule.name
        for group in plan.telemetry.rules
        for rule in group.alerts
        if rule.name.startswith(("Container", "CPU", "Blackbox", "Traefik", "Slow", "High", "Error"))
        and index.find_panel(rule) is None
    }
    assert not missing
