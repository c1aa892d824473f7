"""A context for checks that look at settings and a system alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from model.component import Planned
from model.load import parse_model
from model.settings import Settings
from model.system import System
from model.telemetry import Telemetry
from tests.support.systems import SYSTEM, changed


def context(system: Mapping[str, Any] | None = None, telemetry: Telemetry | None = None, **settings: Any) -> Planned:
    """The shop with changes, and settings by key."""
    return Planned(
        stack="dev",
        settings=parse_model(Settings, {"system": "shop", **settings}, "settings"),
        system=parse_model(System, changed(SYSTEM, system or {}), "shop"),
        sections={},
        address=lambda name, port: f"{name}:{port}",
        images={},
        telemetry=telemetry or Telemetry(),
    )
