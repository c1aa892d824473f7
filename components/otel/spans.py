"""The dashboard of spans: requests, errors and durations as spans measure them, for services without metrics too.

Source of the names: the span metrics connector,
https://github.com/open-telemetry/opentelemetry-collector-contrib/tree/main/connector/spanmetricsconnector
"""

from __future__ import annotations

from functools import cache

from components.drawing import draw_chart, draw_stat, fill_zero_if, select, sum_rate, take_rate
from model.dashboard_spec import DashboardSpec, Panel, Row
from packs.base import build_panel, build_thresholds

CALLS, DURATION = "traces_span_metrics_calls_total", "traces_span_metrics_duration_seconds_bucket"
FAILED, ASKED = 'status_code="STATUS_CODE_ERROR"', 'span_kind=~"SPAN_KIND_SERVER|SPAN_KIND_CONSUMER"'
"""A request that a service answers, or a message that it takes."""


@cache
def board() -> DashboardSpec:
    """Requests, errors and durations as spans measure them: for services without metrics of their own, too."""
    return DashboardSpec(
        uid="spans",
        title="Spans",
        description="How many requests does each service answer, how many fail, and how long do they take?",
        refresh="30s",
        rows=(
            Row(title="Now", panels=_build_overview_panels()),
            Row(title="By service", panels=_build_service_panels()),
            Row(title="By operation", panels=_build_operation_panels()),
        ),
    )


def _build_overview_panels() -> tuple[Panel, ...]:
    every, none = "every", fill_zero_if(select(CALLS))
    calls, failed = f"sum({take_rate(CALLS, ASKED)})", f"sum({take_rate(CALLS, ASKED, FAILED)}){none}"
    slow = f"histogram_quantile(0.95, sum by (le) ({take_rate(DURATION, ASKED)}))"
    return (
        draw_stat("Requests", calls, "reqps", "Per second, of all services that send spans.", every, width=8),
        draw_stat(
            "Failed", f"({failed}) / ({calls} > 0)", "percentunit", "Share of requests whose span has an error.", every,
            width=8, thresholds=build_thresholds((0.05, "red")),
        ),
        draw_stat("95 of 100 are quicker than", slow, "s", "Of all requests together.", every, width=8),
    )  # fmt: skip


def _build_service_panels() -> tuple[Panel, ...]:
    service = "{{service}}"
    calls, failed = (sum_rate("service", CALLS, ASKED, *more) for more in ((), (FAILED,)))
    slow = f"histogram_quantile(0.95, {sum_rate('le, service', DURATION, ASKED)})"
    return (
        draw_chart("Requests by service", {service: calls}, "reqps", "Worry at a sudden fall: nobody reaches it."),
        draw_chart(
            "Failed by service", {service: f"({failed} or 0 * {calls}) / ({calls} > 0)"}, "percentunit",
            "Share of requests whose span has an error.",
        ),
        draw_chart(
            "p95 by service", {service: slow}, "s", "Each dot is a request and leads to its trace.", exemplars=True,
        ),
    )  # fmt: skip


def _build_operation_panels() -> tuple[Panel, ...]:
    by, legend = "service, span_name", "{{service}} {{span_name}}"
    slow = f"topk(10, histogram_quantile(0.95, {sum_rate(f'le, {by}', DURATION)}))"
    failed = (
        f"topk(10, sum by ({by}) (increase({select(CALLS, FAILED)}[1h])) > 0){fill_zero_if(select(CALLS), 'service')}"
    )
    return (
        build_panel(
            "Slowest operations", {legend: slow}, "s", "p95 of every kind of span, calls of others included.",
            kind="bargauge", width=12,
        ),
        build_panel(
            "Most failures within an hour", {legend: failed}, "short", "Spans with an error.",
            kind="bargauge", width=12,
        ),
    )  # fmt: skip
