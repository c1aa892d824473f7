"""What tests of the collector share."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from model.plan import Plan
from tests.support.planned import document
from tests.support.systems import plan_shop

CHOSEN = {"logs": json.dumps({"agent": "collector"})}


def plan_collector(folder: Path, system: dict[str, Any] | None = None, **settings: Any) -> Plan:
    """The shop whose lines the collector reads."""
    sections = {key: json.dumps(value) for key, value in settings.items()}
    return plan_shop(folder, system, settings={**CHOSEN, **sections})


def config(folder: Path, system: dict[str, Any] | None = None) -> dict[str, Any]:
    """collector.yaml of the shop."""
    return dict(document(plan_collector(folder, system), "collector", "collector.yaml"))
