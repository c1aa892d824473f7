"""What a component of the stack is, and what it may know while a stack is planned.

Planning has two phases. First every component says what it contributes to the monitoring: nothing is complete then, so
`Planning` has no telemetry. Then workloads, objects and problems follow from what everyone said, which is in `Planned`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Generic, TypeVar

from model.dashboard_spec import Panel
from model.errors import Problem
from model.extra_objects import ExtraObject
from model.images import Image
from model.operator import Operator
from model.scope import TARGETS, Target
from model.secret import Secret
from model.settings import ComponentSettings, Settings
from model.system import System
from model.telemetry import Telemetry
from model.workload import Workload

S = TypeVar("S", bound=ComponentSettings)


@dataclass(frozen=True, kw_only=True)
class SystemRow:
    """A row that a system's dashboards may have, of panels that draw the series of a component and of no service."""

    name: str
    title: str
    panels: Callable[[], tuple[Panel, ...]]


@dataclass(frozen=True, kw_only=True)
class Planning:
    """What a component may know while contributions are collected.

    `sections` are the settings of all components by name, `rows` the rows that components bring by theirs, `own_files`
    the rules and dashboards of the files that the system names.
    """

    stack: str
    settings: Settings
    system: System
    sections: Mapping[str, ComponentSettings]
    address: Callable[[str, int], str]
    images: Mapping[str, Image]
    rows: Mapping[str, SystemRow] = field(default_factory=dict)
    own_files: Telemetry = field(default_factory=Telemetry)

    def list_instances(self, name: str, port: int) -> list[str]:
        """`host:port` of every instance of the component `name`; of the component itself where it has just one."""
        address, replicas = self.address(name, port), self.sections[name].instances
        if replicas == 1:
            return [address]
        rest = address.partition(".")[2]
        return [f"{name}-{number}.{name}-pods.{rest}" for number in range(replicas)]

    def count_instances(self, name: str) -> int:
        """How many instances of the component `name` there are; where an operator runs them it may be several: 2."""
        if self.operator:
            return 2
        return self.sections[name].instances if name in self.sections else 1

    def derive_peer_address(self, workload: str, port: int) -> str:
        """`host:port` whose host is a name of all instances of a workload, each with an address of its own."""
        name, _, rest = self.address(workload, port).partition(".")
        return f"{name}-pods.{rest}"

    def is_enabled(self, name: str) -> bool:
        """Whether the component `name` is registered and not switched off."""
        return name in self.sections and self.sections[name].enabled

    @property
    def operator(self) -> Operator | None:
        """The operator that runs Prometheus and Alertmanager in the place of the stack's own, where there is one."""
        return find_operator(self.sections)

    def add_telemetry(self, telemetry: Telemetry) -> Planned:
        """The next phase, in which `telemetry` is what everyone contributes."""
        known = {item.name: getattr(self, item.name) for item in fields(Planning)}
        return Planned(**known, telemetry=telemetry)


@dataclass(frozen=True, kw_only=True)
class Planned(Planning):
    """What a component may know once everyone has contributed: the complete, tuned `telemetry` too."""

    telemetry: Telemetry


def find_operator(sections: Mapping[str, ComponentSettings]) -> Operator | None:
    """The operator that a section of the settings names; None where the stack runs a Prometheus of its own."""
    operators = (section.existing for section in sections.values() if section.enabled)
    return next(filter(None, operators), None)


@dataclass(frozen=True, kw_only=True)
class Contribution:
    """What a contributor adds to the monitoring, and the mistakes in what it is made of.

    Where mistakes left something out it is not `complete`, so that nothing may be concluded from what is missing.
    """

    telemetry: Telemetry
    problems: tuple[Problem, ...] = ()
    complete: bool = True


class Contributor(ABC):
    """Whoever contributes to the monitoring and has neither settings nor workloads, such as the system itself."""

    @abstractmethod
    def contribute(self, context: Planning) -> Contribution:
        """What it wants scraped, alerted on and drawn, and what it needs; mistakes are values of it."""


class Component(Generic[S]):
    """A part of the stack; each method is a hook that a component overrides where the default is not what it wants.

    Hooks are pure and raise nothing: a mistake is a value of `problems`, so that it hides no other one. `own` is the
    component's section of the settings. `tests/test_architecture.py` refuses public names that this class has not.

    Attributes:
        name: the component's name, its settings key in camelCase, and the name of its first workload.
        settings: the type of its settings section.
        targets: the targets that have it.
        system_rows: rows for a system's dashboards; which there are does not depend on what is switched on.
        under_operator: settings that mean something where an operator runs the component; None where it never does.
    """

    name: str
    settings: type[S]
    targets: tuple[Target, ...] = TARGETS
    system_rows: tuple[SystemRow, ...] = ()
    under_operator: frozenset[str] | None = None

    def telemetry(self, own: S, context: Planning) -> Telemetry:
        """What it wants scraped, alerted on, drawn and routed, what it offers others and what it needs of them."""
        return Telemetry()

    def derived(self, own: S, context: Planning, collected: Telemetry) -> Telemetry:
        """What follows from the contributions of all, `collected` from `telemetry`."""
        return Telemetry()

    def problems(self, own: S, context: Planned) -> list[Problem]:
        """What is wrong with its settings in this environment."""
        return []

    def warnings(self, own: S, context: Planned) -> list[str]:
        """What its settings leave out that people count on, as sentences."""
        return []

    def secrets(self, own: S, context: Planning) -> tuple[Secret, ...]:
        """The secrets that its workloads read."""
        return ()

    def objects(self, own: S, context: Planned) -> tuple[ExtraObject, ...]:
        """Objects that it wants another program of the platform to read."""
        return ()

    def workloads(self, own: S, context: Planned) -> tuple[Workload, ...]:
        """What it wants to have running; empty when the system does not call for it."""
        return ()
