"""The shop with a gateway, to which one of its services sends its metrics."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from model.plan import Plan
from tests.support.systems import SYSTEM, plan_cluster, plan_shop

BUCKETS = [0.1, 0.5, 1.0, 2.5]
SENDER: Mapping[str, Any] = {
    "otlp": True,
    "packs": ["http"],
    "statusLabel": "http_response_status_code",
    "labels": {"team": "money"},
    "metrics": {
        "http_server_request_duration_seconds": {
            "type": "histogram",
            "role": "duration",
            "buckets": BUCKETS,
            "labels": {"http_response_status_code": ["200", "500"]},
        }
    },
}
"""A service with the metrics that OpenTelemetry's instrumentation of HTTP sends."""


def plan_gateway(
    folder: Path,
    *,
    jaeger: bool = False,
    cluster: bool = False,
    prometheus: Mapping[str, Any] | None = None,
    services: Mapping[str, Any] = SYSTEM["services"],
    **own: Any,
) -> Plan:
    """A plan with the gateway switched on and the settings `own`, and the service `billing` that sends to it."""
    settings = {
        "otel": json.dumps({"enabled": True, **own}),
        "jaeger": json.dumps({"enabled": jaeger}),
        "prometheus": json.dumps(prometheus or {}),
    }
    plan = plan_cluster if cluster else plan_shop
    return plan(folder, {"services": {"billing": dict(SENDER), **services}}, settings)
