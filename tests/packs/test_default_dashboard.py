"""The dashboard of a system that declares none."""

from __future__ import annotations

from typing import Any

import pytest
from promql_parser import parse

from model.dashboard import LOKI, build_dashboard
from model.dashboard_spec import DashboardSpec, Panel
from model.load import parse_model
from model.promql import VARIABLES
from model.system import System
from packs.default_dashboard import add_default_dashboard, build_default_dashboard
from packs.system import expand_system
from tests.support.systems import ABSENT, SYSTEM, changed, plan_shop

ROWS = ("probes",)
NONE = {"dashboards": ABSENT}
OWN = {
    "shop_carts": {"type": "gauge"},
    "shop_sold_total": {"type": "counter", "unit": "count", "labels": {"shelf": ["a", "b"]}},
    "shop_sent_bytes_total": {"type": "counter", "unit": "bytes"},
    "shop_wait_seconds": {"type": "histogram", "unit": "seconds", "buckets": [0.1, 1.0]},
    "shop_size_bytes": {"type": "summary", "unit": "bytes"},
}


def system(changes: dict[str, Any] | None = None) -> System:
    """The shop without dashboards, with changes."""
    return expand_system(parse_model(System, changed(SYSTEM, {**NONE, **(changes or {})}), "shop"))


def board(changes: dict[str, Any] | None = None, *, has_logs: bool = True) -> DashboardSpec:
    """Its dashboard."""
    return build_default_dashboard(system(changes), ROWS, has_logs=has_logs)


def further(metrics: dict[str, Any]) -> dict[str, Panel]:
    """The panels of a service that declares these metrics and uses no pack."""
    service = {"port": 1, "metrics": metrics, "title": "Till"}
    rows = {row.title: row for row in board({"services": {"api": service}, "objectives": ABSENT, "alerts": []}).rows}
    return {panel.title: panel for panel in rows["Till: further metrics"].panels}


def test_it_has_all_that_is_known() -> None:
    """Health comes first, then objectives and packs, probes, processes and log lines."""
    rows = [row.pack or row.title for row in board({"services.api.health": ["/health"]}).rows]
    assert rows[:3] == ["health", "slo", "http"]
    assert "probes" in rows and rows[-1] == "logs"


def test_it_leaves_out_what_there_is_not() -> None:
    """Without objectives, endpoints and a store of lines their rows are not there, and no row is empty."""
    changes = {"objectives": ABSENT, "services.api.health": ABSENT}
    rows = {row.pack for row in board(changes, has_logs=False).rows}
    assert not rows & {"slo", "probes", "logs", "milvus"}


@pytest.mark.parametrize(
    ("name", "unit", "query"),
    [
        ("shop_carts", "short", "max(shop_carts{"),
        ("shop_sold_total", "cps", "topk(10, sum by (shelf) (rate(shop_sold_total{"),
        ("shop_sent_bytes_total", "Bps", "sum(rate(shop_sent_bytes_total{"),
        ("shop_wait_seconds", "s", "histogram_quantile(0.5, sum by (le) (rate(shop_wait_seconds_bucket{"),
        ("shop_size_bytes", "bytes", "sum(rate(shop_size_bytes_sum{"),
    ],
)
def test_a_metric_is_drawn_by_its_type(name: str, unit: str, query: str) -> None:
    """What no pack draws is drawn as a metric of its type is read, of its own service, in its unit."""
    panel = further(OWN)[name]
    assert panel.unit == unit and panel.queries[0].expr.startswith(query)
    assert 'service="api"' in panel.queries[0].expr
    for each in panel.queries:
        parse(each.expr.replace("$__rate_interval", VARIABLES["$__rate_interval"]))


def test_what_a_pack_draws_is_not_drawn_again() -> None:
    """Metrics that a pack draws itself, or by what it records of them, are in no further row."""
    made = board()
    titles = [panel.title for row in made.rows for panel in row.panels]
    assert not [title for title in titles if title in {"shop_requests_total", "shop_duration_seconds"}]


def test_requests_without_a_pack_are_drawn_by_status() -> None:
    """A service that uses no pack shows its requests by what came of them."""
    labels = {"path": ["/"], "status": ["200", "500"]}
    panel = further({"till_requests_total": {"type": "counter", "role": "requests", "labels": labels}})
    assert "sum by (status)" in panel["till_requests_total"].queries[0].expr


def test_memory_and_cpu_without_a_pack_are_in_the_row_of_processes() -> None:
    """What any process reports is drawn as such, once."""
    metrics = {"till_memory_bytes": {"type": "gauge", "unit": "bytes", "role": "memory"}}
    rows = board({"services": {"api": {"port": 1, "metrics": metrics}}, "objectives": ABSENT, "alerts": []}).rows
    assert "process" in [row.pack for row in rows]
    assert not [row for row in rows if "further" in row.title]


def test_lines_are_counted_by_level() -> None:
    """The levels of log lines over time are asked of Loki."""
    made = build_dashboard(
        DashboardSpec(uid="a", title="A", rows=(board().rows[-1].model_copy(update={"pack": None, "title": "Logs"}),)),
        folder="A",
        tags=["a"],
    )
    panel = made.model["panels"][1]
    assert panel["type"] == "timeseries" and panel["targets"][0]["datasource"]["uid"] == LOKI.uid
    assert "sum by (detected_level) (count_over_time(" in panel["targets"][0]["expr"]


def test_it_is_off_where_a_dashboard_is_declared() -> None:
    """Whoever draws dashboards of their own gets no other one."""
    own = expand_system(parse_model(System, SYSTEM, "shop"))
    assert add_default_dashboard(own, ROWS, has_logs=True) is own


def test_the_plan_has_it_and_alerts_lead_to_it(tmp_path: Any) -> None:
    """A stack of such a system is complete: its dashboard is in the system's folder, and links of alerts open it."""
    plan = plan_shop(tmp_path, NONE)
    made = next(each for each in plan.telemetry.dashboards if each.uid == "shop-overview")
    assert made.folder == "Shop" and made.model["title"] == "Shop Overview"
    alert = next(a for group in plan.telemetry.rules for a in group.alerts if a.service == "api")
    assert "/d/shop-overview" in alert.annotations["dashboard_url"]


def test_it_needs_no_store_of_log_lines(tmp_path: Any) -> None:
    """A stack without Loki is no mistake only because nobody wrote a dashboard."""
    off = {"loki": '{"enabled": false}', "promtail": '{"enabled": false}'}
    plan = plan_shop(tmp_path, NONE, off)
    made = next(each for each in plan.telemetry.dashboards if each.uid == "shop-overview")
    assert "Logs" not in [panel["title"] for panel in made.model["panels"]]


def test_a_long_name_fits_into_the_uid(tmp_path: Any) -> None:
    """Grafana takes 40 characters, and so long may be the name alone."""
    name = "a" * 40
    made = build_default_dashboard(system({"name": name}), ROWS, has_logs=True)
    assert len(made.uid) == 40
