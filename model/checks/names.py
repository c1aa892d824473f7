"""Names of a system's that parts of the stack have already: each would take the place of the other."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from model.base import LONGEST_NAME, fold_key
from model.errors import Problem
from model.places import locate_in_system
from model.system import System
from model.telemetry import STAND_INS, RuleGroup, Telemetry
from model.workload import Workload

if TYPE_CHECKING:
    from model.component import Planning

POOLS = re.compile(r"services(-.+)?")
"""Entries of Prometheus' scrape_configs that all services share: see `components.prometheus.documents.name_pool`."""


def check_names(
    context: Planning, parts: Mapping[str, Telemetry], extra: Telemetry, workloads: Mapping[str, Sequence[Workload]]
) -> list[Problem]:
    """Names in the system's file that are taken.

    Args:
        context: the stack and its system.
        parts: what each component contributes, those that are switched off and those of other targets included.
        extra: what the system contributes.
        workloads: what each component wants to have running.
    """
    system, own = context.system, Telemetry.merge(parts.values())
    imitated = {name for name, part in parts.items() if STAND_INS in part.offers}
    running = {item.name for name, group in workloads.items() if name not in imitated for item in group}
    problems = [
        *_check_services(system, {*parts, *running, *(job.name for job in own.scrape)}),
        *_check_groups(system, own, extra),
        *_check_dashboards_and_alerts(system, own, extra),
    ]
    if imitated and context.settings.demo:
        problems += _check_stand_ins(system, {*parts, *running})
    return [replace(problem, where=locate_in_system(system.name, problem.where)) for problem in problems]


def _check_services(system: System, taken: set[str]) -> Iterator[Problem]:
    known: dict[str, str] = {}
    for key, service in system.services.items():
        name = fold_key(key)
        other = known.setdefault(name, key)
        if name in taken or POOLS.fullmatch(name):
            free = f"own-{name}"[:LONGEST_NAME].rstrip("-")
            message = f"{name!r} is the name of a part of the stack; choose another, such as {free}"
            if not (service.address or service.addresses or service.on_host or service.otlp):
                message += f", and say where it is: address: {key}:{service.port}"
            yield Problem(f"services.{key}", message, name)
        elif other != key:
            message = f"{key!r} and {other!r} would be one name, {name!r}, where no underscores are allowed; rename one"
            yield Problem(f"services.{key}", message, name)


def _check_groups(system: System, own: Telemetry, extra: Telemetry) -> Iterator[Problem]:
    """The system's name where a group of rules has it, and services whose rules would be called like others."""
    of_stack, every = {group.name for group in own.rules}, Counter(group.name for group in extra.rules)
    if system.name in of_stack:
        yield Problem("name", f"{system.name!r} is the name of rules of the stack; call it otherwise", system.name)
    for key in system.services:
        name = f"{system.name}-{key}"
        if name in of_stack or every[name] > 1:
            message = f"its rules would be called {name}, as others are; choose another"
            yield Problem(f"services.{key}", message, name)


def _check_dashboards_and_alerts(system: System, own: Telemetry, extra: Telemetry) -> Iterator[Problem]:
    boards = {board.uid for board in own.dashboards}
    for number, board in enumerate(system.dashboards):
        if board.uid in boards:
            yield Problem(f"dashboards[{number}].uid", f"{board.uid!r} is a dashboard of the stack", board.uid)
    alerts = {alert.name for group in own.rules for alert in group.alerts}
    alerts |= {alert.name for group in extra.rules for alert in group.alerts if alert.service}
    for number, spec in enumerate(system.alerts):
        if spec.name in alerts:
            yield Problem(f"alerts[{number}].name", f"{spec.name!r} is an alert that the stack brings", spec.name)


def _list_rule_names(group: RuleGroup) -> Iterator[tuple[str, str]]:
    """The key and the name of each rule, as a rule file has them: alert or record."""
    yield from (("alert", alert.name) for alert in group.alerts)
    yield from (("record", rule.record) for rule in group.recordings)


def check_own_files(parts: Sequence[Telemetry], extra: Telemetry) -> list[Problem]:
    """Names in a system's own rule and dashboard files that something else has; each with its file.

    Args:
        parts: what each component contributes.
        extra: what the system contributes, with its files.
    """
    every = [*Telemetry.merge(parts).rules, *extra.rules]
    own = [group for group in every if group.file]
    users: dict[str, set[str]] = {}
    for group in every if own else ():
        for _, name in _list_rule_names(group):
            users.setdefault(name, set()).add(group.file)
    problems: list[Problem] = []
    for group in own:
        for kind, name in dict.fromkeys(_list_rule_names(group)):
            if others := users[name] - {group.file}:
                by = ", ".join(sorted(file or "the stack or its system" for file in others))
                problems.append(Problem(f"{group.file}: {kind} {name}", f"has the name of one of {by}; rename it"))
    return problems + _check_own_dashboards(parts, extra)


def _check_own_dashboards(parts: Sequence[Telemetry], extra: Telemetry) -> list[Problem]:
    """Dashboards of files whose uid another one has; of two files the later one is named, with the other."""
    owners: dict[str, str] = {}
    problems = []
    boards = [*Telemetry.merge(parts).dashboards, *extra.dashboards]
    for board in sorted(boards, key=lambda board: board.file):  # those of no file first
        first = owners.setdefault(board.uid, board.file or "the stack or its system")
        if board.file and first != board.file:
            message = f"{board.uid!r} is the uid of a dashboard of {first} already; give it another one"
            problems.append(Problem(f"{board.file}: uid", message, board.uid))
    return problems


def _check_stand_ins(system: System, taken: set[str]) -> Iterator[Problem]:
    """Databases whose stand-in, which is called like the host of the address, could not have that name."""
    used = {name: f"the service {key}" for key in system.services for name in (key, fold_key(key))} | dict.fromkeys(
        taken, "a part of the stack"
    )
    for key, database in system.databases.items():
        host, where = database.derive_stand_in_name(key), f"databases.{key}" + (".address" if database.address else "")
        if host in used:
            message = f"{host!r} is what {used[host]} is called, so no stand-in can be; rename it"
            yield Problem(where, message, host)
        used[host] = f"the database {key}"
