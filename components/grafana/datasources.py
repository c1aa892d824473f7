"""Grafana's data sources as a document, and the links between those of logs and traces.

Format: https://grafana.com/docs/grafana/latest/administration/provisioning/#data-sources.
"""

from __future__ import annotations

import re
from typing import Any

from model.dashboard import LOKI, PROMETHEUS
from model.lines import IDS
from model.telemetry import TRACING, Datasource


def build_datasources(sources: tuple[Datasource, ...]) -> dict[str, Any]:
    """The data sources; one that is no longer listed is removed."""
    traces = next((source for source in sources if source.kind in TRACING), None)
    return {"apiVersion": 1, "prune": True, "datasources": [_build_datasource(source, traces) for source in sources]}


def _build_datasource(source: Datasource, traces: Datasource | None = None) -> dict[str, Any]:
    """One data source; those of the logs and of metrics lead to the one of the traces, where there is one."""
    links: dict[str, Any] = {}
    if traces and source.kind == LOKI.type_val:
        links = build_derived_fields(traces)
    elif traces and source.kind == PROMETHEUS.type_val:
        links = build_exemplar_links(traces)
    elif source.kind in TRACING:
        links = build_link_to_logs()
    return {
        "name": source.name,
        "uid": source.uid,
        "type": source.kind,
        "access": "proxy",
        "url": source.url,
        "isDefault": source.default,
        "editable": False,
        "jsonData": {**source.json_data, **links},
    }


def build_exemplar_links(traces: Datasource) -> dict[str, Any]:
    """The link from a measurement to the trace that it is of.

    Format: https://grafana.com/docs/grafana/latest/datasources/prometheus/configure/#exemplars
    """
    return {"exemplarTraceIdDestinations": [{"name": "trace_id", "datasourceUid": traces.uid}]}


def build_derived_fields(traces: Datasource) -> dict[str, Any]:
    """The link from a log line's trace_id, in JSON or beside the line, to its trace.

    A dollar is doubled because provisioning files have their variables replaced. Format:
    https://grafana.com/docs/grafana/latest/datasources/loki/configure-loki-data-source/#derived-fields
    """
    names = "|".join(map(re.escape, IDS["trace_id"]))
    target = {"datasourceUid": traces.uid, "url": "$${__value.raw}", "urlDisplayLabel": "Open the trace"}
    return {
        "derivedFields": [
            {"name": "trace_id", **target, "matcherRegex": rf'"(?:{names})":\s*"(\w+)"'},
            {"name": "trace_id (label)", **target, "matcherType": "label", "matcherRegex": "trace_id"},
        ]
    }


def build_link_to_logs() -> dict[str, Any]:
    """The link from a span to the log lines of its service that have its trace_id, a minute around it.

    Format: https://grafana.com/docs/grafana/latest/datasources/jaeger/#trace-to-logs
    """
    logs = {"datasourceUid": LOKI.uid, "filterByTraceID": True, "spanStartTimeShift": "-1m", "spanEndTimeShift": "1m"}
    return {"tracesToLogsV2": {**logs, "tags": [{"key": "service.name", "value": "service"}]}}
