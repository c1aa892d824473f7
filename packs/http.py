"""An HTTP service: how many requests, how many of them fail, how long they take.

After https://grafana.com/blog/2018/08/02/the-red-method-how-to-instrument-your-services/ (rate, errors, duration).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from model.dashboard_spec import Panel
from model.limits import Share
from model.roles import Role
from model.service import Metric
from model.telemetry import AlertRule, RecordingRule
from packs import outcome
from packs.base import (
    BY,
    CHOSEN,
    PER_SECOND,
    WINDOW,
    Outcome,
    Rules,
    Subject,
    colours,
    either,
    panel,
    percent,
    quantile,
    share,
)

ERROR_RATIO = 0.05
"""One request in twenty: users notice."""
LATENCY_SECONDS = 1.0
"""Beyond a second people's train of thought breaks (https://www.nngroup.com/articles/response-times-3-important-limits/)."""
HOLD = "5m"
"""Longer than a deployment's restart, shorter than people's patience."""
QUANTILES = (0.5, 0.95, 0.99)
REQUESTS, ERRORS = f"service:requests:rate{WINDOW}", f"service:requests_failed:ratio_rate{WINDOW}"

METRICS: Mapping[str, Metric] = {
    "http_requests_total": Metric(
        type="counter",
        help="Requests by method, path and status.",
        role="requests",
        labels={
            "method": ("GET", "POST"),
            "path": ("/", "/api/items", "/api/search"),
            "status": ("200", "201", "404", "500", "503"),
        },
    ),
    "http_request_duration_seconds": Metric(
        type="histogram",
        help="How long requests take.",
        unit="seconds",
        role="duration",
        labels={"method": ("GET", "POST"), "path": ("/", "/api/items", "/api/search")},
        buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 2.5, 5.0, 10.0),
    ),
}


def latency(q: float) -> str:
    """Name of the recorded quantile, in seconds: latency(0.95) is that of p95."""
    return f"service:request_duration_seconds:p{q * 100:g}_{WINDOW}".replace("99.9", "999")


# -- rules -----------------------------------------------------------------------------------------------------------


def rules(subject: Subject) -> Rules:
    """Recorded rates and quantiles, and alerts on them, for what the service measures."""
    recordings: list[RecordingRule] = []
    alerts: list[AlertRule] = []
    outcomes: list[Outcome] = []
    if requests := subject.metric("requests"):
        outcomes.append(outcome.http(requests[0], subject.service.status_label))
        recordings += request_rates(subject, outcomes[0])
        alerts.append(error_ratio(subject, outcomes[0]))
    if (timed := subject.metric("duration")) and timed[1].type in ("histogram", "summary"):
        q = subject.tuning("SlowRequests").quantile or 0.95
        recordings += [duration(subject, *timed, each) for each in sorted({*QUANTILES, q})]
        alerts.append(slow(subject, *timed, q))
    return Rules(tuple(recordings), tuple(alerts), tuple(outcomes))


def request_rates(subject: Subject, of: Outcome) -> list[RecordingRule]:
    """Requests per second, and the share of those with a known status that failed with 5xx."""
    return [
        RecordingRule(record=REQUESTS, expr=outcome.rate(subject, of.name)),
        # a service that never failed has no 5xx series at all: its share is 0; without a status it has no share
        RecordingRule(record=ERRORS, expr=outcome.ratio(subject, of)),
    ]


def duration(subject: Subject, name: str, metric: Metric, q: float) -> RecordingRule:
    """A quantile in seconds, whatever the metric's own unit; a histogram's needs `le` until it has been computed."""
    scale = "" if metric.unit == "seconds" else f" / {PER_SECOND[metric.unit]:g}"
    if metric.type == "summary":
        matcher = subject.selector(f'quantile="{q:g}"')
        return RecordingRule(record=latency(q), expr=f"max by ({BY}) ({name}{matcher}){scale}")
    buckets = f"sum by (le, {BY}) (rate({name}_bucket{subject.selector()}[{WINDOW}]))"
    return RecordingRule(record=latency(q), expr=f"histogram_quantile({q:g}, {buckets}){scale}")


def error_ratio(subject: Subject, of: Outcome) -> AlertRule:
    """Users see errors: more than a few of them, and not a single one in a quiet night."""
    bound, status = subject.limit("HighErrorRatio", ERROR_RATIO), subject.service.status_label
    least = subject.least("HighErrorRatio")
    return AlertRule(
        name="HighErrorRatio",
        expr=f"{ERRORS}{subject.selector()} > {bound:g} and {outcome.enough(subject, of, least)}",
        for_=HOLD,
        severity="critical",
        limit=Share(bound),
        min_failures=least,
        summary=f"{subject.title}: {{{{ $value | humanizePercentage }}}} of requests fail",
        description=f"More than {percent(bound)} of the requests to {subject.title} have ended with a 5xx status for a"
        f" while, and at least {least} within the hour: users see errors.",
        steps=(
            "Open the dashboard: which endpoints fail, and since when?",
            'Read the error lines: `{service="<service>"} |= "error"` in Grafana\'s Explore.',
            "Compare the beginning with the last deployment; roll back if they coincide.",
            "Look at what the service depends on: database, queue, upstream services.",
        ),
        example=share(
            subject.series(of.name, **{status: "500"}), subject.series(of.name, **{status: "200"}), min(bound, 0.9)
        ),
    )


def slow(subject: Subject, name: str, metric: Metric, q: float) -> AlertRule:
    """The threshold is in seconds, as the recorded quantile is."""
    bound = subject.limit("SlowRequests", LATENCY_SECONDS)
    raw = bound * PER_SECOND[metric.unit]
    example = quantile(subject, name, q, raw)
    if metric.type == "summary":
        series = subject.series(name, quantile=f"{q:g}")
        example = type(example)(fires={series: f"{raw * 1.01:g}+0x120"}, silent={series: f"{raw * 0.99:g}+0x120"})
    return AlertRule(
        name="SlowRequests",
        expr=f"{latency(q)}{subject.selector()} > {bound:g}",
        for_=HOLD,
        severity="warning",
        limit=bound,
        quantile=q,
        summary=f'{subject.title}: p{q * 100:g} is {{{{ printf "%.3g" $value }}}} s',
        description=f"{percent(1 - q)} of the requests to {subject.title} have taken longer than {bound:g} s for a"
        " while: people wait.",
        steps=(
            "Open the dashboard: are all endpoints slow, or one?",
            "Look at CPU, memory and the database: a slow dependency slows everything.",
            "Look at the request rate: more traffic than usual needs more instances.",
            "Follow one slow request by its trace_id through the logs.",
        ),
        example=example,
    )


# -- panels ----------------------------------------------------------------------------------------------------------


def panels(subjects: Sequence[Subject]) -> tuple[Panel, ...]:
    """Rate, errors and duration of each service, then by endpoint and status."""
    bounds = [s.limit("HighErrorRatio", ERROR_RATIO) for s in subjects] or [ERROR_RATIO]
    waits = [s.limit("SlowRequests", LATENCY_SECONDS) for s in subjects] or [LATENCY_SECONDS]
    at = f"{{{CHOSEN}}}"
    quantiles = {f"{{{{service}}}} p{q * 100:g}": f"{latency(q)}{at}" for q in QUANTILES}
    rate = {"{{service}}": f"{REQUESTS}{at}"}
    errors = {"{{service}}": f"{ERRORS}{at}"}
    return (
        panel("Request rate", rate, "reqps", "Requests per second, over 5 minutes.", width=8),
        panel(
            "Error ratio",
            errors,
            "percentunit",
            f"Share of requests that ended with a 5xx status; people are called above {percent(min(bounds))}.",
            width=8,
            thresholds=colours((min(bounds), "red")),
        ),
        panel(
            "Request duration",
            quantiles,
            "s",
            f"Half, 95 and 99 of 100 requests are quicker than this; a warning is sent above {min(waits):g} s.",
            width=8,
            thresholds=colours((min(waits), "red")),
        ),
        *_details(subjects),
    )


def _details(subjects: Sequence[Subject]) -> tuple[Panel, ...]:
    """Panels by status and endpoint, for what the services count by."""
    result: list[Panel] = []
    for label in sorted({s.service.status_label for s in subjects}):
        counted = _with_label(subjects, "requests", label)
        rate = either(counted, f"sum by ({label}) (rate(NAME{{{CHOSEN}}}[$__rate_interval]))")
        text = f"Requests per second by {label}; 5xx are the service's own failures, 4xx its callers'."
        if counted:
            result.append(panel("Requests by status", {f"{{{{{label}}}}}": rate}, "reqps", text, width=8))
    for label in sorted({s.service.path_label for s in subjects}):
        if counted := _with_label(subjects, "requests", label):
            busy = either(counted, f"sum by ({label}) (rate(NAME{{{CHOSEN}}}[5m]))")
            result.append(_ten("Ten busiest endpoints", label, busy, "reqps", "Requests per second over 5 minutes."))
        if timed := _with_label(subjects, "duration", label):
            quantiles = f"histogram_quantile(0.95, sum by (le, {label}) (rate(NAME_bucket{{{CHOSEN}}}[5m])))"
            text = "95th percentile of each endpoint over 5 minutes."
            result.append(_ten("Ten slowest endpoints", label, either(timed, quantiles), _unit(subjects), text))
    return tuple(result)


def _ten(title: str, label: str, expr: str, unit: str, text: str) -> Panel:
    return panel(title, {f"{{{{{label}}}}}": f"topk(10, {expr})"}, unit, text, kind="bargauge", width=8)


def _with_label(subjects: Sequence[Subject], role: Role, label: str) -> list[str]:
    """The names of the metrics of a role that have the label; of durations only histograms."""
    metrics = [metric for subject in subjects if (metric := subject.metric(role)) and label in metric[1].labels]
    return sorted({name for name, metric in metrics if metric.type != "summary"})


def _unit(subjects: Sequence[Subject]) -> str:
    """Grafana's unit of the services' durations; seconds win where they differ."""
    units = {metric[1].unit for subject in subjects if (metric := subject.metric("duration"))}
    return "ms" if units == {"milliseconds"} else "s"
