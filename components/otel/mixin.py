"""The OpenTelemetry gateway: does it take all that it is sent, does it pass it on, and does everybody send what counts?

Source of the names: https://opentelemetry.io/docs/collector/internal-telemetry/ and its own /metrics.
"""

from __future__ import annotations

from functools import cache

from components.drawing import RED_ABOVE_ZERO, fill_zero_if_up, select, take_rate
from components.otel.settings import NAME
from components.otel.spans import CALLS
from components.otelcol import count_new
from model.dashboard_spec import Panel
from model.limits import Count, Share
from model.telemetry import SENT_VALUES, AlertRule, Example
from packs.base import (
    BY,
    Tune,
    build_counter_samples,
    build_flat_samples,
    build_gauge_example,
    build_panel,
    build_service_series,
    build_thresholds,
    format_percent,
    get_limit,
)

QUEUE_SHARE = 0.5
"""Half of a queue: at a steady rate as much time is left as has passed since the store went away."""
REFUSED = 0.0
"""Items in five minutes: what is refused is lost if its sender does not try again, so by default each one counts."""
VALUES = 50_000.0
"""Values a minute of one service: what a scraped target may have, sent as often as SDKs send by default. A value of a
histogram is a dozen series."""
QUEUE_BYTES = 256 * 1024 * 1024
"""What a queue holds by default; for the example alone."""
OWN = f'service="{NAME}"'
"""Its own series: an agent that reads lines may be the same program."""
KINDS = {"spans": "spans", "metric_points": "metrics", "log_records": "log records"}
"""How names of its counters end, and what they count."""


# -- alerts ----------------------------------------------------------------------------------------------------------


def alerts(tune: Tune) -> tuple[AlertRule, ...]:
    """Alerts about the gateway; that it is down, or a service that sends to it, says TargetDown."""
    return (
        alert_on_queue_filling(tune),
        alert_on_lost_items(),
        alert_on_refused_items(tune),
        alert_on_undeclared_sender(),
        alert_on_much_sent(tune),
        alert_on_dropped_streams(),
        alert_on_dropped_span_names(),
    )


def alert_on_queue_filling(tune: Tune) -> AlertRule:
    """What waits on disk, as a share of what may."""
    bound = get_limit(tune, "OtelQueueFilling", QUEUE_SHARE)
    size, capacity = (
        build_service_series(NAME, f"otelcol_exporter_queue_{what}", exporter="otlp_http/traces", data_type="traces")
        for what in ("size", "capacity")
    )
    return AlertRule(
        name="OtelQueueFilling",
        expr=f"sum by ({BY}, exporter) (otelcol_exporter_queue_size{{{OWN}}})"
        f" / sum by ({BY}, exporter) (otelcol_exporter_queue_capacity{{{OWN}}}) > {bound:g}",
        for_="2m",  # a restart of the store is over by then
        severity="warning",
        limit=Share(bound),
        summary="The queue of {{ $labels.exporter }} is filled to {{ $value | humanizePercentage }}",
        description=f"More than {format_percent(bound)} of the OpenTelemetry gateway's queue for"
        " {{ $labels.exporter }} is taken. Nothing is lost yet; once it is full, senders are refused.",
        steps=(
            "Look whether the store answers: traces go to Jaeger, metrics to Prometheus, logs to Loki.",
            'Read what it says: `{service="otel"} | json` in Grafana\'s Explore.',
            "If the store is up and slow, look at its memory and disk in the dashboard Monitoring Stack.",
            "If it will be away for long, give the queue more room: `otel: {queue: 1GiB}`.",
        ),
        example=build_gauge_example(size, bound * QUEUE_BYTES, **{capacity: build_flat_samples(QUEUE_BYTES)}),
    )


def alert_on_lost_items() -> AlertRule:
    """What a store refused for good."""
    series = build_service_series(NAME, "otelcol_exporter_send_failed_metric_points", exporter="otlp_http/metrics")
    up = build_service_series(NAME, "up")
    names = f'{{__name__=~"otelcol_exporter_send_failed_(spans|metric_points|log_records)",{OWN}}}'
    return AlertRule(
        name="OtelItemsLost",
        expr=f"{count_new(f'{BY}, exporter', names)} > 0",
        for_="1m",  # a single loss is seen for five minutes; a restart of Prometheus makes none
        keep_firing_for="10m",  # it is over soon, and somebody should read of it
        severity="warning",
        summary="{{ $labels.exporter }} lost {{ $value | humanize }} spans, samples or log records in 5 minutes",
        description="The store behind {{ $labels.exporter }} refused what the OpenTelemetry gateway sent, for good: it"
        " will not be sent again. Prometheus discards a whole request for one sample that is more than an hour late.",
        steps=(
            'Read why: `{service="otel"} | json` in Grafana\'s Explore; the message has the answer of the store.',
            "If samples are out of bounds, look at the clock of the host that sends them.",
            "If the store says that there is too much, look at its limits: `loki: {ingestionRateMb: ...}`, for lines.",
        ),
        example=Example(
            fires={series: "_x58 3+0x10", up: build_flat_samples(1)},  # it appears with the first loss
            silent={series: "_x58 3+0x10", up: "_x58 1+0x10"},  # Prometheus was away until then
        ),
    )


def alert_on_refused_items(tune: Tune) -> AlertRule:
    """What the gateway did not take: its memory is short, or a queue is full."""
    bound = get_limit(tune, "OtelReceiverRefusing", REFUSED)
    one, other = (
        build_service_series(NAME, f"otelcol_receiver_refused_{kind}", receiver="otlp", transport="http")
        for kind in ("spans", "log_records")  # both have the same labels
    )
    more = f", more than {bound:g} items in 5 minutes" if bound else ""
    refused = f'{{__name__=~"otelcol_receiver_refused_(spans|metric_points|log_records)",{OWN}}}'
    return AlertRule(
        name="OtelReceiverRefusing",
        expr=f"{count_new(BY, refused)} > {bound:g}",
        for_="2m",  # SDKs try again within seconds, so what is over soon has lost nothing
        severity="warning",
        limit=Count(bound),
        summary="The OpenTelemetry gateway refused {{ $value | humanize }} spans, samples or log records in 5 minutes",
        description=f"Senders are refused{more}: a queue of the OpenTelemetry gateway is full, or its memory is short."
        " They try again for a minute or so, and then what they have is lost.",
        steps=(
            "Look at the row OpenTelemetry gateway of the dashboard Monitoring Stack: is a queue full?",
            "If so, its store is away or too slow: OtelQueueFilling says which one.",
            "If not, its memory is short: raise `otel: {memory: ...}`, or find who sends so much:"
            " `topk(5, sum by (service) (rate(traces_span_metrics_calls_total[5m])))`.",
        ),
        example=Example(
            fires={one: build_counter_samples(bound + 1), other: build_flat_samples(7)},
            silent={one: build_counter_samples(bound / 10), other: build_flat_samples(7)},
        ),
    )


def alert_on_undeclared_sender() -> AlertRule:
    """A service sends metrics under a name that nobody wrote down."""
    series = build_service_series(NAME, "otel_undeclared_datapoints_total", sender="checkout")
    return AlertRule(
        name="OtelSenderUndeclared",
        expr=f"sum by ({BY}, sender) (otel_undeclared_datapoints_total) > 0",
        for_="5m",  # a trial by hand is over by then
        severity="warning",
        summary="{{ $labels.sender }} sends metrics, and the system's file does not say that it does",
        description="A program with the service.name {{ $labels.sender }} sends metrics to the OpenTelemetry gateway,"
        " which drops them: the system's file has no service of this name with `otlp: true`.",
        steps=(
            "If it is a service of yours, add it to `services` with `otlp: true`, under this name.",
            "If it is known there under another name, set OTEL_SERVICE_NAME of the program to its key.",
            "If it is scraped, or should send no metrics, set OTEL_METRICS_EXPORTER=none there.",
        ),
        example=Example(fires={series: build_flat_samples(1)}, silent={series: "1+1x50"}),
    )


def alert_on_much_sent(tune: Tune) -> AlertRule:
    """A service sends more than Prometheus should have of one: attributes of its values are labels there."""
    bound = get_limit(tune, "OtelSenderVolumeHigh", VALUES)
    series = build_service_series(NAME, SENT_VALUES, sender="checkout")
    return AlertRule(
        name="OtelSenderVolumeHigh",
        expr=f"sum by ({BY}, sender) (rate({SENT_VALUES}[10m])) * 60 > {bound:g}",
        for_="15m",  # a rolling update sends for both versions meanwhile
        severity="warning",
        limit=Count(bound),
        summary="{{ $labels.sender }} sends {{ $value | humanize }} values of metrics a minute",
        description=f"{{{{ $labels.sender }}}} sends more than {bound:g} values of metrics a minute, each of which is a"
        " series of Prometheus, or a dozen of a histogram.",
        steps=(
            'Find the metric: `topk(5, count by (__name__) ({service="<sender>"}))`, and then the label with the many'
            " values: `count by (<label>) (<metric>)`.",
            "Drop that attribute by a view of the SDK; an id of a user, order or request is never one of a metric.",
            "If every value is needed, send less often: OTEL_METRIC_EXPORT_INTERVAL, in milliseconds.",
        ),
        example=Example(
            fires={series: build_counter_samples(bound * 1.02)}, silent={series: build_counter_samples(bound * 0.98)}
        ),
    )


def alert_on_dropped_streams() -> AlertRule:
    """Counters that are sent as differences and cannot be added up."""
    name = "otelcol_deltatocumulative_datapoints"
    series, dropped = build_service_series(NAME, name, error="limit"), f'{name}{{error!=""}}'
    return AlertRule(
        name="OtelStreamsDropped",
        expr=f"{count_new(f'{BY}, error', dropped)} > 0",
        for_="5m",  # a sample that came twice is no loss
        severity="warning",
        summary="{{ $value | humanize }} differences of counters were dropped in 5 minutes: {{ $labels.error }}",
        description="Services send counters as differences, which the OpenTelemetry gateway adds up; it dropped some,"
        " so these counters are too low.",
        steps=(
            "If the error is `limit`, a counter has too many combinations of attributes: find it by"
            ' `topk(5, count by (__name__) ({instance!="", service="..."}))`.',
            "If it is about order, two instances of a service have one identity: give each its own host.name.",
            "Set OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE=cumulative, then nothing has to be added up.",
        ),
        example=Example(fires={series: "0+10x70"}, silent={series: build_flat_samples(3)}),
    )


def alert_on_dropped_span_names() -> AlertRule:
    """So many names of spans that the last of them are measured together."""
    series = build_service_series("api", CALLS, otel_metric_overflow="true")
    return AlertRule(
        name="OtelSpanNamesTooMany",
        expr=f'sum by ({BY}) ({CALLS}{{otel_metric_overflow="true"}}) > 0',
        for_="15m",  # nothing is wrong with what is measured already, so nobody is in a hurry
        severity="info",
        summary="{{ $labels.service }} has too many names of spans to measure each",
        description="Spans of {{ $labels.service }} have more names than are measured one by one: an id stands in the"
        " name, mostly. Requests, errors and durations of all others are one series.",
        steps=(
            "Look at the names: `topk(20, count by (span_name) (traces_span_metrics_calls_total))`.",
            "Name spans by the route's template, such as `GET /users/{id}`: the id belongs into an attribute.",
        ),
        example=Example(fires={series: build_flat_samples(1)}, silent={series: build_flat_samples(0)}),
    )


# -- panels ----------------------------------------------------------------------------------------------------------


@cache
def panels() -> tuple[Panel, ...]:
    """What it takes, what it refuses, what waits, and what is lost."""
    taken, refused, lost = (
        # a signal that nobody has sent so far has no series
        {
            title: f"sum({take_rate(f'otelcol_{name}_{kind}', OWN)})" + fill_zero_if_up(NAME)
            for kind, title in KINDS.items()
        }
        for name in ("receiver_accepted", "receiver_refused", "exporter_send_failed")
    )
    size, capacity = (select(f"otelcol_exporter_queue_{what}", OWN) for what in ("size", "capacity"))
    sent, unknown = (
        f"sum by (sender) ({query})" + fill_zero_if_up(NAME, "sender")
        for query in (take_rate("otel_sent_datapoints_total"), select("otel_undeclared_datapoints_total"))
    )
    return (
        build_panel("Received", taken, "cps", "Per second, by signal.", width=6),
        build_panel("Refused", refused, "cps", "Senders try these again.", width=6, thresholds=RED_ABOVE_ZERO),
        build_panel(
            "Queues",
            {"{{exporter}}": f"{size} / {capacity}"},
            "percentunit",
            f"What waits on disk. A warning is sent above {format_percent(QUEUE_SHARE)}.",
            width=6,
            thresholds=build_thresholds((QUEUE_SHARE, "red")),
        ),
        build_panel("Lost", lost, "cps", "Refused by a store for good.", width=6, thresholds=RED_ABOVE_ZERO),
        build_panel("Samples by sender", {"{{sender}}": sent}, "cps", "Each may send its share."),
        build_panel(
            "Samples of senders that nobody declared",
            {"{{sender}}": unknown},
            "short",
            "So far.",
            thresholds=RED_ABOVE_ZERO,
        ),
    )
