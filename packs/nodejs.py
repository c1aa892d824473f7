"""A Node.js process: event loop, heap and garbage collection, as prom-client reports them.

Source: https://github.com/siimon/prom-client#default-metrics
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from model.dashboard_spec import Panel
from model.service import Metric
from model.telemetry import AlertRule
from packs import process
from packs.base import (
    CHOSEN,
    Rules,
    Subject,
    build_either_query,
    build_gauge_example,
    build_panel,
    build_thresholds,
    list_metric_names,
)

LAG_SECONDS = 0.2
"""A fifth of a second in which the process answers nobody: people feel it."""

METRICS: Mapping[str, Metric] = {
    **process.METRICS,
    "nodejs_eventloop_lag_seconds": Metric(
        type="gauge", help="Delay of the event loop.", unit="seconds", role="lag", baseline=0.004
    ),
    "nodejs_heap_size_used_bytes": Metric(type="gauge", help="Heap in use.", unit="bytes", role="heap", baseline=4.2e7),
    "nodejs_heap_size_total_bytes": Metric(type="gauge", help="Heap reserved.", unit="bytes", baseline=6.7e7),
    "nodejs_active_handles_total": Metric(type="gauge", help="Open handles.", baseline=24.0),
}


def rules(subject: Subject) -> Rules:
    """Those of every process, and an alert on an event loop that stalls."""
    common = process.rules(subject)
    lag = subject.find_metric("lag")
    if not lag:
        return common
    bound = subject.get_limit("EventLoopLag", LAG_SECONDS)
    alert = AlertRule(
        name="EventLoopLag",
        expr=f"{lag[0]}{subject.build_selector()} > {bound:g}",
        for_="5m",  # a garbage collection is over in a second
        severity="warning",
        limit=bound,
        summary=f'{subject.title}: the event loop is {{{{ printf "%.2g" $value }}}} s late',
        description=f"Something has blocked the event loop of {subject.title} for longer than {bound:g} s again and"
        " again: every request waits for it.",
        steps=(
            "Look at its CPU: near one core means computing in the event loop.",
            "Look at its heap: near its maximum means garbage collection.",
            "Take a CPU profile (node --cpu-prof) and move the work to a worker thread or another service.",
        ),
        example=build_gauge_example(subject.build_series(lag[0]), bound),
    )
    return Rules(common.recordings, (*common.alerts, alert))


def panels(subjects: Sequence[Subject]) -> tuple[Panel, ...]:
    """Memory, CPU, event loop and heap."""
    lag = {
        "{{service}}": build_either_query(
            list_metric_names(subjects, "lag") or ["nodejs_eventloop_lag_seconds"], f"NAME{{{CHOSEN}}}"
        )
    }
    bound = min((s.get_limit("EventLoopLag", LAG_SECONDS) for s in subjects), default=LAG_SECONDS)
    text = f"How late the event loop is; a warning is sent above {bound:g} s."
    heap = {
        "{{service}} used": f"nodejs_heap_size_used_bytes{{{CHOSEN}}}",
        "{{service}} reserved": f"nodejs_heap_size_total_bytes{{{CHOSEN}}}",
    }
    handles = {"{{service}}": f"nodejs_active_handles_total{{{CHOSEN}}}"}
    return (
        *process.panels(subjects),
        build_panel("Event loop lag", lag, "s", text, width=8, thresholds=build_thresholds((bound, "red"))),
        build_panel("Heap", heap, "bytes", "Used near reserved for long: little is left to collect.", width=8),
        build_panel("Open handles", handles, "short", "Sockets, timers and files that keep it busy.", width=8),
    )
