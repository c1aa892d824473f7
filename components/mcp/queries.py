"""Ready queries on a service's own metrics, in which `$duration` stands for the time that is looked at."""

from __future__ import annotations

from model.service import Metric
from model.system import System
from packs import http, outcome
from packs.base import PER_SECOND, Subject

RECORDED = {"rate": http.REQUESTS, "error_ratio": http.ERRORS, "p95": http.derive_latency_name(0.95)}
"""Recorded series with the label service, by what the server calls them."""
QUANTILES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
ENDPOINTS = 10


def build_queries(system: System, key: str) -> dict[str, str]:
    """The queries of a service by what they give; none where it measures neither requests nor durations."""
    subject, queries = Subject(system, key), dict[str, str]()
    if counted := subject.find_metric("requests"):
        queries |= build_request_queries(subject, *counted)
    timed = subject.find_metric("duration")
    if timed and timed[1].type in ("histogram", "summary") and timed[1].unit in PER_SECOND:
        queries |= build_duration_queries(subject, *timed)
    return queries


def build_request_queries(subject: Subject, name: str, metric: Metric) -> dict[str, str]:
    """Requests with a known status, those that failed, and where; as `packs.http` judges them."""
    status, path = subject.service.status_label, subject.service.path_label
    of = outcome.build_http_outcome(name, status)

    def build_increase(matcher: str, by: str = "") -> str:
        grouped = f" by ({by})" if by else ""
        return f"sum{grouped} (increase({name}{subject.build_selector(matcher)}[$duration]))"

    every, failed = build_increase(of.known), build_increase(of.failed)
    queries = {
        "requests": every,
        "errors": f"{failed} or 0 * {every}",  # a service that never failed has no series of failures
        "requests_by_status": f"{build_increase(of.known, status)} > 0",
    }
    if path in metric.labels:
        queries["errors_by_endpoint"] = f"topk({ENDPOINTS}, {build_increase(of.failed, path)} > 0)"
    return queries


def build_duration_queries(subject: Subject, name: str, metric: Metric) -> dict[str, str]:
    """Quantiles in seconds, whatever the metric's own unit; of a summary those that it has itself."""
    scale = "" if metric.unit == "seconds" else f" / {PER_SECOND[metric.unit]:g}"
    if metric.type == "summary":
        selectors = {kind: subject.build_selector(f'quantile="{q:g}"') for kind, q in QUANTILES.items()}
        return {kind: f"max(max_over_time({name}{at}[$duration])){scale}" for kind, at in selectors.items()}
    path = subject.service.path_label

    def build_quantile(q: float, *by: str) -> str:
        buckets = f"sum by ({', '.join(('le', *by))}) (rate({name}_bucket{subject.build_selector()}[$duration]))"
        return f"histogram_quantile({q:g}, {buckets}){scale}"

    queries = {kind: build_quantile(q) for kind, q in QUANTILES.items()}
    if path in metric.labels:
        queries["p95_by_endpoint"] = f"topk({ENDPOINTS}, {build_quantile(0.95, path)})"
    return queries
