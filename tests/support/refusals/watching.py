"""Systems and settings whose every part is right by itself, and of which something would not be watched as it says."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tests.support.refusals.case import Case, of_system

FILE, STACK = "configs/systems/shop.yaml", "Pulumi.dev.yaml"
OFF = json.dumps({"enabled": False})
API = "services.api"
REDIS = {"kind": "redis", "address": "cache:6379"}
POSTGRES = {"kind": "postgres", "address": "orders:5432", "passwordSecret": "orders-key"}


def unwatched(name: str, system: Mapping[str, Any], settings: Mapping[str, Any], at: str, says: str) -> Case:
    """A part that is switched off, and a system that describes what it watches."""
    return Case(name=f"needs: {name}", system=system, settings=settings, at=f"{STACK}: {at}", says=says)


OFF_CASES = (
    unwatched("redis exporter", {"databases": {"cache": REDIS}}, {"redisExporter": OFF}, "redisExporter.enabled",
              "false, but shop has databases.cache, which it watches; leave it out"),
    unwatched("postgres exporter", {"databases": {"orders": POSTGRES}}, {"postgresExporter": OFF},
              "postgresExporter.enabled", "false, but shop has databases.orders, which it watches"),
    unwatched("blackbox exporter", {}, {"blackboxExporter": OFF}, "blackboxExporter.enabled",
              "false, but shop has services.api.health, which it asks"),
    unwatched("readers of log files", {"hostLogs": [{"path": "/var/log/a.log", "job": "a"}]},
              {"promtail": OFF, "loki": OFF}, "promtail.enabled", "shop has hostLogs (/var/log/a.log), which it reads"),
)  # fmt: skip

ROLE_CASES = (
    of_system("requests in a gauge", {f"{API}.metrics": {"http_requests_total": {"type": "gauge", "role": "requests"}}},
              f"{API}.metrics.http_requests_total.type", "'gauge': a metric of the role 'requests' is a counter"),
    of_system("queue in a counter", {"services.worker.metrics": {"waiting": {"type": "counter", "role": "queue"}}},
              "services.worker.metrics.waiting.type", "'counter': a metric of the role 'queue' is a gauge"),
    of_system("duration in a counter", {f"{API}.metrics.shop_duration_seconds.type": "counter"},
              f"{API}.metrics.shop_duration_seconds.type", "is a histogram or a summary; declare it so"),
    of_system("queries in a summary",
              {f"{API}.metrics.took": {"type": "summary", "unit": "seconds", "role": "query_duration"}},
              f"{API}.metrics.took.type", "'summary': a metric of the role 'query_duration' is a histogram"),
    of_system("metric that a pack reads by name", {"services.worker": {"port": 1, "packs": ["llm"], "metrics": {
        "rag_queries_total": {"type": "gauge"}}}}, "services.worker.metrics.rag_queries_total.type",
              "'gauge', but the pack llm reads rag_queries_total as a counter"),
    of_system("metric without the role that its pack looks for", {"services.worker": {"port": 1, "packs": ["http"],
        "metrics": {"http_requests_total": {"type": "counter", "labels": {"status": ["200", "500"]}}}}},
              "services.worker.metrics.http_requests_total.role", "say role: requests, or rename it"),
)  # fmt: skip

WATCHING_CASES = OFF_CASES + ROLE_CASES
