"""Systems and settings whose every part is right by itself, and of which something would not be watched as it says."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tests.support.refusals.case import Case

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

WATCHING_CASES = OFF_CASES
