"""What components share: limits, ports, labels, and a ComponentResource that works alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pulumi
import pytest

from components.base import ComponentArgs, MonitoringComponent, identity, limits, published
from model.component import Component, Planning
from model.load import parse
from model.settings import ComponentSettings, Settings
from model.workload import MIB, Limits, Port, Workload
from targets.base import Deployment
from tests.support.mocks import RecordedResource, run_program
from tests.support.systems import plan_shop


class Example(Component[ComponentSettings]):
    """A component of the test."""


class RecordingTarget:
    """A target that registers one component per workload and remembers what came before it."""

    def __init__(self) -> None:
        self.before: dict[str, list[str]] = {}

    def address(self, name: str, port: int) -> str:
        """A made-up address."""
        return f"{name}.example:{port}"

    def check(self, workloads: Sequence[Workload]) -> list[str]:
        """Everything can be expressed."""
        return []

    def deploy(
        self, workload: Workload, *, parent: pulumi.Resource, after: Sequence[pulumi.Resource] = ()
    ) -> Deployment:
        """Registers a component in place of a container."""
        self.before[workload.name] = [resource._name for resource in after]
        opts = pulumi.ResourceOptions(parent=parent)
        made = pulumi.ComponentResource("observability:test:Made", workload.name, {}, opts)
        ready = pulumi.Output.from_input(True)
        return Deployment(name=workload.name, ready=ready, address=f"{workload.name}:1", resources=(made,))


def workload(name: str, *after: str) -> Workload:
    """A workload that starts after others."""
    return Workload(name=name, image="x", limits=Limits(memory=MIB), after=after)


def run(target: RecordingTarget, *workloads: Workload) -> list[RecordedResource]:
    """What one component with these workloads registers."""
    return run_program(
        lambda: MonitoringComponent(Example, "example", ComponentArgs(workloads=workloads, target=target))
    )


def test_a_component_is_the_parent_of_its_workloads() -> None:
    """The resource has the project's type token, and everything it makes lies below it."""
    component, made = run(RecordingTarget(), workload("a"))
    assert component.type == "observability:components:Example"
    assert made.parent == component.urn


def test_workloads_start_in_their_order() -> None:
    """`after` becomes a dependency on what was deployed for the named workload."""
    target = RecordingTarget()
    run(target, workload("a"), workload("b", "a"))
    assert target.before == {"a": [], "b": ["a"]}


def test_outputs_tell_address_and_readiness() -> None:
    """A component is ready when all of its workloads are; its address is that of the first."""
    seen: list[object] = []

    def program() -> pulumi.Output[None]:
        args = ComponentArgs(workloads=[workload("a"), workload("b")], target=RecordingTarget())
        component = MonitoringComponent(Example, "example", args)
        return pulumi.Output.all(component.address, component.ready).apply(seen.append)

    run_program(program)
    assert seen == [["a:1", True]]


def test_limits_are_the_environments_or_the_components() -> None:
    """What a section says wins over the component's own default."""
    assert limits(ComponentSettings(), memory=512, cpus=2.0, pids=99) == Limits(memory=512 * MIB, cpus=2.0, pids=99)
    said = ComponentSettings(memory="1GiB", cpus=0.5)
    assert limits(said, memory=512) == Limits(memory=1024 * MIB, cpus=0.5, pids=256)


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
        settings=parse(Settings, {"system": "shop", "docker": {"bindAddress": "::1"}}, "x"),
        system=system,
        sections={"x": ComponentSettings(port=own)},
        address=lambda name, port: f"{name}:{port}",
        images={},
    )
    port = Port(number=8080, publish=expected)
    wanted = replace(port, bind="::1") if expected else port
    assert published(context, "x", 8080, default=default) == wanted
    on_cluster = replace(context, settings=context.settings.model_copy(update={"target": "kubernetes"}))
    assert published(on_cluster, "x", 8080, default=default) == Port(number=8080)
    assert identity(context, "x") == {"service": "x", "system": "shop", "environment": "dev"}
