"""Dashboards: from what a person writes to what Grafana reads."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from typing import Any

import pytest
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard

from cli.render import plan_file
from model.dashboard import KINDS, GridPosition, _build_cached, arrange_panels, build_dashboard, render_dashboard
from model.dashboard_spec import DashboardSpec, Panel
from model.errors import ConfigError
from model.load import parse_model
from tests.support.systems import ROOT


def panel(title: str = "Panel", **more: Any) -> dict[str, Any]:
    """A panel of one query."""
    return {"title": title, "queries": [{"expr": "up"}], **more}


def spec(*rows: list[dict[str, Any]], **more: Any) -> DashboardSpec:
    """A dashboard of rows of panels."""
    listed = [{"title": f"Row {number}", "panels": panels} for number, panels in enumerate(rows)]
    return parse_model(DashboardSpec, {"uid": "board", "title": "Board", "rows": listed, **more}, "board")


def model(*rows: list[dict[str, Any]], services: tuple[str, ...] = ()) -> Any:
    """The JSON of a dashboard, of folder Shop and tagged shop."""
    return build_dashboard(spec(*rows), folder="Shop", tags=["shop"], services=services).model


def text(*rows: list[dict[str, Any]]) -> str:
    """The file of a dashboard."""
    return render_dashboard(build_dashboard(spec(*rows), folder="Shop", tags=["shop"]))


def test_identity_and_time_are_set() -> None:
    """Uid and title are stable, people find it by tag, it shows the last hour and cannot be edited in place."""
    made = model([panel()])
    assert (made["uid"], made["title"], made["tags"]) == ("board", "Board", ["shop"])
    assert made["time"] == {"from": "now-1h", "to": "now"}
    assert made["refresh"] == "30s"
    assert made["editable"] is False


def test_the_same_input_gives_the_same_bytes() -> None:
    """Nothing in a dashboard depends on anything but its specification."""
    rows = ([drawn(kind) for kind in KINDS], [panel("Other")])
    first = text(*rows)
    _build_cached.cache_clear()
    render_dashboard.cache_clear()
    assert text(*rows) == first


def test_the_file_is_indented_json_with_sorted_keys() -> None:
    """People compare the file line by line, so each value has a line of its own, whatever it is."""
    board = build_dashboard(spec([drawn(kind) for kind in KINDS]), folder="Shop", tags=["é", '"'])
    user = replace(board, model={**board.model, "z": {}, "a": [1, 1.5, True, None, [], ["\n", {"b": "\u2028"}]]})
    for each in (board, user):
        assert render_dashboard(each) == json.dumps(each.model, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def test_ids_are_given_in_order() -> None:
    """Rows and panels are numbered as they stand, so a change at the end changes no other id."""
    made = model([panel(), panel()], [panel()])
    assert [item["id"] for item in made["panels"]] == [1, 2, 3, 4, 5]
    assert [item["type"] for item in made["panels"]] == ["row", "timeseries", "timeseries", "row", "timeseries"]


def drawn(kind: str) -> dict[str, Any]:
    """A panel of that kind, with what it cannot do without."""
    listed: dict[str, Any] = {"tag": "x", "queries": []} if kind == "dashboards" else {}
    return panel(kind=kind, **listed)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_each_kind_asks_its_data_source(kind: str) -> None:
    """A logs panel and its queries ask Loki, every other one Prometheus."""
    made = model([drawn(kind)])["panels"][1]
    if kind == "dashboards":
        assert made["type"] == "dashlist" and made["options"]["tags"] == ["x"] and not made.get("targets")
        return
    expected = "loki" if kind == "logs" else "prometheus"
    assert made["type"] == kind
    assert {made["datasource"]["uid"], *(target["datasource"]["uid"] for target in made["targets"])} == {expected}


def test_every_kind_a_person_may_write_is_drawn() -> None:
    """The kinds of the specification and those that can be drawn are the same."""
    assert set(KINDS) == set(Panel.model_fields["kind"].annotation.__args__)  # type: ignore[union-attr]


def test_figures_are_asked_for_now_and_graphs_over_time() -> None:
    """Tables, bars and figures show the moment: a figure over time would be the last one of a series that has ended."""
    made = model([panel(kind="table"), panel(kind="bargauge"), panel(kind="timeseries"), panel(kind="stat")])
    assert [item["targets"][0]["instant"] for item in made["panels"][1:]] == [True, True, False, True]


@pytest.mark.parametrize("kind", ["stat", "gauge"])
def test_a_figure_without_a_value_says_so(kind: str) -> None:
    """Where there is no value, and where it is none, a figure says so in words and has no colour of a threshold."""
    defaults = model([drawn(kind)])["panels"][1]["fieldConfig"]["defaults"]
    assert defaults["noValue"] == "no data"
    (mapping,) = defaults["mappings"]
    assert (mapping["type"], mapping["options"]["match"]) == ("special", "null+nan")
    assert (mapping["options"]["result"]["text"], mapping["options"]["result"]["color"]) == ("no data", "text")


def test_exemplars_are_off() -> None:
    """No query asks for exemplars, which need a tracing data source."""
    assert model([panel()])["panels"][1]["targets"][0]["exemplar"] is False


def test_queries_have_names_of_their_own() -> None:
    """More queries than letters still have different names."""
    queries = [{"expr": f"up + {number}"} for number in range(30)]
    names = [target["refId"] for target in model([panel(queries=queries)])["panels"][1]["targets"]]
    assert names[:2] == ["A", "B"]
    assert len(set(names)) == 30


@pytest.mark.parametrize(
    ("widths", "expected"),
    [
        ((12, 12), [(0, 1), (12, 1)]),
        ((8, 8, 8, 8), [(0, 1), (8, 1), (16, 1), (0, 9)]),
        ((10, 10, 10), [(0, 1), (10, 1), (0, 9)]),
        ((24, 6), [(0, 1), (0, 9)]),
    ],
)
def test_panels_wrap_at_the_grids_width(widths: tuple[int, ...], expected: list[tuple[int, int]]) -> None:
    """Panels stand from left to right and go on below when the row is full."""
    panels = [parse_model(Panel, panel(width=width), "panel") for width in widths]
    positions, _ = arrange_panels(panels, 1)
    assert [(position.x, position.y) for position in positions] == expected


def test_wrapping_clears_the_tallest_panel() -> None:
    """No panel covers another: the next line begins below the tallest of the line above."""
    panels = [parse_model(Panel, panel(width=12, height=height), "panel") for height in (4, 10, 6)]
    positions, end = arrange_panels(panels, 0)
    assert positions == [GridPosition(0, 0, 12, 4), GridPosition(12, 0, 12, 10), GridPosition(0, 10, 12, 6)]
    assert end == 16


def test_a_folded_row_holds_its_panels() -> None:
    """A collapsed row contains its panels, and the next row stands right below it."""
    folded = {"title": "Folded", "collapsed": True, "panels": [panel()]}
    made = build_dashboard(spec(rows=[folded, {"title": "Open", "panels": [panel()]}]), folder="f", tags=[]).model[
        "panels"
    ]
    assert [item["title"] for item in made] == ["Folded", "Open", "Panel"]
    assert len(made[0]["panels"]) == 1
    assert [item["gridPos"]["y"] for item in made] == [0, 1, 2]


def test_environment_and_service_can_be_chosen() -> None:
    """Both variables come from label values; without a list of services every value counts."""
    result = model([panel()])["templating"]["list"]
    assert [variable["name"] for variable in result] == ["environment", "service"]
    assert all(variable["query"]["query"].startswith("label_values(up") for variable in result)
    assert [variable["allValue"] for variable in result] == [".*", ".*"]


def test_a_systems_dashboard_offers_its_own_services() -> None:
    """The services of the stack itself do not stand among those of the system."""
    service = model([panel()], services=("web", "api"))["templating"]["list"][1]
    assert (service["regex"], service["allValue"]) == ("/^(api|web)$/", "api|web")


def test_firing_alerts_are_marked() -> None:
    """Every dashboard shows when an alert fired."""
    (alerts,) = model([panel()])["annotations"]["list"]
    assert 'ALERTS{alertstate="firing"' in alerts["expr"]
    assert alerts["datasource"]["uid"] == "prometheus"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ([], ["blue"]),
        ([(0.9, "red"), (0.8, "yellow")], ["green", "yellow", "red"]),
        ([(1, "green")], ["red", "green"]),
        ([(0.999, "green"), (0.995, "yellow")], ["red", "yellow", "green"]),
    ],
)
def test_thresholds_colour_by_value(given: list[tuple[float, str]], expected: list[str]) -> None:
    """Steps ascend from a base without a value: red where green is something to reach, green otherwise."""
    listed = [{"value": value, "colour": colour} for value, colour in given]
    steps = model([panel(thresholds=listed)])["panels"][1]["fieldConfig"]["defaults"]["thresholds"]["steps"]
    assert [step["color"] for step in steps] == expected
    assert steps[0]["value"] is None


def test_units_and_descriptions_arrive() -> None:
    """Unit and description of a panel are those of its specification."""
    made = model([panel(unit="ms", description="How slow.")])["panels"][1]
    assert made["fieldConfig"]["defaults"]["unit"] == "ms"
    assert made["description"] == "How slow."


def test_empty_queries_are_refused_at_once() -> None:
    """Each empty query is named by its path, and all of them together."""
    empty = panel(queries=[{"expr": "up"}, {"expr": "  "}])
    with pytest.raises(ConfigError) as raised:
        build_dashboard(spec([empty, empty]), folder="f", tags=[], where="shop.yaml: dashboards[0]")
    positions = [problem.where for problem in raised.value.problems]
    assert positions == [f"shop.yaml: dashboards[0].rows[0].panels[{number}].queries[1].expr" for number in (0, 1)]


def list_lost(before: Any, after: Any, path: str = "") -> list[str]:
    """Paths of what is in one document and not, or otherwise, in another one, which may have more."""
    if isinstance(before, dict) and isinstance(after, dict):
        return [lost for key in before for lost in list_lost(before[key], after.get(key), f"{path}.{key}")]
    if isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        return [
            lost for n, pair in enumerate(zip(before, after, strict=True)) for lost in list_lost(*pair, f"{path}[{n}]")
        ]
    return [] if before == after else [path]


@pytest.mark.parametrize("stack", ["dev", "devops-mcp"])
def test_grafanas_schema_knows_every_field(stack: str) -> None:
    """What is delivered is read by the published schema, which writes it again: nothing is unknown to it or lost."""
    register_default_plugins()
    for board in plan_file(ROOT / f"Pulumi.{stack}.yaml", stack).telemetry.dashboards:
        delivered = json.loads(render_dashboard(board))
        read = Dashboard.from_json(copy.deepcopy(delivered))
        assert not list_lost(delivered, json.loads(json.dumps(read, cls=JSONEncoder))), board.uid
        delivered["panels"][0]["nobodyKnows"] = 1
        again = json.loads(json.dumps(Dashboard.from_json(copy.deepcopy(delivered)), cls=JSONEncoder))
        assert list_lost(delivered, again) == [".panels[0].nobodyKnows"]
