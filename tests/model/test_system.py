"""A system says what it is; contradictions in it are found."""

from __future__ import annotations

import pytest
from pydantic import BaseModel

from model import system as module
from model.errors import ConfigError
from model.load import parse, read_yaml
from model.logs import HIGH_CARDINALITY
from model.system import System
from tests.support.systems import ROOT, SYSTEM, changed


def shop() -> System:
    """The shop as it is."""
    return parse(System, SYSTEM, "shop.yaml")


def test_a_good_system_is_read_completely() -> None:
    """Defaults fill what is not said."""
    system = shop()
    api = system.services["api"]
    assert api.metrics_path == "/metrics"
    assert api.status_label == "status"
    assert api.health == ("/health",)
    assert system.alerts[0].hold == "5m"
    assert system.objectives[0].window == "7d"


def test_metrics_are_found_by_role() -> None:
    """Packs ask for a role and get the metrics that play it."""
    api = shop().services["api"]
    assert list(api.by_role("requests")) == ["shop_requests_total"]
    assert api.by_role("queue") == {}


@pytest.mark.parametrize("label", sorted(HIGH_CARDINALITY))
def test_no_high_cardinality_log_label(label: str) -> None:
    """A value that differs from line to line never becomes an index label."""
    with pytest.raises(ConfigError, match=f"services.api.logs.labels: {label} has too many distinct values"):
        parse(System, changed(SYSTEM, {"services.api.logs.labels": ["level", label]}), "shop.yaml")


def test_contradictions_are_found_together() -> None:
    """Unknown services and doubled names are reported in one go, with the place of the second."""
    changes = {
        "objectives.0.service": "apii",
        "dashboards.1": SYSTEM["dashboards"][0],
        "alerts.1": SYSTEM["alerts"][0],
    }
    with pytest.raises(ConfigError) as caught:
        parse(System, changed(SYSTEM, changes), "shop.yaml")
    assert [problem.where for problem in caught.value.problems] == [
        "shop.yaml: objectives[0].service",
        "shop.yaml: dashboards[1].uid",
        "shop.yaml: alerts[1].name",
    ]


def test_a_latency_objective_needs_its_threshold() -> None:
    """Share of quick requests says nothing without how quick."""
    good = changed(SYSTEM, {"objectives.0.kind": "latency", "objectives.0.threshold": 0.5})
    assert parse(System, good, "x").objectives[0].threshold == 0.5
    with pytest.raises(ConfigError, match="is required for kind latency"):
        parse(System, changed(SYSTEM, {"objectives.0.kind": "latency"}), "x")


@pytest.mark.parametrize("buckets", [[0.5, 0.1], [0.1, 0.1]])
def test_buckets_ascend(buckets: list[float]) -> None:
    """Bounds that do not grow are refused, as client libraries refuse them."""
    metric = {"type": "histogram", "buckets": buckets}
    with pytest.raises(ConfigError, match=r"metrics.x.buckets: each bound must be greater"):
        parse(System, changed(SYSTEM, {"services.api.metrics.x": metric}), "x")


def test_shipped_systems_are_good() -> None:
    """Every system in configs/systems can be read and is named like its file."""
    paths = sorted((ROOT / "configs" / "systems").glob("*.yaml"))
    assert paths
    for path in paths:
        assert parse(System, read_yaml(path, ROOT), path.name).name == path.stem


def test_everything_is_described() -> None:
    """Editors and error messages show a description for each key of a system."""
    models = [item for item in vars(module).values() if isinstance(item, type) and issubclass(item, BaseModel)]
    assert not [(m.__name__, n) for m in models for n, field in m.model_fields.items() if not field.description]
