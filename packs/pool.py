"""A service's own pool of database connections, and how long its queries take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from model.dashboard_spec import Panel
from model.limits import Share
from model.service import Metric
from model.telemetry import AlertRule, Example
from packs.base import (
    BY,
    CHOSEN,
    PER_SECOND,
    Rules,
    Subject,
    build_either_query,
    build_flat_samples,
    build_panel,
    build_quantile_example,
    build_thresholds,
    format_percent,
    list_metric_names,
)
from packs.worker import build_duration_queries

USED = 0.9
"""Nine in ten: the next burst waits for a connection."""
SLOW_SECONDS = 1.0
"""A query that long is no index lookup."""

METRICS: Mapping[str, Metric] = {
    "db_connections_active": Metric(type="gauge", help="Connections in use.", role="pool_active", baseline=15.0),
    "db_connections_idle": Metric(
        type="gauge", help="Connections that wait for work.", role="pool_idle", baseline=10.0
    ),
    "db_connections_max": Metric(type="gauge", help="Connections that may be open.", role="pool_max", baseline=50.0),
    "db_query_duration_seconds": Metric(
        type="histogram",
        help="How long queries take.",
        unit="seconds",
        role="query_duration",
        buckets=(0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0),
        baseline=0.008,
    ),
}


def rules(subject: Subject) -> Rules:
    """Alerts on a pool that runs out and on queries that take long."""
    alerts: list[AlertRule] = []
    active, most = subject.find_metric("pool_active"), subject.find_metric("pool_max")
    if active and most:
        alerts.append(_alert_on_exhaustion(subject, active[0], most[0]))
    if timed := subject.find_metric("query_duration"):
        alerts.append(_alert_on_slow_queries(subject, *timed))
    return Rules((), tuple(alerts))


def _alert_on_exhaustion(subject: Subject, active: str, most: str) -> AlertRule:
    bound, chosen = subject.get_limit("ConnectionPoolExhausted", USED), subject.build_selector()
    used, size = subject.build_series(active), subject.build_series(most)
    return AlertRule(
        name="ConnectionPoolExhausted",
        expr=f"{active}{chosen} / ({most}{chosen} > 0) > {bound:g}",  # some pools call no limit 0
        for_="5m",  # a burst gives its connections back within that time
        severity="critical",
        limit=Share(bound),
        summary=f"{subject.title}: {{{{ $value | humanizePercentage }}}} of the database connections are in use",
        description=f"More than {format_percent(bound)} of the connections of {subject.title} are taken: requests"
        " wait for one and time out.",
        steps=(
            "Are queries slow? A slow query keeps its connection; see the query durations.",
            "Does the number only grow? Then connections are taken and not given back.",
            "Raise the pool only as far as the database's max_connections allows.",
        ),
        example=Example(
            fires={used: build_flat_samples(bound * 100 + 1), size: build_flat_samples(100)},
            silent={used: build_flat_samples(bound * 100 - 1), size: build_flat_samples(100)},
        ),
    )


def _alert_on_slow_queries(subject: Subject, name: str, metric: Metric) -> AlertRule:
    tuning = subject.get_tuning("SlowQueries")
    q, bound = tuning.quantile or 0.95, subject.get_limit("SlowQueries", SLOW_SECONDS)
    raw = bound * PER_SECOND[metric.unit]
    buckets = f"sum by (le, {BY}) (rate({name}_bucket{subject.build_selector()}[5m]))"
    return AlertRule(
        name="SlowQueries",
        expr=f"histogram_quantile({q:g}, {buckets}) > {raw:g}",
        for_="10m",  # a nightly report or a vacuum is slow for a while
        severity="warning",
        limit=bound,
        quantile=q,
        summary=f"{subject.title}: database queries take {{{{ $value | humanize }}}} {metric.unit} (p{q * 100:g})",
        description=f"{format_percent(1 - q)} of the queries of {subject.title} have taken longer than {bound:g} s.",
        steps=(
            "Look at the database's dashboard: locks, long transactions, cache hits.",
            "Find the query: pg_stat_statements by mean time, or the service's slow lines.",
            "Look at the disk of the database: full, or busy.",
        ),
        example=build_quantile_example(subject, name, q, raw),
    )


def panels(subjects: Sequence[Subject]) -> tuple[Panel, ...]:
    """Connections of the pool and the durations of queries."""
    result: list[Panel] = []
    bound = min((s.get_limit("ConnectionPoolExhausted", USED) for s in subjects), default=USED)
    sizes = list_metric_names(subjects, "pool_max")
    if (active := list_metric_names(subjects, "pool_active")) and sizes:
        counts = {
            "{{service}} in use": build_either_query(active, f"NAME{{{CHOSEN}}}"),
            "{{service}} at most": build_either_query(sizes, f"NAME{{{CHOSEN}}}"),
        }
        if idle := list_metric_names(subjects, "pool_idle"):
            counts["{{service}} idle"] = build_either_query(idle, f"NAME{{{CHOSEN}}}")
        result.append(
            build_panel("Database connections", counts, "short", "Requests wait when all are taken.", width=8)
        )
        used = {"{{service}}": f"{active[0]}{{{CHOSEN}}} / ({sizes[0]}{{{CHOSEN}}} > 0)"}
        text = f"Share of the pool; people are called above {format_percent(bound)}."
        result.append(
            build_panel("Pool in use", used, "percentunit", text, width=8, thresholds=build_thresholds((bound, "red")))
        )
    if timed := list_metric_names(subjects, "query_duration"):
        result.append(
            build_panel(
                "Query duration",
                build_duration_queries(timed),
                "s",
                "Half, 95 and 99 of 100 queries take less.",
                width=8,
            )
        )
    return tuple(result)
