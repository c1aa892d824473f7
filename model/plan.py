"""From settings and a system to a plan: every workload, secret and address, before any resource is registered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from model import checks, extra_objects, host_ports, tuning
from model.checks import hosts, losses, names, needs
from model.checks import idle as unread
from model.component import Component, Contributor, Planning
from model.errors import Problem, suggest_name
from model.extra_objects import ExtraObject
from model.gateway import add_host_exemption
from model.images import HELPER, Image
from model.operator import Operator
from model.secret import Secret
from model.settings import ComponentSettings, Settings
from model.system import System
from model.telemetry import DRAWING, Telemetry
from model.workload import Workload


@dataclass(frozen=True, kw_only=True)
class Platform:
    """What can be said of a target before anything is deployed.

    `address` gives, for a stack and its settings, the function from a workload's name and port to `host:port`; `check`
    lists what the target cannot express.
    """

    address: Callable[[str, Settings], Callable[[str, int], str]]
    check: Callable[[Sequence[Workload]], list[str]]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A stack as plain data: workloads by component in deployment order, secrets by name, the merged telemetry.

    `extra_objects` are objects for the `operator`, where one stands in for the stack's own Prometheus. `warnings` are
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
    extra_objects: tuple[ExtraObject, ...] = ()
    operator: Operator | None = None
    warnings: tuple[str, ...] = ()

    @property
    def allowed_namespaces(self) -> tuple[str, ...]:
        """Namespaces of others whose pods and the stack's connect to each other."""
        return (self.operator.namespace,) if self.operator else ()

    def list_workloads(self) -> tuple[Workload, ...]:
        """All workloads, in deployment order."""
        return tuple(workload for group in self.workloads.values() for workload in group)

    def list_images(self) -> list[str]:
        """Names of the images that it runs, sorted, with the one that prepares what they run in."""
        return sorted({HELPER, *(workload.image for workload in self.list_workloads())})


def build_plan(
    context: Planning, components: Sequence[Component[Any]], contributors: Sequence[Contributor] = ()
) -> tuple[Plan, list[Problem]]:
    """The plan, and everything in it that is wrong: names, ports, secrets or images that contradict each other.

    Everyone's telemetry is collected, then workloads follow from it. A plan with problems must not be deployed.

    Args:
        context: settings, system and addresses.
        components: the registered components, in deployment order.
        contributors: who else contributes to the monitoring.
    """
    made = [contributor.contribute(context) for contributor in contributors]
    extra, problems = Telemetry.merge(m.telemetry for m in made), [problem for m in made for problem in m.problems]
    if not all(m.complete for m in made):  # what is said about alerts cannot be judged without them
        context = replace(context, system=tuning.remove_tuning(context.system))
    active = [(c, context.sections[c.name]) for c in components if context.is_enabled(c.name)]
    parts, idle = {c.name: c.telemetry(own, context) for c, own in active}, _collect_idle(context, components)
    untuned = Telemetry.merge([*parts.values(), extra])
    derived = _derive_all(active, context, untuned)
    collected = Telemetry.merge([untuned, *derived])
    elsewhere = frozenset(alert.name for part in idle.values() for group in part.rules for alert in group.alerts)
    problems += tuning.check_tuning(collected, context.system, elsewhere)
    switched_off = {name: part for name, part in idle.items() if name in context.sections}
    problems += needs.check_needs(context, collected, switched_off)
    drawn = DRAWING in collected.offers or context.operator is not None
    merged = tuning.tune_telemetry(collected, context.system, context.settings, drawn=drawn)
    planned = context.add_telemetry(merged)
    problems += [problem for c, own in active for problem in c.problems(own, planned)]
    problems += checks.check_stack(planned) + (unreachable := hosts.check_hosts(planned))
    workloads = mark_accompanied(host_ports.withhold_ports({c.name: c.workloads(own, planned) for c, own in active}))
    if not unreachable:  # else it is said already, with its place
        workloads = {name: tuple(map(add_host_exemption, group)) for name, group in workloads.items()}
    plan = Plan(
        stack=context.stack,
        settings=context.settings,
        system=context.system,
        sections=context.sections,
        workloads={name: group for name, group in workloads.items() if group},
        secrets={secret.name: secret for c, own in active for secret in c.secrets(own, context)},
        telemetry=merged,
        images=context.images,
        extra_objects=tuple(item for c, own in active for item in c.objects(own, planned)),
        operator=context.operator,
        warnings=(
            *(text for c, own in active for text in c.warnings(own, planned)),
            *losses.list_losses(context, merged, switched_off),
        ),
    )
    problems += unread.check_idle(planned, parts, switched_off, workloads)
    problems += host_ports.check_host_ports(plan.stack, plan.sections, plan.system, plan.workloads)
    problems += names.check_names(planned, {**parts, **idle}, extra, workloads)
    problems += names.check_own_files([*{**parts, **idle}.values(), *derived], extra)
    said = {problem.taken for problem in problems}
    problems += [
        Problem(f"stack {context.stack}", problem.message)
        for problem in _check_contradictions(plan)
        if not problem.taken or problem.taken not in said  # with its place
    ]
    return plan, problems


def _derive_all(
    active: Sequence[tuple[Component[Any], ComponentSettings]], context: Planning, collected: Telemetry
) -> list[Telemetry]:
    """What follows from the contributions of all, by component. Who is deployed last is asked first, as the others then
    see what it adds: whoever scrapes counts its targets too.
    """
    made: list[Telemetry] = []
    for component, own in reversed(active):
        made.append(part := component.derived(own, context, collected))
        collected = collected if part == Telemetry() else Telemetry.merge([collected, part])
    return made[::-1]


def mark_accompanied(workloads: Mapping[str, Sequence[Workload]]) -> dict[str, tuple[Workload, ...]]:
    """The workloads, where those that others stand beside say so; by component."""
    others = {workload.beside for group in workloads.values() for workload in group} - {""}
    return {
        name: tuple(replace(item, accompanied=True) if item.name in others else item for item in group)
        for name, group in workloads.items()
    }


def _collect_idle(context: Planning, components: Sequence[Component[Any]]) -> dict[str, Telemetry]:
    """What components would contribute that are off, or not of this target.

    One system's file serves all its environments, so what it says about alerts of these is no mistake.
    """
    usual = {c.name: c.settings() for c in components if not context.is_enabled(c.name)}
    sections = {name: {**context.sections, name: own} for name, own in usual.items()}
    return {
        c.name: c.telemetry(usual[c.name], replace(context, sections=sections[c.name]))
        for c in components
        if c.name in usual
    }


def _check_contradictions(plan: Plan) -> list[Problem]:
    problems = plan.telemetry.check_names() + extra_objects.check_objects(plan.extra_objects)
    every = plan.list_workloads()
    names = Counter(workload.name for workload in every)
    problems += [
        Problem("", f"workload {name!r} is planned more than once", taken=name)
        for name, count in names.items()
        if count > 1
    ]
    owners: dict[str, list[str]] = {}
    for workload in every:
        for volume in workload.volumes:
            owners.setdefault(volume.name, []).append(workload.name)
    problems += [
        Problem("", f"volume {name!r} is planned more than once", taken=users[0] if len({*users}) == 1 else "")
        for name, users in owners.items()
        if len(users) > 1
    ]
    return problems + [Problem("", text) for workload in every for text in _check_workload(plan, workload, owners)]


def _check_workload(plan: Plan, workload: Workload, volumes: Collection[str]) -> Iterator[str]:
    """What a workload refers to and nobody plans."""
    where, names = f"workload {workload.name!r}", [other.name for other in plan.list_workloads()]
    if workload.image not in plan.images:
        yield f"{where}: image {workload.image!r} is unknown; {suggest_name(workload.image, plan.images)}"
    for secret in workload.secrets:
        if secret.secret not in plan.secrets:
            yield f"{where}: secret {secret.secret!r} is not declared; {suggest_name(secret.secret, plan.secrets)}"
    for b in workload.shared_volumes:
        if b.name not in volumes:
            yield f"{where}: borrows the volume {b.name!r}, which is not planned; {suggest_name(b.name, volumes)}"
    for name in sorted({*workload.after, *workload.restart_with, *filter(None, [workload.beside])}):
        if name not in names:
            yield f"{where}: starts after {name!r}, which is not planned; {suggest_name(name, names)}"
