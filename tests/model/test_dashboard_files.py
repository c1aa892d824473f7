"""Dashboards of one's own get the stack's data sources, and keep the rest."""

from __future__ import annotations

import json
from typing import Any

import pytest

from model.dashboard_files import parse_dashboard_file
from model.errors import ConfigError

FILE = "configs/systems/shop/till.json"
INPUT = {"name": "DS_PROMETHEUS", "type": "datasource", "pluginId": "prometheus"}
PROMETHEUS = {"type": "prometheus", "uid": "prometheus"}


def model(source: Any, **more: Any) -> dict[str, Any]:
    """The model of a dashboard whose only panel asks a source."""
    document = {"title": "Till", "id": 7, "panels": [{"type": "stat", "datasource": source}], **more}
    return dict(parse_dashboard_file(json.dumps(document), FILE, folder="Shop", tag="shop").model)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (None, PROMETHEUS),
        ("${DS_PROMETHEUS}", PROMETHEUS),
        ({"type": "prometheus", "uid": "P1809F7CD0C75ACF3"}, PROMETHEUS),
        ({"type": "loki", "uid": "${anything}"}, {"type": "loki", "uid": "loki"}),
        ({"type": "tempo", "uid": "x"}, {"type": "tempo", "uid": "tracing"}),
        ("Prometheus", PROMETHEUS),
        ("-- Grafana --", "-- Grafana --"),
        ({"type": "datasource", "uid": "-- Mixed --"}, {"type": "datasource", "uid": "-- Mixed --"}),
    ],
)
def test_a_source_is_the_stacks_of_its_type(source: Any, expected: Any) -> None:
    """However an export names a source, the panel asks that of the stack."""
    assert model(source, __inputs=[INPUT])["panels"][0]["datasource"] == expected


def test_identity_is_of_this_grafana() -> None:
    """The number of another Grafana is gone; a uid that is absent is the name of the file."""
    made = model(None, tags=["mine"], __inputs=[INPUT])
    assert (made["id"], made["uid"], made["tags"]) == (None, "till", ["mine", "shop"]) and "__inputs" not in made
    assert model(None, uid="mine")["uid"] == "mine"


def test_a_variable_of_sources_chooses_the_stacks() -> None:
    """People need not choose where there is one of a type."""
    variable = {"name": "ds", "type": "datasource", "query": "loki", "regex": "/prod/"}
    made = model("$ds", templating={"list": [variable]})
    assert made["templating"]["list"][0]["current"]["value"] == made["panels"][0]["datasource"]["uid"] == "loki"


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ("{", "is not JSON"),
        ("[]", "must be a Grafana dashboard"),
        ({"panels": [{}]}, "title: null: must be the dashboard's heading"),
        ({"title": "A", "rows": []}, "panels: must be a list of panels; open and save it"),
        ({"title": "A", "panels": [{}], "uid": "a b"}, "uid: .a b.: must be 40 letters"),
        (
            {"title": "A", "panels": [{"datasource": {"type": "influxdb"}}]},
            r"panels.0..datasource: 'influxdb' is a type",
        ),
        ({"title": "A", "panels": [{"datasource": "${DS_X}"}]}, "is no input and no variable of this file"),
        ({"kind": "Dashboard", "spec": {}}, "export the classic JSON model"),
    ],
)
def test_what_is_no_dashboard_is_refused(document: Any, message: str) -> None:
    """Each mistake is named with its file and what would be right."""
    text = document if isinstance(document, str) else json.dumps(document)
    with pytest.raises(ConfigError, match=message):
        parse_dashboard_file(text, FILE, folder="Shop", tag="shop")
