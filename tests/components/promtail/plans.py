"""What tests of Promtail share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.support.planned import document
from tests.support.systems import plan_shop


def config(folder: Path, system: dict[str, Any] | None = None) -> dict[str, Any]:
    """promtail.yml of the shop."""
    return dict(document(plan_shop(folder, system), "promtail", "promtail.yml"))
