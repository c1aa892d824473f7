"""Which requests to the APIs behind Traefik come in from outside: what ends, loads, writes or deletes stays inside."""

from __future__ import annotations

from model.route import Opening

_QUERIES = ("query", "query_range", "query_exemplars", "series", "labels", "format_query", "parse_query")
PROMETHEUS = (
    Opening(closed=("/-/quit", "/-/reload", "/debug", "/federate")),
    Opening(methods=("POST",), paths=tuple(f"/api/v1/{name}" for name in _QUERIES)),
    Opening(paths=("/federate",), grant="federate"),
)
"""Source: https://prometheus.io/docs/prometheus/latest/querying/api/ and .../management_api/"""

ALERTMANAGER = (
    Opening(closed=("/-/reload", "/debug")),
    Opening(methods=("POST",), paths=("/api/v2/silences",), grant="silences"),
    Opening(methods=("DELETE",), paths=("/api/v2/silence/",), grant="silences"),
)
"""Source: https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml"""

PUSH = Opening(methods=("POST",), grant="push")
"""Log lines of programs outside of the stack."""
_LOKI = "/api/v1/"
LOKI = (
    Opening(paths=(_LOKI,), closed=(f"{_LOKI}delete",)),
    Opening(methods=("POST",), paths=tuple(f"{_LOKI}{name}" for name in ("query", "labels", "label/", "series"))),
    Opening(methods=("POST",), paths=(f"{_LOKI}push",), grant="push"),
)
"""Source: https://grafana.com/docs/loki/latest/reference/loki-http-api/"""
