"""A system says what it is; contradictions in it are found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from pydantic import BaseModel

from model import dashboard_spec, service, system
from model.descriptions import list_descriptions
from model.errors import ConfigError
from model.load import parse_model, read_yaml
from model.system import System
from tests.support.systems import ROOT, SYSTEM, changed


def shop() -> System:
    """The shop as it is."""
    return parse_model(System, SYSTEM, "shop.yaml")


def test_a_good_system_is_read_completely() -> None:
    """Defaults fill what is not said."""
    result = shop()
    api = result.services["api"]
    assert api.metrics_path == "/metrics"
    assert api.status_label == "status"
    assert api.health == ("/health",)
    assert result.alerts[0].for_ == "5m"
    assert result.objectives[0].window == "7d"


def test_contradictions_are_found_together() -> None:
    """Unknown services and doubled names are reported in one go, with the place of the second."""
    changes = {
        "objectives.0.service": "apii",
        "dashboards.1": SYSTEM["dashboards"][0],
        "alerts.1": SYSTEM["alerts"][0],
    }
    with pytest.raises(ConfigError) as caught:
        parse_model(System, changed(SYSTEM, changes), "shop.yaml")
    assert [problem.where for problem in caught.value.problems] == [
        "shop.yaml: objectives[0].service",
        "shop.yaml: dashboards[1].uid",
        "shop.yaml: alerts[1].name",
    ]


def test_a_latency_objective_needs_its_threshold() -> None:
    """Share of quick requests says nothing without how quick."""
    good = changed(SYSTEM, {"objectives.0.kind": "latency", "objectives.0.threshold": 0.5})
    assert parse_model(System, good, "x").objectives[0].threshold == 0.5
    with pytest.raises(ConfigError, match="is required for kind latency"):
        parse_model(System, changed(SYSTEM, {"objectives.0.kind": "latency"}), "x")


def test_shipped_systems_are_good() -> None:
    """Every system in configs/systems can be read and is named like its file."""
    paths = sorted((ROOT / "configs" / "systems").glob("*.yaml"))
    assert paths
    for path in paths:
        assert parse_model(System, read_yaml(path, ROOT), path.name).name == path.stem


def test_everything_is_described() -> None:
    """Editors and error messages show a description for each key of a system."""
    models = [item for item in each(vars(system), vars(service), vars(dashboard_spec)) if is_model(item)]
    assert len(models) > 12
    assert not [(m.__name__, n) for m in models for n, text in list_descriptions(m).items() if not text]


def each(*modules: Mapping[str, Any]) -> list[Any]:
    """What is in some modules."""
    return [item for module in modules for item in module.values()]


def is_model(item: Any) -> bool:
    """Whether it is a class of data from a file."""
    return isinstance(item, type) and issubclass(item, BaseModel)
