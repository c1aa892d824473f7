"""What tests of Prometheus share."""

from __future__ import annotations

from typing import Any

from components.prometheus import settings
from model.component import Planned
from model.load import parse_model
from model.settings import ComponentSettings, Settings
from model.system import System
from model.telemetry import (
    Telemetry,
)
from tests.support.systems import SYSTEM


def context(telemetry: Telemetry | None = None, *, others: tuple[str, ...] = (), **own: Any) -> Planned:
    """A context of Prometheus and some other components."""
    section = parse_model(settings.Settings, own, "prometheus")
    return Planned(
        stack="dev",
        settings=parse_model(Settings, {"system": "shop"}, "settings"),
        system=parse_model(System, SYSTEM, "shop"),
        sections={"prometheus": section, **{name: ComponentSettings() for name in others}},
        address=lambda name, port: f"{name}:{port}",
        images={},
        telemetry=telemetry or Telemetry(),
    )


def section(context: Planned) -> settings.Settings:
    """The section of Prometheus."""
    own = context.sections["prometheus"]
    assert isinstance(own, settings.Settings)
    return own
