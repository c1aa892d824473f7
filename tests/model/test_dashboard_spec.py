"""A dashboard of a system's file is refused where Grafana could not draw it."""

from __future__ import annotations

from typing import Any

import pytest

from model.dashboard_spec import DashboardSpec, Panel
from model.errors import ConfigError
from model.load import parse_model


def test_a_panel_needs_a_query() -> None:
    """One without would be drawn empty for ever."""
    with pytest.raises(ConfigError, match=r"x: queries"):
        parse_model(Panel, {"title": "Requests", "queries": []}, "x")


def test_a_row_is_a_pack_or_has_panels() -> None:
    """Something must be in it."""
    spec: dict[str, Any] = {"uid": "shop", "title": "Shop", "rows": [{"title": "Empty"}]}
    with pytest.raises(ConfigError, match=r"x: rows\[0\]"):
        parse_model(DashboardSpec, spec, "x")
