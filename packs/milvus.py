"""Milvus, by its own Prometheus endpoint: searches, inserts, failed requests, loaded data.

Source: https://milvus.io/docs/metrics_dashboard.md
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from model.dashboard_spec import Panel
from model.limits import Share
from model.service import Metric
from model.telemetry import AlertRule
from packs import outcome, process
from packs.base import (
    BY,
    CHOSEN,
    Outcome,
    Rules,
    Subject,
    build_panel,
    build_quantile_example,
    build_share_example,
    build_thresholds,
    format_percent,
)
from packs.worker import build_duration_queries

FAILING = 0.05
SLOW_MILLISECONDS = 1000.0
"""A search is one part of an answer that people wait for."""
REQUESTS, SEARCH = "milvus_proxy_req_count", "milvus_proxy_sq_latency"
ANSWERED = 'status!="total"'
"""Milvus counts each request a second time as it comes in, with the status `total`."""
OUTCOME = Outcome(REQUESTS, failed='status="fail"', known=f'status=~".+", {ANSWERED}', every=ANSWERED)

METRICS: Mapping[str, Metric] = {
    **process.METRICS,
    REQUESTS: Metric(
        type="counter",
        help="Requests by function and outcome.",
        labels={"function_name": ("Search", "Insert", "Query"), "status": ("success", "fail")},
        baseline=8.0,
    ),
    SEARCH: Metric(
        type="histogram",
        help="How long searches and queries take.",
        unit="milliseconds",
        labels={"query_type": ("search", "query")},
        buckets=(1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0, 2000.0),
        baseline=12.0,
    ),
    "milvus_proxy_insert_vectors_count": Metric(type="counter", help="Vectors inserted.", baseline=20.0),
    "milvus_querynode_entity_num": Metric(type="gauge", help="Entities that can be searched.", baseline=120000.0),
}


def rules(subject: Subject) -> Rules:
    """Alerts on requests that fail and on slow searches, beside those of every process."""
    common = process.rules(subject)
    return Rules(
        common.recordings, (*common.alerts, _alert_on_failures(subject), _alert_on_slow_searches(subject)), (OUTCOME,)
    )


def _alert_on_failures(subject: Subject) -> AlertRule:
    bound, least = (
        subject.get_limit("MilvusRequestsFailing", FAILING),
        subject.get_min_failures("MilvusRequestsFailing"),
    )
    return AlertRule(
        name="MilvusRequestsFailing",
        expr=outcome.build_failing_condition(subject, OUTCOME, bound, least),
        for_="5m",  # longer than a node's restart
        severity="warning",
        limit=Share(bound),
        min_failures=least,
        summary=f"{subject.title}: {{{{ $value | humanizePercentage }}}} of the requests fail",
        description=f"More than {format_percent(bound)} of the requests to Milvus have failed, at least {least}"
        " within the hour: searches give no answer.",
        steps=(
            "Which function fails? See the dashboard.",
            "Are collections loaded, and do query nodes have memory left?",
            "Read Milvus' error lines.",
        ),
        example=build_share_example(
            subject.build_series(REQUESTS, status="fail"), subject.build_series(REQUESTS, status="success"), bound
        ),
    )


def _alert_on_slow_searches(subject: Subject) -> AlertRule:
    bound = subject.get_limit("MilvusSearchSlow", SLOW_MILLISECONDS)
    buckets = f"sum by (le, {BY}) (rate({SEARCH}_bucket{subject.build_selector()}[5m]))"
    return AlertRule(
        name="MilvusSearchSlow",
        expr=f"histogram_quantile(0.95, {buckets}) > {bound:g}",
        for_="10m",  # an index that is being built slows searches for minutes
        severity="warning",
        limit=bound,
        summary=f"{subject.title}: searches take {{{{ $value | humanize }}}} ms (p95)",
        description=f"One search in twenty has taken longer than {bound:g} ms.",
        steps=(
            "Is an index being built, or was one dropped?",
            "Look at CPU and memory of the query nodes.",
            "Look at the number of entities: more segments make searches slower.",
        ),
        example=build_quantile_example(subject, SEARCH, 0.95, bound),
    )


def panels(subjects: Sequence[Subject]) -> tuple[Panel, ...]:
    """Requests, searches, inserts and what can be searched."""
    rate = f"sum by (function_name, status) (rate({REQUESTS}{{{CHOSEN}}}[$__rate_interval]))"
    inserted = f"sum by (service) (rate(milvus_proxy_insert_vectors_count{{{CHOSEN}}}[$__rate_interval]))"
    bound = min((s.get_limit("MilvusSearchSlow", SLOW_MILLISECONDS) for s in subjects), default=SLOW_MILLISECONDS)
    text = f"Half, 95 and 99 of 100 take less; a warning is sent above {bound:g} ms."
    searched = {"{{service}}": f"milvus_querynode_entity_num{{{CHOSEN}}}"}
    return (
        build_panel(
            "Milvus requests", {"{{function_name}} {{status}}": rate}, "reqps", "Requests per second.", width=6
        ),
        build_panel(
            "Milvus search duration",
            build_duration_queries([SEARCH]),
            "ms",
            text,
            width=6,
            thresholds=build_thresholds((bound, "red")),
        ),
        build_panel("Vectors inserted", {"{{service}}": inserted}, "short", "Vectors per second.", width=6),
        build_panel("Entities", searched, "short", "What can be searched.", width=6),
    )
