"""The generated system of many targets."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench import growth
from model.base import Strict
from model.system import System


def test_generated_systems_are_valid() -> None:
    """The generated system has as many services as asked for, of every kind."""
    system = System.model_validate_json(json.dumps(growth.build_system(7)))
    assert isinstance(system, Strict)
    assert len(system.services) == 7
    assert {service.packs for service in system.services.values()} == {("http",), ("worker",), ()}


def test_plan_has_every_target(tmp_path: Path) -> None:
    """Each generated service is scraped."""
    planned = growth.build_plan(12, tmp_path)
    addresses = {target.address for job in planned.telemetry.scrape for target in job.targets}
    assert {f"service-{number}:8080" for number in range(12)} <= addresses


@pytest.fixture(scope="module")
def sizes() -> list[dict[str, float]]:
    """Measurements of a small and a larger system."""
    return [growth.measure_size(5), growth.measure_size(150)]


@pytest.mark.exhaustive  # large systems
def test_resources_do_not_grow_with_targets(sizes: list[dict[str, float]]) -> None:
    """Targets are documents, not resources: thirty times the targets are the same number of resources."""
    small, large = sizes
    assert small["resources"] == large["resources"] > 10
    assert large["targets"] - small["targets"] == 145
    assert large["bytes"] > small["bytes"]
