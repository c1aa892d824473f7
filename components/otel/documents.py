"""The gateway's document: how spans, metrics and log records come in, what is left of them, and where they go.

Format: https://opentelemetry.io/docs/collector/configuration/. A request is answered once what it brought is in a queue
on disk, so what a sender knows to have arrived survives the gateway's end.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from components.otel import bounds, browser
from components.otel.attributes import (
    INSTANCES,
    KEPT,
    build_count_statements,
    build_log_statements,
    build_metric_statements,
    build_name_statements,
    build_other_condition,
    build_sender_condition,
)
from components.otel.settings import (
    GRPC_PORT,
    HTTP_PORT,
    SIGNALS,
    Sampling,
    Settings,
)
from components.otel.stores import build_exporters
from components.otelcol import EXTENSIONS, build_extensions, build_memory_limiter, build_telemetry
from model.base import format_go_duration, parse_duration
from model.component import Planned
from model.stores import LogLimits
from model.telemetry import SENT_VALUES
from model.workload import MIB, Limits

REQUEST_MIB = 4
"""MiB of one request at most, compressed or not: what Loki takes of one, too."""
SENDERS = 100
"""Services that are counted without being declared; each is one series."""
STREAMS = 50_000
"""Series of counters that are sent as differences and added up here; more are dropped, and counted."""
COMBINATIONS = 2_000
"""Names, kinds and states of spans that are measured; all others count as one."""
BUCKETS = ("5ms", "10ms", "25ms", "50ms", "100ms", "250ms", "500ms", "1s", "2500ms", "5s", "10s")
"""Those of client libraries: https://opentelemetry.io/docs/specs/semconv/http/http-metrics/."""
BROWSERS, COUNTED = "otlp/browser", "signal_to_metrics/browser"
"""The way in for visitors' browsers, and what makes metrics of their records."""
SPANS = ("transform/senders", "transform/spans", "transform/events")
RECORDS = ("transform/senders", "transform/logs", "groupbyattrs/level")
"""What bounds and names spans and records on their way to their stores."""
MEASURED = 'keep_keys(resource.attributes, ["service.name"])'
"""Instances are measured together, so what is left of one of them would stand for all."""
UNDECLARED = "otel.undeclared.datapoints"
"""Counts, by the name that it gives itself, what a service sends that the system's file does not know as a sender."""
SENT = SENT_VALUES.removesuffix("_total").replace("_", ".")
"""Counts what comes from each sender of the system's file; what is measured of spans or browsers is not among it."""
ARRIVED = "signal_to_metrics/sent"


def build_config(own: Settings, context: Planned, limits: Limits) -> dict[str, Any]:
    """The whole document as a dict."""
    exporters = build_exporters(own, context)
    return {
        "extensions": build_extensions(),
        "receivers": build_receivers(own),
        "processors": build_processors(own, context, limits),
        "connectors": build_connectors(own),
        "exporters": {name: exporter for stores in exporters.values() for name, exporter in stores.items()},
        "service": {
            "extensions": list(EXTENSIONS),
            "pipelines": build_pipelines(own, context, exporters),
            "telemetry": build_telemetry(),
        },
    }


def build_receivers(own: Settings) -> dict[str, Any]:
    """Both ways in for services, and one for browsers.

    Source: https://pkg.go.dev/go.opentelemetry.io/collector/receiver/otlpreceiver
    """
    protocols = {
        "grpc": {"endpoint": f"0.0.0.0:{GRPC_PORT}", "max_recv_msg_size_mib": REQUEST_MIB},
        "http": {"endpoint": f"0.0.0.0:{HTTP_PORT}", "max_request_body_size": REQUEST_MIB * MIB},
    }
    pages = {BROWSERS: browser.build_receiver(own.browser)} if own.browser else {}
    return {"otlp": {"protocols": protocols}, **pages}


# -- processors ------------------------------------------------------------------------------------------------------


def build_processors(own: Settings, context: Planned, limits: Limits) -> dict[str, Any]:
    """What is done with each signal between the way in and the queue."""
    declared = build_sender_condition(context)
    made: dict[str, Any] = {
        "memory_limiter": build_memory_limiter(limits),
        "filter/undeclared": {"metric_conditions": [build_other_condition(declared)]},
        "filter/declared": {"metric_conditions": [declared]},
        "transform/metrics": build_transform(metric_statements=build_metric_statements(context)),
        "transform/counted": build_transform(metric_statements=build_count_statements(context)),
        "delta_to_cumulative": {"max_stale": "1h", "max_streams": STREAMS},
        "delta_to_cumulative/counted": {"max_stale": "1h", "max_streams": SENDERS},
        "delta_to_cumulative/sent": {"max_stale": "1h"},  # one for each sender of the file, whatever strangers send
        "transform/senders": build_transform(
            trace_statements=(statements := bounds.build_sender_statements((*KEPT, *INSTANCES))),
            log_statements=statements,
        ),
        "transform/spans": build_transform(trace_statements=bounds.build_span_statements()),
        "transform/events": build_transform(trace_statements=bounds.build_event_statements()),
        "transform/measured": build_transform(trace_statements=[*build_name_statements(context), MEASURED]),
        "transform/logs": build_transform(log_statements=build_log_statements(context, find_log_limits(context))),
        "groupbyattrs/level": {"keys": ["level"]},
    }
    if own.browser:
        made["filter/browser"] = browser.build_filter(context)
        made["transform/browser"] = build_transform(
            log_statements=browser.build_record_statements(), trace_statements=browser.build_span_statements()
        )
    if own.sampling:
        made["tail_sampling"] = build_sampling(own.sampling)
    if context.settings.target == "kubernetes":
        made["k8s_attributes"] = build_pod_lookup()
    return made


def find_log_limits(context: Planned) -> LogLimits:
    """What the store of log records takes."""
    return next((store.limits for store in context.telemetry.log_stores), LogLimits())


def build_transform(**statements: Sequence[str]) -> dict[str, Any]:
    """Statements of one signal; one that cannot be followed leaves the data as it is and is logged."""
    return {"error_mode": "ignore", **{signal: list(each) for signal, each in statements.items()}}


def build_sampling(own: Sampling) -> dict[str, Any]:
    """Traces with errors, slow ones, and a share of all.

    Source: https://pkg.go.dev/github.com/open-telemetry/opentelemetry-collector-contrib/processor/tailsamplingprocessor
    """
    policies = [
        {"name": "errors", "type": "status_code", "status_code": {"status_codes": ["ERROR"]}},
        {"name": "slow", "type": "latency", "latency": {"threshold_ms": round(parse_duration(own.slow) * 1000)}},
        {"name": "share", "type": "probabilistic", "probabilistic": {"sampling_percentage": own.percentage}},
    ]
    # spans that come after the decision follow it, for as long as their trace is remembered
    cache = {"sampled_cache_size": 100_000, "non_sampled_cache_size": 100_000}
    return {
        "decision_wait": format_go_duration(own.wait),
        "num_traces": 50_000,
        "decision_cache": cache,
        "policies": policies,
    }


def build_pod_lookup() -> dict[str, Any]:
    """Which pod sent it, by the address of whoever connects."""
    names = ["k8s.namespace.name", "k8s.pod.name", "k8s.node.name", "k8s.deployment.name"]
    by = [{"sources": [{"from": "resource_attribute", "name": "k8s.pod.ip"}]}, {"sources": [{"from": "connection"}]}]
    return {
        "auth_type": "serviceAccount",
        "extract": {"metadata": names},
        "pod_association": by,
    }


# -- connectors ------------------------------------------------------------------------------------------------------


def build_connectors(own: Settings) -> dict[str, Any]:
    """Requests, errors and durations of spans as metrics, each with a trace as its example; and who is not declared."""
    pages = {COUNTED: {"error_mode": "ignore", "logs": browser.build_metrics()}} if own.browser else {}
    return {
        "span_metrics": {
            "histogram": {"unit": "s", "explicit": {"buckets": list(BUCKETS)}},
            # there is one gateway, whose restart is a reset; the name of a service is its label
            "exclude_dimensions": ["collector.instance.id", "service.name"],
            "exemplars": {"enabled": True, "max_per_data_point": 1},
            "metrics_flush_interval": "15s",
            "metrics_expiration": "1h",
            "aggregation_cardinality_limit": COMBINATIONS,
            "resource_metrics_key_attributes": ["service.name"],
        },
        "signal_to_metrics": _count_values(
            UNDECLARED, "Values of metrics of services that the system's file does not know as senders"
        ),
        ARRIVED: _count_values(SENT, "Values of metrics that services have sent"),
        **pages,
    }


def _count_values(name: str, description: str) -> dict[str, Any]:
    counted = {
        "name": name,
        "description": description,
        "include_resource_attributes": [{"key": "service.name", "default_value": "unknown_service"}],
        "sum": {"value": "1", "monotonic": True},
    }
    return {"error_mode": "ignore", "datapoints": [counted]}


# -- service ---------------------------------------------------------------------------------------------------------


def build_pipelines(own: Settings, context: Planned, exporters: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """The way of each signal; spans are measured before some are left out, and a signal without a store has none."""
    first = ["memory_limiter", *(["k8s_attributes"] if context.settings.target == "kubernetes" else [])]
    traces, metrics, logs = (list(exporters[signal]) for signal in SIGNALS)
    made: dict[str, Any] = {
        "traces/measured": _pipe("otlp", [*first, "transform/measured"], ["span_metrics"]),
        "metrics": _pipe(
            "otlp", [*first, "filter/undeclared", "transform/metrics", "delta_to_cumulative"], [*metrics, ARRIVED]
        ),
        "metrics/sent": _pipe(ARRIVED, ["transform/counted", "delta_to_cumulative/sent"], metrics),
        "metrics/undeclared": _pipe("otlp", ["memory_limiter", "filter/declared"], ["signal_to_metrics"]),
        "metrics/counted": _pipe("signal_to_metrics", ["transform/counted", "delta_to_cumulative/counted"], metrics),
        "metrics/spans": _pipe("span_metrics", ["transform/metrics"], metrics),
    }
    if traces:
        sampled = ["tail_sampling"] if own.sampling else []
        made["traces"] = _pipe("otlp", [*first, *SPANS, *sampled], traces)
    if logs:
        made["logs"] = _pipe("otlp", [*first, *RECORDS], logs)
    if own.browser:
        made |= build_browser_pipelines(traces, metrics, logs)
    return dict(sorted(made.items()))


def build_browser_pipelines(traces: Sequence[str], metrics: Sequence[str], logs: Sequence[str]) -> dict[str, Any]:
    """The way of what browsers send: they are neither measured by their spans' names nor sampled."""
    first = ["memory_limiter", "filter/browser", "transform/browser"]
    return {
        "logs/browser": _pipe(BROWSERS, [*first, *RECORDS], [*logs, COUNTED]),
        "metrics/browser": _pipe(COUNTED, ["transform/metrics", "delta_to_cumulative"], metrics),
        **({"traces/browser": _pipe(BROWSERS, [*first, *SPANS], traces)} if traces else {}),
    }


def _pipe(source: str, processors: Sequence[str], exporters: Sequence[str]) -> dict[str, list[str]]:
    return {"receivers": [source], "processors": list(processors), "exporters": list(exporters)}
