"""Jaeger: does it keep all spans that it is sent, and does it find them again?

Source of the names: its own /metrics, as components/jaeger/documents.py has them written, and
https://opentelemetry.io/docs/collector/internal-telemetry/. tests/e2e/test_jaeger.py compares both.
"""

from __future__ import annotations

from functools import cache

from components.drawing import RED_ABOVE_ZERO, count_events, draw_failures, fill_zero_if_up
from components.jaeger.documents import QUEUE_SPANS
from model.dashboard_spec import Panel
from model.limits import Count, Share
from model.telemetry import AlertRule
from packs.base import (
    BY,
    Tune,
    build_flat_samples,
    build_gauge_example,
    build_growth_example,
    build_panel,
    build_service_series,
    build_share_example,
    format_percent,
    get_limit,
)

DROPPED = 0.0
"""Spans in five minutes: what is dropped is lost, and its trace has a hole, so by default each one counts."""
UNSAVED_SHARE = 0.01
"""One span in a hundred can be one that is malformed; more is the storage."""
QUEUE_SHARE = 0.8
"""A fifth of the queue is left: at 10,000 places and 100 spans a second too many, 20 seconds until spans are lost."""
ERROR_SHARE = 0.1
"""One query in ten: people ask seldom, and a single refusal of five queries is not yet a broken storage."""
NOT_FOUND = "get_trace"
"""The operation whose failures say nothing: a trace that was never sampled, or has expired, counts as one."""
SELF = "jaeger"
ACCEPTED, REFUSED = "otelcol_receiver_accepted_spans_total", "otelcol_receiver_refused_spans_total"
"""Spans by the way that they came, which is there with 0 from the first request on."""
SAVED, UNSAVED = "otelcol_exporter_sent_spans_total", "otelcol_exporter_send_failed_spans_total"
"""Spans that the store took, and did not: all of a request count as failed where one of them does."""
WAITING, PLACES = "otelcol_exporter_queue_size", "otelcol_exporter_queue_capacity"
"""Of the queue, in spans."""
QUERIES = "jaeger_storage_requests_total"


# -- alerts ----------------------------------------------------------------------------------------------------------


def alerts(tune: Tune) -> tuple[AlertRule, ...]:
    """Alerts about Jaeger; that it is down says TargetDown."""
    return (
        alert_on_dropped_spans(tune),
        alert_on_spans_not_saved(tune),
        alert_on_queue_filling(tune),
        alert_on_query_errors(tune),
    )


def alert_on_dropped_spans(tune: Tune) -> AlertRule:
    """Spans that came while the queue was full, or the memory used up."""
    bound = get_limit(tune, "JaegerCollectorDroppingSpans", DROPPED)
    refused = build_service_series(SELF, REFUSED, receiver="otlp", transport="http")
    more = f"more than {bound:g} " if bound else ""
    return AlertRule(
        name="JaegerCollectorDroppingSpans",
        expr=f"sum by ({BY}) (increase({REFUSED}[5m])) > {bound:g}",
        for_="5m",  # one burst, such as that of a load test's start, is over by then
        severity="warning",
        limit=Count(bound),
        summary="Jaeger refused {{ $value | humanize }} spans in 5 minutes",
        description=f"Jaeger refuses {more}spans in 5 minutes, and they are lost unless their sender tries again: its"
        " queue is full or its memory used up.",
        steps=(
            'Read why: `{service="jaeger"} |= "Refusing data"` in Grafana\'s Explore has lines where it is the memory,'
            ' of which `memory` gives it more; `{service="jaeger"} |= "Rejecting data"` has where it is the queue.',
            f"Find who sends so much: `sum by (receiver, transport) (rate({ACCEPTED}[5m]))` says by which way spans"
            " come, and `/jaeger` whose they are.",
            "Lower that service's sampling rate: a part of all traces shows the same as all of them.",
            "Look at the disk of Jaeger's volume: the queue fills while the storage is slower than what comes in.",
            "If all spans are needed, raise Jaeger's `cpus` and `memory`.",
        ),
        example=build_growth_example(refused, bound),
    )


def alert_on_spans_not_saved(tune: Tune) -> AlertRule:
    """Spans that the storage refused."""
    bound = get_limit(tune, "JaegerSpansNotSaved", UNSAVED_SHARE)
    exporter = "jaeger_storage_exporter"
    failed, saved = (build_service_series(SELF, name, exporter=exporter) for name in (UNSAVED, SAVED))
    failing, saving = (f"sum by ({BY}) (rate({name}[5m]))" for name in (UNSAVED, SAVED))
    return AlertRule(
        name="JaegerSpansNotSaved",
        expr=f"{failing} / ({failing} + {saving}) > {bound:g}",
        for_="5m",  # a slow disk makes single writes fail for seconds; what goes on is a cause
        severity="critical",
        limit=Share(bound),
        summary="Jaeger cannot save {{ $value | humanizePercentage }} of the spans",
        description=f"More than {format_percent(bound)} of the spans are refused by Jaeger's storage, and they are"
        " lost.",
        steps=(
            'Read why: `{service="jaeger"} |= "Dropping data"` in Grafana\'s Explore.',
            "A key that exceeds 65000 is an attribute of that length: its span is lost, the others of its request are"
            " stored and counted as failed too. Let the service cut it off.",
            "Look at the disk of Jaeger's volume: without space nothing is saved. A shorter `retention` frees some, but"
            " only of spans that come after the change.",
            "Restart Jaeger's container: Badger opens its tables anew, and says what it cannot read.",
        ),
        example=build_share_example(failed, saved, bound),
    )


def alert_on_queue_filling(tune: Tune) -> AlertRule:
    """Spans that wait to be saved, as a share of what the queue holds."""
    bound = get_limit(tune, "JaegerQueueFilling", QUEUE_SHARE)
    labels = {"data_type": "traces", "exporter": "jaeger_storage_exporter"}
    waiting, places = (build_service_series(SELF, name, **labels) for name in (WAITING, PLACES))
    return AlertRule(
        name="JaegerQueueFilling",
        expr=f"sum by ({BY}) ({WAITING}) / sum by ({BY}) ({PLACES}) > {bound:g}",
        for_="5m",  # a burst fills the queue for seconds, which is what it is for
        severity="warning",
        limit=Share(bound),
        summary="Jaeger's queue is filled to {{ $value | humanizePercentage }}",
        description=f"More than {format_percent(bound)} of Jaeger's queue is taken: once full, spans are refused.",
        steps=(
            "Look at the row of Jaeger in the dashboard Monitoring Stack: do more spans come in than before?",
            "If so, lower the sampling rate of the service that sends most.",
            "If not, the storage has become slow: look at the host's disk, and at what else writes to it.",
        ),
        example=build_gauge_example(waiting, bound * QUEUE_SPANS, **{places: build_flat_samples(QUEUE_SPANS)}),
    )


def alert_on_query_errors(tune: Tune) -> AlertRule:
    """Queries that fail, save those of single traces: one that is not there counts as a failure."""
    bound = get_limit(tune, "JaegerQueryReqsFailing", ERROR_SHARE)
    labels = {"kind": "badger", "operation": "find_traces", "role": "tracestore"}
    failed, done = (build_service_series(SELF, QUERIES, **labels, result=result) for result in ("err", "ok"))
    others = f'operation!="{NOT_FOUND}"'
    return AlertRule(
        name="JaegerQueryReqsFailing",
        expr=f'sum by ({BY}) (rate({QUERIES}{{{others}, result="err"}}[5m]))'
        f" / sum by ({BY}) (rate({QUERIES}{{{others}}}[5m])) > {bound:g}",
        for_="10m",  # nobody is woken for a search that was too wide; the next ones succeed
        severity="warning",
        limit=Share(bound),
        summary="{{ $value | humanizePercentage }} of Jaeger's queries fail",
        description=f"More than {format_percent(bound)} of the searches fail: traces are kept, but people cannot"
        " find them.",
        steps=(
            'Read why: `{service="jaeger"} |= "error"` in Grafana\'s Explore.',
            "Search for less: a shorter time range, and a service. A search without either reads the whole storage.",
            "If short ones fail too, look at Jaeger's memory: near its limit, raise `memory`.",
        ),
        example=build_share_example(failed, done, bound),
    )


# -- panels ----------------------------------------------------------------------------------------------------------


@cache
def panels() -> tuple[Panel, ...]:
    """What Jaeger receives, what it loses, and how near it is to losing more."""
    received = {
        "{{receiver}} {{transport}}": f"sum by (receiver, transport) (rate({ACCEPTED}[$__rate_interval]))"
        + fill_zero_if_up(SELF, "receiver")
    }
    lost = {
        "refused": f"sum(rate({REFUSED}[$__rate_interval]))" + fill_zero_if_up(SELF),
        "not saved": f"sum(rate({UNSAVED}[$__rate_interval]))" + fill_zero_if_up(SELF),
    }
    queue = {"filled": f"sum({WAITING}) / sum({PLACES})"}
    queries = {
        "{{operation}}": "sum by (operation) (rate(jaeger_storage_latency_seconds_sum[$__rate_interval]))"
        " / (sum by (operation) (rate(jaeger_storage_latency_seconds_count[$__rate_interval])) > 0)"
        + fill_zero_if_up(SELF, "operation")
    }
    failed = {"queries": count_events(QUERIES, f'operation!="{NOT_FOUND}"', 'result="err"')}
    return (
        build_panel("Spans received", received, "cps", "Per second, by the way that they come.", width=6),
        build_panel("Spans lost", lost, "cps", "Their traces have holes.", width=6, thresholds=RED_ABOVE_ZERO),
        build_panel("Queue", queue, "percentunit", "When it is full, spans are refused.", width=6),
        build_panel("Queries of traces", queries, "s", "How long Badger takes for one, by operation.", width=6),
        draw_failures("Queries of traces that fail", failed, SELF, "Within five minutes; an unknown trace is none."),
    )
