"""From settings and a system to a plan: every workload, secret and address, before any resource is registered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, Protocol, TypeVar

from model import checks, declared, tuning
from model.checks import idle as unread
from model.checks import names, needs
from model.declared import Declared
from model.errors import ConfigError, Problem, nearest
from model.gateway import reaching
from model.images import Image
from model.operator import Operator
from model.settings import ComponentSettings, Settings
from model.system import System
from model.telemetry import DRAWING, Telemetry
from model.workload import Workload

S = TypeVar("S", bound=ComponentSettings)


@dataclass(frozen=True, kw_only=True)
class Htpasswd:
    """A file of users with bcrypt hashes, made of other secrets: the name of each user, and of the secret with its
    password.
    """

    users: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Issued:
    """Part of a certificate of the stack's own authority, as PEM text: the authority's own, the chain, or the key.

    `seed` is the secret that the authority is made of, `host` the name or address that the certificate is for.
    """

    part: Literal["authority", "chain", "key"]
    seed: str
    host: str


@dataclass(frozen=True, kw_only=True)
class Secret:
    """A secret of the stack: taken from the encrypted configuration key `name`, or generated when `generate` is set.

    `purpose` completes the sentence "the secret is ..." in error messages. `length` is in characters. What is `made` of
    other secrets is never in the configuration. `permanent` says why another value would not work and what to do
    instead, where it cannot be rotated; `after_rotation` says what people have to do themselves when it was.
    """

    name: str
    purpose: str
    generate: bool = False
    length: int = 32
    made: Htpasswd | Issued | None = None
    permanent: str = ""
    after_rotation: str = ""

    def sources(self) -> tuple[str, ...]:
        """Names of the secrets that it is made of."""
        if isinstance(self.made, Htpasswd):
            return tuple(self.made.users.values())
        return (self.made.seed,) if self.made else ()


@dataclass(frozen=True, kw_only=True)
class Platform:
    """What can be said of a target before anything is deployed.

    `address` gives, for a stack and its settings, the function from a workload's name and port to `host:port`; `check`
    lists what the target cannot express.
    """

    address: Callable[[str, Settings], Callable[[str, int], str]]
    check: Callable[[Sequence[Workload]], list[str]]


@dataclass(frozen=True, kw_only=True)
class Context:
    """What a component may know while it plans. `telemetry` is complete only when workloads are asked for."""

    stack: str
    settings: Settings
    system: System
    sections: Mapping[str, ComponentSettings]
    address: Callable[[str, int], str]
    images: Mapping[str, Image]
    telemetry: Telemetry = field(default_factory=Telemetry)

    def own(self, kind: type[S]) -> S:
        """The settings section of type `kind`.

        Raises:
            LookupError: no component registered such a section.
        """
        for section in self.sections.values():
            if isinstance(section, kind):
                return section
        raise LookupError(f"no settings section of type {kind.__name__}")

    def instances(self, name: str, port: int) -> list[str]:
        """`host:port` of every instance of the component `name`; of the component itself where it has just one."""
        address, replicas = self.address(name, port), int(getattr(self.sections[name], "replicas", 1))
        if replicas == 1:
            return [address]
        rest = address.partition(".")[2]
        return [f"{name}-{number}.{name}-pods.{rest}" for number in range(replicas)]

    def count(self, name: str) -> int:
        """How many instances of the component `name` there are; where an operator runs them it may be several: 2."""
        return 2 if self.operator else int(getattr(self.sections.get(name), "replicas", 1))

    def peers(self, workload: str, port: int) -> str:
        """`host:port` whose host is a name of all instances of a workload, each with an address of its own."""
        name, _, rest = self.address(workload, port).partition(".")
        return f"{name}-pods.{rest}"

    def enabled(self, name: str) -> bool:
        """Whether the component `name` is registered and not switched off."""
        return name in self.sections and self.sections[name].enabled

    @property
    def operator(self) -> Operator | None:
        """The operator that runs Prometheus and Alertmanager in the place of the stack's own, where there is one."""
        return operator_of(self.sections)


def operator_of(sections: Mapping[str, ComponentSettings]) -> Operator | None:
    """The operator that a section of the settings names; None where the stack runs a Prometheus of its own."""
    found = (getattr(section, "existing", None) for section in sections.values() if section.enabled)
    return next(filter(None, found), None)


class Component(Protocol):
    """A component module: its name, its settings section and its three pure functions.

    It may have four more: `declared(context)`, objects that it wants another program of the platform to read;
    `derived(context)`, telemetry that follows from everyone's; and `problems(context)`, what is wrong with its settings
    in this environment, once everyone's telemetry is there, and `warnings(context)`, what its settings leave out that
    people count on. None of them raises: one problem must not hide others.
    """

    @property
    def NAME(self) -> str:
        """The component's name, which is also its settings key in camelCase and its first workload's name."""

    @property
    def Settings(self) -> type[ComponentSettings]:
        """The type of its settings section."""

    def secrets(self, context: Context) -> tuple[Secret, ...]:
        """The secrets that its workloads read."""

    def telemetry(self, context: Context) -> Telemetry:
        """What it wants scraped, alerted on, drawn and routed."""

    def workloads(self, context: Context) -> tuple[Workload, ...]:
        """What it wants to have running; empty when the system does not call for it."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A stack as plain data: workloads by component in deployment order, secrets by name, the merged telemetry.

    `declared` are objects for the `operator`, where one stands in for the stack's own Prometheus. `warnings` are
    sentences about what works and yet is hardly what somebody wants: every run shows them.
    """

    stack: str
    settings: Settings
    system: System
    sections: Mapping[str, ComponentSettings]
    workloads: Mapping[str, tuple[Workload, ...]]
    secrets: Mapping[str, Secret]
    telemetry: Telemetry
    images: Mapping[str, Image]
    declared: tuple[Declared, ...] = ()
    operator: Operator | None = None
    warnings: tuple[str, ...] = ()

    @property
    def neighbours(self) -> tuple[str, ...]:
        """Namespaces of others whose pods and the stack's connect to each other."""
        return (self.operator.namespace,) if self.operator else ()

    def every(self) -> tuple[Workload, ...]:
        """All workloads, in deployment order."""
        return tuple(workload for group in self.workloads.values() for workload in group)


def make_plan(context: Context, components: Sequence[Component], extra: Telemetry) -> Plan:
    """Collects everyone's telemetry, then asks for the workloads.

    Args:
        context: settings, system and addresses; its telemetry is still empty.
        components: the registered components, in deployment order.
        extra: what the system itself contributes.

    Raises:
        ConfigError: names, ports, secrets or images contradict each other; all contradictions at once.
    """
    active = [c for c in components if context.enabled(c.NAME)]
    parts, idle = {c.NAME: c.telemetry(context) for c in active}, _idle(context, components)
    given = Telemetry.merge([*parts.values(), extra])
    known = replace(context, telemetry=given)
    collected = Telemetry.merge([given, *(getattr(c, "derived", _no_telemetry)(known) for c in active)])
    elsewhere = frozenset(alert.name for part in idle.values() for group in part.rules for alert in group.alerts)
    problems = tuning.problems(collected, context.system, elsewhere)
    switched_off = {name: part for name, part in idle.items() if name in context.sections}
    problems += needs.problems(context, collected, switched_off)
    drawn = DRAWING in collected.offers or context.operator is not None
    merged = tuning.tuned(collected, context.system, context.settings, drawn=drawn)
    context = replace(context, telemetry=merged)
    problems += [problem for c in active for problem in getattr(c, "problems", _nothing_wrong)(context)]
    problems += checks.problems(context)
    workloads = {c.NAME: tuple(map(reaching, c.workloads(context))) for c in active}
    secrets = {s.name: s for c in active for s in c.secrets(context)}
    plan = Plan(
        stack=context.stack,
        settings=context.settings,
        system=context.system,
        sections=context.sections,
        workloads={name: group for name, group in workloads.items() if group},
        secrets=secrets,
        telemetry=merged,
        images=context.images,
        declared=tuple(item for c in active for item in getattr(c, "declared", _nothing)(context)),
        operator=context.operator,
        warnings=tuple(text for c in active for text in getattr(c, "warnings", _no_warnings)(context)),
    )
    problems += unread.problems(context, parts, switched_off, workloads)
    clashes = names.clashes(context, {**parts, **idle}, extra, workloads)
    problems += clashes.values()
    problems += [
        Problem(f"stack {context.stack}", text)
        for text in _contradictions(plan)
        if not any(f"{name!r} is" in text or f"{name}-data' is" in text for name in clashes)  # said with its place
    ]
    if problems:
        raise ConfigError(problems)
    return plan


def _idle(context: Context, components: Sequence[Component]) -> dict[str, Telemetry]:
    """What components would contribute that are off, or not of this target.

    One system's file serves all its environments, so what it says about alerts of these is no mistake.
    """
    idle = [c for c in components if not context.enabled(c.NAME)]
    return {c.NAME: c.telemetry(replace(context, sections={**context.sections, c.NAME: c.Settings()})) for c in idle}


def _no_telemetry(_: Context) -> Telemetry:
    return Telemetry()


def _nothing(_: Context) -> tuple[Declared, ...]:
    return ()


def _no_warnings(_: Context) -> list[str]:
    return []


def _nothing_wrong(_: Context) -> list[Problem]:
    return []


def _contradictions(plan: Plan) -> list[str]:
    found = plan.telemetry.problems() + declared.problems(plan.declared)
    every = plan.every()
    names = Counter(workload.name for workload in every)
    found += [f"workload {name!r} is planned more than once" for name, count in names.items() if count > 1]
    volumes = Counter(volume.name for workload in every for volume in workload.volumes)
    found += [f"volume {name!r} is planned more than once" for name, count in volumes.items() if count > 1]
    found += _port_clashes(every)
    for workload in every:
        where = f"workload {workload.name!r}"
        if workload.image not in plan.images:
            found.append(f"{where}: image {workload.image!r} is unknown; {nearest(workload.image, plan.images)}")
        for secret in workload.secrets:
            if secret.secret not in plan.secrets:
                found.append(
                    f"{where}: secret {secret.secret!r} is not declared; {nearest(secret.secret, plan.secrets)}"
                )
        found += [
            f"{where}: borrows the volume {b.name!r}, which is not planned; {nearest(b.name, volumes)}"
            for b in workload.borrowed
            if b.name not in volumes
        ]
        found += [
            f"{where}: starts after {name!r}, which is not planned; {nearest(name, names)}"
            for name in sorted({*workload.after, *workload.restart_with})
            if name not in names
        ]
    return found


def _port_clashes(workloads: Sequence[Workload]) -> list[str]:
    users: dict[int, list[str]] = {}
    for workload in workloads:
        for port in workload.ports:
            if port.publish is not None:
                users.setdefault(port.publish, []).append(workload.name)
    return [
        f"host port {port} is wanted by {' and '.join(sorted(names))}: give each a port of its own"
        for port, names in sorted(users.items())
        if len(names) > 1
    ]
