"""Jaeger: does it keep all spans that it is sent, and does it find them again?

Source of the names: https://www.jaegertracing.io/docs/1.62/monitoring/ and its own /metrics.
"""

from __future__ import annotations

from functools import cache

from components.drawing import fill_zero_if_up
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
    build_thresholds,
    format_percent,
    get_limit,
)

DROPPED = 0.0
"""Spans in five minutes: what is dropped is lost, and its trace has a hole, so by default each one counts."""
UNSAVED_SHARE = 0.01
"""One span in a hundred can be one that is malformed; more is the storage."""
QUEUE_SHARE = 0.8
"""A fifth of the queue is left: at 2000 places and 100 spans a second too many, four seconds until spans are lost."""
ERROR_SHARE = 0.1
"""One query in ten: people ask seldom, and a single refusal of five queries is not yet a broken storage."""
QUEUE_CAPACITY = 2000
"""Places of the collector's queue, as Jaeger has it by default; for the example alone."""
NOT_FOUND = "get_trace"
"""The operation whose failures say nothing: a trace that was never sampled, or has expired, counts as one."""
SELF = "jaeger"


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
    """Spans that found the collector's queue full."""
    bound = get_limit(tune, "JaegerCollectorDroppingSpans", DROPPED)
    dropped = build_service_series(SELF, "jaeger_collector_spans_dropped_total", host="jaeger")
    more = f"more than {bound:g} " if bound else ""
    return AlertRule(
        name="JaegerCollectorDroppingSpans",
        expr=f"sum by ({BY}) (increase(jaeger_collector_spans_dropped_total[5m])) > {bound:g}",
        for_="5m",  # one burst, such as that of a load test's start, is over by then
        severity="warning",
        limit=Count(bound),
        summary="Jaeger dropped {{ $value | humanize }} spans in 5 minutes",
        description=f"Jaeger drops {more}spans in 5 minutes, and they are lost: its queue is full.",
        steps=(
            "Find who sends so much: `topk(5, sum by (svc) (rate(jaeger_collector_spans_received_total[5m])))`.",
            "Lower that service's sampling rate: a part of all traces shows the same as all of them.",
            "Look at the disk of Jaeger's volume: the queue fills while the storage is slower than what comes in.",
            "If all spans are needed, raise Jaeger's `cpus` and `memory`.",
        ),
        example=build_growth_example(dropped, bound),
    )


def alert_on_spans_not_saved(tune: Tune) -> AlertRule:
    """Spans that the storage refused."""
    bound = get_limit(tune, "JaegerSpansNotSaved", UNSAVED_SHARE)
    name = "jaeger_collector_spans_saved_by_svc_total"
    failed, saved = (
        build_service_series(SELF, name, debug="false", result=result, svc="api") for result in ("err", "ok")
    )
    return AlertRule(
        name="JaegerSpansNotSaved",
        expr=f'sum by ({BY}) (rate({name}{{result="err"}}[5m])) / sum by ({BY}) (rate({name}[5m])) > {bound:g}',
        for_="5m",  # a slow disk makes single writes fail for seconds; what goes on is a cause
        severity="critical",
        limit=Share(bound),
        summary="Jaeger cannot save {{ $value | humanizePercentage }} of the spans",
        description=f"More than {format_percent(bound)} of the spans are refused by Jaeger's storage, and they are"
        " lost.",
        steps=(
            'Read why: `{service="jaeger"} |= "Failed to save span"` in Grafana\'s Explore.',
            "Look at the disk of Jaeger's volume: without space nothing is saved. A shorter `retention` frees some, but"
            " only of spans that come after the change.",
            "Restart Jaeger's container: Badger opens its tables anew, and says what it cannot read.",
        ),
        example=build_share_example(failed, saved, bound),
    )


def alert_on_queue_filling(tune: Tune) -> AlertRule:
    """Spans that wait to be saved, as a share of what the queue holds."""
    bound = get_limit(tune, "JaegerQueueFilling", QUEUE_SHARE)
    length = build_service_series(SELF, "jaeger_collector_queue_length", host="jaeger")
    capacity = build_service_series(SELF, "jaeger_collector_queue_capacity", host="jaeger")
    return AlertRule(
        name="JaegerQueueFilling",
        expr=f"sum by ({BY}) (jaeger_collector_queue_length) / sum by ({BY}) (jaeger_collector_queue_capacity)"
        f" > {bound:g}",
        for_="5m",  # a burst fills the queue for seconds, which is what it is for
        severity="warning",
        limit=Share(bound),
        summary="Jaeger's queue is filled to {{ $value | humanizePercentage }}",
        description=f"More than {format_percent(bound)} of the collector's queue is taken: once full, spans are lost.",
        steps=(
            "Look at the row of Jaeger in the dashboard Monitoring Stack: do more spans come in than before?",
            "If so, lower the sampling rate of the service that sends most.",
            "If not, the storage has become slow: look at the host's disk, and at what else writes to it.",
        ),
        example=build_gauge_example(length, bound * QUEUE_CAPACITY, **{capacity: build_flat_samples(QUEUE_CAPACITY)}),
    )


def alert_on_query_errors(tune: Tune) -> AlertRule:
    """Queries that fail, save those of single traces: one that is not there counts as a failure."""
    bound = get_limit(tune, "JaegerQueryReqsFailing", ERROR_SHARE)
    name = "jaeger_query_requests_total"
    failed, done = (
        build_service_series(SELF, name, operation="find_traces", result=result) for result in ("err", "ok")
    )
    others = f'operation!="{NOT_FOUND}"'
    return AlertRule(
        name="JaegerQueryReqsFailing",
        expr=f'sum by ({BY}) (rate({name}{{{others}, result="err"}}[5m]))'
        f" / sum by ({BY}) (rate({name}{{{others}}}[5m])) > {bound:g}",
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
        "{{svc}}": "sum by (svc) (rate(jaeger_collector_spans_received_total[$__rate_interval])) > 0"
        + fill_zero_if_up(SELF, "svc")
    }
    failed = '{environment=~"$environment", result="err"}'
    lost = {
        "dropped": "sum(rate(jaeger_collector_spans_dropped_total[$__rate_interval]))",
        "not saved": f"sum(rate(jaeger_collector_spans_saved_by_svc_total{failed}[$__rate_interval]))",
    }
    queue = {"filled": "sum(jaeger_collector_queue_length) / sum(jaeger_collector_queue_capacity)"}
    red = build_thresholds((0.001, "red"))
    return (
        build_panel("Spans received", received, "cps", "Per second, by the service that sends them.", width=8),
        build_panel("Spans lost", lost, "cps", "Their traces have holes.", width=8, thresholds=red),
        build_panel("Queue", queue, "percentunit", "When it is full, spans are dropped.", width=8),
    )
