"""An HTTP service: how many requests, how many of them fail, how long they take.

After https://grafana.com/blog/2018/08/02/the-red-method-how-to-instrument-your-services/ (rate, errors, duration).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from model.dashboard_spec import Panel
from model.limits import Share
from model.roles import Role
from model.service import Metric, Service
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
    build_either_query,
    build_panel,
    build_quantile_example,
    build_share_example,
    build_thresholds,
    format_percent,
)

ERROR_RATIO = 0.05
"""One request in twenty: users notice."""
LATENCY_SECONDS = 1.0
"""Beyond a second people's train of thought breaks (https://www.nngroup.com/articles/response-times-3-important-limits/)."""
WAIT = "5m"
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


def derive_latency_name(q: float) -> str:
    """Name of the recorded quantile, in seconds: latency(0.95) is that of p95."""
    return f"service:request_duration_seconds:p{q * 100:g}_{WINDOW}".replace("99.9", "999")


def count_timed(service: Service) -> dict[str, Metric]:
    """The counter of requests that a service has without declaring it: the count of its durations by status.

    Empty where it declares one, or where its durations have no label for the status.
    """
    if service.find_metrics("requests"):
        return {}
    return {
        f"{name}_count": Metric(type="counter", help=metric.help, role="requests", labels=metric.labels)
        for name, metric in service.find_metrics("duration").items()
        if outcome.holds_status(metric, service.status_label)
    }


# -- rules -----------------------------------------------------------------------------------------------------------


def rules(subject: Subject) -> Rules:
    """Recorded rates and quantiles, and alerts on them, for what the service measures."""
    recordings: list[RecordingRule] = []
    alerts: list[AlertRule] = []
    outcomes: list[Outcome] = []
    if requests := subject.find_metric("requests"):
        outcomes.append(outcome.build_http_outcome(requests[0], subject.service.status_label))
        recordings += build_request_rates(subject, outcomes[0])
        alerts.append(alert_on_error_ratio(subject, outcomes[0]))
    if (timed := subject.find_metric("duration")) and timed[1].type in ("histogram", "summary"):
        q = subject.get_tuning("SlowRequests").quantile or 0.95
        recordings += [build_duration_recording(subject, *timed, each) for each in sorted({*QUANTILES, q})]
        alerts.append(alert_on_slow_requests(subject, *timed, q))
    return Rules(tuple(recordings), tuple(alerts), tuple(outcomes))


def build_request_rates(subject: Subject, of: Outcome) -> list[RecordingRule]:
    """Requests per second, and the share of those with a known status that failed with 5xx."""
    return [
        RecordingRule(record=REQUESTS, expr=outcome.build_rate_expr(subject, of.name)),
        # a service that never failed has no 5xx series at all: its share is 0; without a status it has no share
        RecordingRule(record=ERRORS, expr=outcome.build_ratio_expr(subject, of)),
    ]


def build_duration_recording(subject: Subject, name: str, metric: Metric, q: float) -> RecordingRule:
    """A quantile in seconds, whatever the metric's own unit; a histogram's needs `le` until it has been computed."""
    scale = "" if metric.unit == "seconds" else f" / {PER_SECOND[metric.unit]:g}"
    if metric.type == "summary":
        matcher = subject.build_selector(f'quantile="{q:g}"')
        return RecordingRule(record=derive_latency_name(q), expr=f"max by ({BY}) ({name}{matcher}){scale}")
    buckets = f"sum by (le, {BY}) (rate({name}_bucket{subject.build_selector()}[{WINDOW}]))"
    return RecordingRule(record=derive_latency_name(q), expr=f"histogram_quantile({q:g}, {buckets}){scale}")


def alert_on_error_ratio(subject: Subject, of: Outcome) -> AlertRule:
    """Users see errors: more than a few of them, and not a single one in a quiet night."""
    bound, status = subject.get_limit("HighErrorRatio", ERROR_RATIO), subject.service.status_label
    least = subject.get_min_failures("HighErrorRatio")
    return AlertRule(
        name="HighErrorRatio",
        expr=f"{ERRORS}{subject.build_selector()} > {bound:g} and {outcome.build_enough_condition(subject, of, least)}",
        for_=WAIT,
        severity="critical",
        limit=Share(bound),
        min_failures=least,
        summary=f"{subject.title}: {{{{ $value | humanizePercentage }}}} of requests fail",
        description=f"More than {format_percent(bound)} of the requests to {subject.title} have ended with a 5xx"
        f" status for a while, and at least {least} within the hour: users see errors.",
        steps=(
            "Open the dashboard: which endpoints fail, and since when?",
            'Read the error lines: `{service="<service>"} |= "error"` in Grafana\'s Explore.',
            "Compare the beginning with the last deployment; roll back if they coincide.",
            "Look at what the service depends on: database, queue, upstream services.",
        ),
        example=build_share_example(
            subject.build_series(of.name, **{status: "500"}),
            subject.build_series(of.name, **{status: "200"}),
            min(bound, 0.9),
        ),
    )


def alert_on_slow_requests(subject: Subject, name: str, metric: Metric, q: float) -> AlertRule:
    """The threshold is in seconds, as the recorded quantile is."""
    bound = subject.get_limit("SlowRequests", LATENCY_SECONDS)
    raw = bound * PER_SECOND[metric.unit]
    example = build_quantile_example(subject, name, q, raw)
    if metric.type == "summary":
        series = subject.build_series(name, quantile=f"{q:g}")
        example = type(example)(fires={series: f"{raw * 1.01:g}+0x120"}, silent={series: f"{raw * 0.99:g}+0x120"})
    return AlertRule(
        name="SlowRequests",
        expr=f"{derive_latency_name(q)}{subject.build_selector()} > {bound:g}",
        for_=WAIT,
        severity="warning",
        limit=bound,
        quantile=q,
        summary=f'{subject.title}: p{q * 100:g} is {{{{ printf "%.3g" $value }}}} s',
        description=f"{format_percent(1 - q)} of the requests to {subject.title} have taken longer than {bound:g} s"
        " for a while: people wait.",
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
    bounds = [s.get_limit("HighErrorRatio", ERROR_RATIO) for s in subjects] or [ERROR_RATIO]
    waits = [s.get_limit("SlowRequests", LATENCY_SECONDS) for s in subjects] or [LATENCY_SECONDS]
    at = f"{{{CHOSEN}}}"
    quantiles = {f"{{{{service}}}} p{q * 100:g}": f"{derive_latency_name(q)}{at}" for q in QUANTILES}
    rate = {"{{service}}": f"{REQUESTS}{at}"}
    errors = {"{{service}}": f"{ERRORS}{at}"}
    return (
        build_panel("Request rate", rate, "reqps", "Requests per second, over 5 minutes.", width=8),
        build_panel(
            "Error ratio",
            errors,
            "percentunit",
            f"Share of requests that ended with a 5xx status; people are called above {format_percent(min(bounds))}.",
            width=8,
            thresholds=build_thresholds((min(bounds), "red")),
        ),
        build_panel(
            "Request duration",
            quantiles,
            "s",
            f"Half, 95 and 99 of 100 requests are quicker than this; a warning is sent above {min(waits):g} s.",
            width=8,
            thresholds=build_thresholds((min(waits), "red")),
        ),
        *_build_detail_panels(subjects),
    )


def _build_detail_panels(subjects: Sequence[Subject]) -> tuple[Panel, ...]:
    """Panels by status and endpoint, for what the services count by."""
    result: list[Panel] = []
    for label in sorted({s.service.status_label for s in subjects}):
        counted = _list_metrics_with_label(subjects, "requests", label)
        rate = build_either_query(counted, f"sum by ({label}) (rate(NAME{{{CHOSEN}}}[$__rate_interval]))")
        text = f"Requests per second by {label}; 5xx are the service's own failures, 4xx its callers'."
        if counted:
            result.append(build_panel("Requests by status", {f"{{{{{label}}}}}": rate}, "reqps", text, width=8))
    for label in sorted({s.service.path_label for s in subjects}):
        if counted := _list_metrics_with_label(subjects, "requests", label):
            busy = build_either_query(counted, f"sum by ({label}) (rate(NAME{{{CHOSEN}}}[5m]))")
            result.append(
                _build_top_ten_panel(
                    "Ten busiest endpoints", label, busy, "reqps", "Requests per second over 5 minutes."
                )
            )
        if timed := _list_metrics_with_label(subjects, "duration", label):
            quantiles = f"histogram_quantile(0.95, sum by (le, {label}) (rate(NAME_bucket{{{CHOSEN}}}[5m])))"
            text = "95th percentile of each endpoint over 5 minutes."
            result.append(
                _build_top_ten_panel(
                    "Ten slowest endpoints", label, build_either_query(timed, quantiles), _choose_unit(subjects), text
                )
            )
    return tuple(result)


def _build_top_ten_panel(title: str, label: str, expr: str, unit: str, text: str) -> Panel:
    return build_panel(title, {f"{{{{{label}}}}}": f"topk(10, {expr})"}, unit, text, kind="bargauge", width=8)


def _list_metrics_with_label(subjects: Sequence[Subject], role: Role, label: str) -> list[str]:
    """The names of the metrics of a role that have the label; of durations only histograms."""
    metrics = [metric for subject in subjects if (metric := subject.find_metric(role)) and label in metric[1].labels]
    return sorted({name for name, metric in metrics if metric.type != "summary"})


def _choose_unit(subjects: Sequence[Subject]) -> str:
    """Grafana's unit of the services' durations; seconds win where they differ."""
    units = {metric[1].unit for subject in subjects if (metric := subject.find_metric("duration"))}
    return "ms" if units == {"milliseconds"} else "s"
