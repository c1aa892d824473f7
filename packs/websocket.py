"""WebSocket connections: how many are open, and whether many close at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from model.dashboard_spec import Panel
from model.limits import Share
from model.service import Metric
from model.telemetry import AlertRule, Example
from packs.base import (
    CHOSEN,
    Rules,
    Subject,
    build_either_query,
    build_flat_samples,
    build_panel,
    format_percent,
    list_metric_names,
)

LOST = 0.5
"""Half of the connections within five minutes: people do not all leave at once, a network or a server does."""

METRICS: Mapping[str, Metric] = {
    "websocket_connections_active": Metric(
        type="gauge", help="Open WebSocket connections.", role="connections", baseline=60.0
    ),
}


def rules(subject: Subject) -> Rules:
    """An alert on many connections lost at once."""
    connections = subject.find_metric("connections")
    if not connections:
        return Rules()
    name, bound = connections[0], subject.get_limit("WebSocketDisconnections", LOST)
    least = subject.get_min_failures("WebSocketDisconnections")
    series, open_now = subject.build_series(name), f"{name}{subject.build_selector()}"
    # a gauge's change is its delta; rate() would take every fall for a restart of a counter
    lost = f"-delta({open_now}[5m])"
    return Rules(
        alerts=(
            AlertRule(
                name="WebSocketDisconnections",
                expr=f"{lost} / (max_over_time({open_now}[5m]) > 0) > {bound:g} and {lost} >= {least}",
                for_="2m",  # a rolling restart reconnects within that time
                severity="warning",
                limit=Share(bound),
                min_failures=least,
                summary=f"{subject.title}: {{{{ $value | humanizePercentage }}}} of the WebSocket connections are gone",
                description=f"More than {format_percent(bound)} of the connections to {subject.title} were lost at"
                f" once, and at least {least}.",
                steps=(
                    "Did the service restart or get deployed? See its uptime and its first log lines.",
                    'Read the lines about connections: `{service="<service>"} |~ "(?i)websocket"`.',
                    "Look at the proxy in front: time-outs, reloads, connection limits.",
                ),
                example=Example(
                    fires={series: f"1000+0x56 {_build_lost_samples(bound + 0.01)}"},
                    silent={series: f"1000+0x56 {_build_lost_samples(bound - 0.02)}"},
                ),
            ),
        )
    )


def _build_lost_samples(lost: float) -> str:
    """What is left of 1000 connections, for an hour; the test looks three minutes after the fall."""
    # delta() extrapolates from the four minutes between its samples to five: the fall is made smaller by that much
    return build_flat_samples(round(1000 - 1000 * lost * 4 / 5))


def panels(subjects: Sequence[Subject]) -> tuple[Panel, ...]:
    """Open connections, and how their number changed."""
    connections = list_metric_names(subjects, "connections")
    if not connections:
        return ()
    count = {"{{service}}": build_either_query(connections, f"sum by (service) (NAME{{{CHOSEN}}})")}
    change = {"{{service}}": build_either_query(connections, f"sum by (service) (delta(NAME{{{CHOSEN}}}[5m]))")}
    return (
        build_panel("WebSocket connections", count, "short", "Open connections.", width=12),
        build_panel(
            "Change of connections", change, "short", "In 5 minutes; a deep dip is many who lost theirs.", width=12
        ),
    )
