"""A component as a resource: parent of its workloads, ready when they are, usable alone."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi

from model.component import Component
from model.settings import ComponentSettings
from model.workload import MIB, Limits, Workload
from stack.resource import ComponentArgs, MonitoringComponent
from targets.base import Deployment
from tests.support.mocks import RecordedResource, run_program


class Example(Component[ComponentSettings]):
    """A component of the test."""


class RecordingTarget:
    """A target that registers one component per workload and remembers what came before it."""

    def __init__(self) -> None:
        self.before: dict[str, list[str]] = {}

    def build_address(self, name: str, port: int) -> str:
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
