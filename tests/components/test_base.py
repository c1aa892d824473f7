"""What components share: limits, labels, and where ports are published."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from components.base import build_identity_labels, build_limits, publish_port
from model.component import Planning
from model.load import parse_model
from model.settings import ComponentSettings, Settings
from model.workload import MIB, Limits, Port
from tests.support.systems import plan_shop


def test_limits_are_the_environments_or_the_components() -> None:
    """What a section says wins over the component's own default."""
    assert build_limits(ComponentSettings(), memory=512, cpus=2.0, pids=99) == Limits(
        memory=512 * MIB, cpus=2.0, pids=99
    )
    said = ComponentSettings(memory="1GiB", cpus=0.5)
    assert build_limits(said, memory=512) == Limits(memory=1024 * MIB, cpus=0.5, pids=256)


@pytest.mark.parametrize(
    ("own", "ports", "default", "expected"),
    [(None, {}, None, None), (None, {}, 1, 1), (None, {"x": 2}, 1, 2), (3, {"x": 2}, 1, 3), (3, {}, None, 3)],
)
def test_a_port_is_published_where_the_closest_says(
    own: int | None, ports: dict[str, int], default: int | None, expected: int | None, tmp_path: Path
) -> None:
    """The environment wins over the system, and the system over the component's default; a cluster publishes none."""
    system = plan_shop(tmp_path).system.model_copy(update={"ports": ports})
    context = Planning(
        stack="dev",
        settings=parse_model(Settings, {"system": "shop", "docker": {"bindAddress": "::1"}}, "x"),
        system=system,
        sections={"x": ComponentSettings(port=own)},
        address=lambda name, port: f"{name}:{port}",
        images={},
    )
    port = Port(number=8080, publish=expected)
    wanted = replace(port, bind="::1") if expected else port
    assert publish_port(context, "x", 8080, default=default) == wanted
    on_cluster = replace(context, settings=context.settings.model_copy(update={"target": "kubernetes"}))
    assert publish_port(on_cluster, "x", 8080, default=default) == Port(number=8080)
    assert build_identity_labels(context, "x") == {"service": "x", "system": "shop", "environment": "dev"}
