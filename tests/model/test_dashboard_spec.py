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


@pytest.mark.parametrize("panel", [{"kind": "logs", "queries": [{"expr": "{}"}]}, {"kind": "dashboards", "tag": "a"}])
def test_a_panel_of_one_language_names_none(panel: dict[str, Any]) -> None:
    """Log lines and lists of dashboards are asked for in one language, so another one could only be ignored."""
    with pytest.raises(ConfigError, match=r"x: language: has no effect for kind"):
        parse_model(Panel, {"title": "Lines", "language": "promql", **panel}, "x")


def test_a_graph_may_be_of_log_lines() -> None:
    """Whoever counts lines says that its query is LogQL."""
    panel = {"title": "Lines", "queries": [{"expr": "{}"}]}
    assert parse_model(Panel, {**panel, "language": "logql"}, "x").asks_loki
    assert not parse_model(Panel, panel, "x").asks_loki


@pytest.mark.parametrize("panel", [{"kind": "stat"}, {"language": "logql"}])
def test_exemplars_belong_to_charts_of_metrics(panel: dict[str, Any]) -> None:
    """Elsewhere they would be asked for and not drawn."""
    with pytest.raises(ConfigError, match=r"x: exemplars: has an effect for kind timeseries"):
        parse_model(Panel, {"title": "A", "queries": [{"expr": "up"}], "exemplars": True, **panel}, "x")
