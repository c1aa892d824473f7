"""An API that answers with retrieval and a language model (RAG): queries, documents, vector search, model calls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from model.dashboard_spec import Panel
from model.limits import Share
from model.service import Metric
from model.telemetry import AlertRule
from packs import outcome
from packs.base import (
    CHOSEN,
    Outcome,
    Rules,
    Subject,
    build_panel,
    build_share_example,
    build_thresholds,
    format_percent,
)
from packs.worker import build_duration_queries

FAILING = 0.05
"""One in twenty: people ask again, and the provider's bill grows with it."""
STATUS = ("success", "error")

_LONG = (0.1, 0.25, 0.5, 1.0, 2.0, 2.5, 5.0, 10.0, 30.0)
_SHORT = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)

METRICS: Mapping[str, Metric] = {
    "rag_queries_total": Metric(type="counter", help="Questions by outcome.", labels={"status": STATUS}, baseline=4.0),
    "rag_query_duration_seconds": Metric(
        type="histogram", help="How long answers take.", unit="seconds", buckets=_LONG, baseline=0.8
    ),
    "rag_document_processing_duration_seconds": Metric(
        type="histogram",
        help="How long documents take, by type.",
        unit="seconds",
        labels={"type": ("pdf", "markdown", "html")},
        buckets=_LONG,
        baseline=1.2,
    ),
    "rag_document_chunks": Metric(
        type="histogram",
        help="Chunks of a document.",
        buckets=(1.0, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0),
        baseline=18.0,
    ),
    "rag_document_uploads_total": Metric(
        type="counter", help="Uploads by outcome.", labels={"status": STATUS}, baseline=1.0
    ),
    "rag_vector_searches_total": Metric(type="counter", help="Vector searches.", baseline=6.0),
    "rag_vector_search_duration_seconds": Metric(
        type="histogram", help="How long vector searches take.", unit="seconds", buckets=_SHORT, baseline=0.03
    ),
    "rag_vector_search_results": Metric(
        type="histogram", help="Hits of a search.", buckets=(0.0, 1.0, 3.0, 5.0, 10.0, 20.0), baseline=6.0
    ),
    "llm_requests_total": Metric(
        type="counter",
        help="Calls of language models by model and outcome.",
        labels={"model": ("large", "small"), "status": STATUS},
        baseline=5.0,
    ),
    "llm_request_duration_seconds": Metric(
        type="histogram",
        help="How long calls take.",
        unit="seconds",
        labels={"model": ("large", "small")},
        buckets=_LONG,
        baseline=1.5,
    ),
    "llm_tokens_total": Metric(
        type="counter",
        help="Tokens by model and direction.",
        labels={"model": ("large", "small"), "direction": ("prompt", "completion")},
        baseline=900.0,
    ),
}


# -- rules -----------------------------------------------------------------------------------------------------------


def rules(subject: Subject) -> Rules:
    """Alerts on questions and model calls that fail."""
    questions, model_calls = _build_outcome("rag_queries_total"), _build_outcome("llm_requests_total")
    alerts = (
        _alert_on_failures(subject, "RagQueriesFailing", questions, "questions", "critical"),
        _alert_on_failures(subject, "LlmCallsFailing", model_calls, "calls of language models", "warning"),
    )
    return Rules(alerts=alerts, outcomes=(questions, model_calls))


def _build_outcome(name: str) -> Outcome:
    return Outcome(name, failed='status="error"', known='status=~".+"')


def _alert_on_failures(subject: Subject, alert: str, of: Outcome, what: str, severity: str) -> AlertRule:
    bound, least = subject.get_limit(alert, FAILING), subject.get_min_failures(alert)
    return AlertRule(
        name=alert,
        expr=outcome.build_failing_condition(subject, of, bound, least),
        for_="5m",  # a provider's hiccup is over by then
        severity="critical" if severity == "critical" else "warning",
        limit=Share(bound),
        min_failures=least,
        summary=f"{subject.title}: {{{{ $value | humanizePercentage }}}} of the {what} fail",
        description=f"More than {format_percent(bound)} of the {what} of {subject.title} have failed for 5 minutes,"
        f" at least {least} within the hour.",
        steps=(
            "Which part fails: vector search, or a model? See the dashboard's rows.",
            "Look at the provider's status page, the quota and the key.",
            'Read the error lines: `{service="<service>"} |= "error"`.',
        ),
        example=build_share_example(
            subject.build_series(of.name, status="error"), subject.build_series(of.name, status="success"), bound
        ),
    )


# -- panels ----------------------------------------------------------------------------------------------------------


def panels(subjects: Sequence[Subject]) -> tuple[Panel, ...]:
    """Questions, documents, searches and model calls."""
    return (
        *_build_question_panels(subjects),
        *_build_document_panels(),
        *_build_search_panels(),
        *_build_model_panels(subjects),
    )


def _build_rate_queries(name: str, by: str, *matchers: str) -> dict[str, str]:
    chosen = ", ".join([CHOSEN, *matchers])
    legend = " ".join(f"{{{{{label.strip()}}}}}" for label in by.split(","))
    return {legend: f"sum by ({by}) (rate({name}{{{chosen}}}[$__rate_interval]))"}


def _build_ratio_queries(name: str, by: str) -> dict[str, str]:
    """The share of failures by a label, among what has an outcome."""
    bad, known = (
        f"sum by ({by}) (rate({name}{{{CHOSEN}, {matcher}}}[$__rate_interval]))"
        for matcher in (_build_outcome(name).failed, _build_outcome(name).known)
    )
    return {f"{{{{{by}}}}}": f"({bad} or 0 * {known}) / ({known} > 0)"}


def _build_question_panels(subjects: Sequence[Subject]) -> tuple[Panel, ...]:
    bound = min((s.get_limit("RagQueriesFailing", FAILING) for s in subjects), default=FAILING)
    text = f"Share of questions that failed; people are called above {format_percent(bound)}."
    total = {"questions": f"sum(increase(rag_queries_total{{{CHOSEN}}}[$__range]))"}
    return (
        build_panel(
            "Questions",
            _build_rate_queries("rag_queries_total", "status"),
            "reqps",
            "Questions per second by outcome.",
            width=6,
        ),
        build_panel(
            "Question duration",
            build_duration_queries(["rag_query_duration_seconds"]),
            "s",
            "From question to answer.",
            width=6,
        ),
        build_panel(
            "Failed questions",
            _build_ratio_queries("rag_queries_total", "service"),
            "percentunit",
            text,
            width=6,
            thresholds=build_thresholds((bound, "red")),
        ),
        build_panel("Questions in all", total, "short", "In the time shown.", kind="stat", width=6),
    )


def _build_document_panels() -> tuple[Panel, ...]:
    processing = {
        "{{type}} p95": "histogram_quantile(0.95, sum by (le, type)"
        f" (rate(rag_document_processing_duration_seconds_bucket{{{CHOSEN}}}[$__rate_interval])))"
    }
    chunks = {
        "chunks": f"sum(rate(rag_document_chunks_sum{{{CHOSEN}}}[$__rate_interval]))"
        f" / (sum(rate(rag_document_chunks_count{{{CHOSEN}}}[$__rate_interval])) > 0)"
    }
    uploads = _build_rate_queries("rag_document_uploads_total", "status")
    return (
        build_panel("Document processing", processing, "s", "95 of 100 documents of a type take less.", width=8),
        build_panel("Chunks of a document", chunks, "short", "Mean; many small chunks cost searches.", width=8),
        build_panel("Uploads", uploads, "ops", "Uploads per second by outcome.", width=8),
    )


def _build_search_panels() -> tuple[Panel, ...]:
    hits = {
        "hits": f"sum(rate(rag_vector_search_results_sum{{{CHOSEN}}}[$__rate_interval]))"
        f" / (sum(rate(rag_vector_search_results_count{{{CHOSEN}}}[$__rate_interval])) > 0)"
    }
    latency = build_duration_queries(["rag_vector_search_duration_seconds"])
    return (
        build_panel("Vector search duration", latency, "s", "Half, 95 and 99 of 100 searches take less.", width=8),
        build_panel("Hits of a search", hits, "short", "Mean; near zero means an empty or a wrong index.", width=8),
        build_panel(
            "Vector searches",
            _build_rate_queries("rag_vector_searches_total", "service"),
            "ops",
            "Searches per second.",
            width=8,
        ),
    )


def _build_model_panels(subjects: Sequence[Subject]) -> tuple[Panel, ...]:
    bound = min((s.get_limit("LlmCallsFailing", FAILING) for s in subjects), default=FAILING)
    text = f"Share of calls that failed; a warning is sent above {format_percent(bound)}."
    latency = build_duration_queries(["llm_request_duration_seconds"], "model")
    tokens = _build_rate_queries("llm_tokens_total", "model, direction")
    return (
        build_panel(
            "Model calls",
            _build_rate_queries("llm_requests_total", "model, status"),
            "reqps",
            "Calls per second.",
            width=6,
        ),
        build_panel("Model call duration", latency, "s", "Half, 95 and 99 of 100 calls take less.", width=6),
        build_panel(
            "Failed model calls",
            _build_ratio_queries("llm_requests_total", "model"),
            "percentunit",
            text,
            width=6,
            thresholds=build_thresholds((bound, "red")),
        ),
        build_panel("Tokens", tokens, "short", "Tokens per second: what is paid for.", width=6),
    )
