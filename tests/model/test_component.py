"""A component says nothing unless it overrides a hook; the phases of planning know just what is complete."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from model.component import Component, Planned, Planning, find_operator
from model.load import parse_model
from model.operator import Operator
from model.route import Route
from model.settings import ComponentSettings, Settings
from model.system import System
from model.telemetry import Telemetry
from tests.support.systems import SYSTEM


class Several(ComponentSettings):
    """A section with instances, which may name an operator."""

    replicas: int = 1
    operated: bool = False

    @property
    def instances(self) -> int:
        """As many as it says."""
        return self.replicas

    @property
    def existing(self) -> Operator | None:
        """An operator where it says so."""
        return Operator() if self.operated else None


class Silent(Component[ComponentSettings]):
    """A component that overrides nothing."""

    name = "silent"
    settings = ComponentSettings


def planning(sections: Mapping[str, ComponentSettings]) -> Planning:
    """The first phase with these sections."""
    return Planning(
        stack="dev",
        settings=parse_model(Settings, {"system": "shop"}, "settings"),
        system=parse_model(System, SYSTEM, "shop"),
        sections=sections,
        address=lambda name, port: f"{name}.ns.svc:{port}",
        images={},
    )


def test_a_component_says_nothing_by_default() -> None:
    """Each hook has a default, so that a component has only those in which it differs."""
    silent, own, first = Silent(), ComponentSettings(), planning({})
    second = first.add_telemetry(Telemetry())
    assert silent.telemetry(own, first) == silent.derived(own, first, Telemetry()) == Telemetry()
    assert not any((silent.problems(own, second), silent.warnings(own, second)))
    assert not any((silent.secrets(own, first), silent.objects(own, second), silent.workloads(own, second)))
    assert silent.under_operator is None


def test_only_the_second_phase_has_telemetry() -> None:
    """It takes over everything that the first one knows; what is not complete yet cannot be read."""
    first = planning({"silent": ComponentSettings()})
    telemetry = Telemetry(routes=(Route(name="r", prefix="/r", url="http://r"),))
    second = first.add_telemetry(telemetry)
    assert isinstance(second, Planned) and second.telemetry is telemetry
    assert (second.stack, second.sections, second.address) == (first.stack, first.sections, first.address)
    assert not hasattr(first, "telemetry")


@pytest.mark.parametrize(
    ("replicas", "expected"), [(1, ["x.ns.svc:9"]), (2, ["x-0.x-pods.ns.svc:9", "x-1.x-pods.ns.svc:9"])]
)
def test_each_instance_has_an_address(replicas: int, expected: list[str]) -> None:
    """One instance is reached as the component, several by the name of each; all of them by one name of theirs."""
    context = planning({"x": Several(replicas=replicas)})
    assert context.list_instances("x", 9) == expected
    assert (context.count_instances("x"), context.count_instances("unknown")) == (replicas, 1)
    assert context.derive_peer_address("x", 9) == "x-pods.ns.svc:9"


def test_an_operator_counts_where_its_section_is_on() -> None:
    """An operator is taken from a section that is switched on, and may run several instances of what it replaces."""
    on, off = Several(operated=True), Several(operated=True, enabled=False)
    assert find_operator({"x": off}) is None and find_operator({"x": ComponentSettings(), "y": on}) == Operator()
    assert planning({"x": on}).count_instances("anything") == 2
    assert planning({"x": on}).is_enabled("x") and not planning({"x": off}).is_enabled("x")
