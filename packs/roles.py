"""Whether packs can use what a service declares: roles that metrics have, units of time, names that packs read."""

from __future__ import annotations

from collections.abc import Hashable, Iterator

from model.errors import Problem, suggest_name
from model.roles import FREE, Role
from model.service import Metric, Service
from model.system import System
from packs import outcome
from packs.base import PER_SECOND
from packs.catalogue import PACKS

SHARED = FREE | {"active", "errors", "failures", "memory", "heap", "cpu"}
"""Roles that several metrics of a service may have."""
TIMED: tuple[Role, ...] = ("duration", "query_duration")
"""Roles whose metrics are compared with a number of seconds."""


def check_roles(system: System, where: str) -> list[Problem]:
    """Metrics that a pack could not use; `where` is the beginning of each place."""
    result: list[Problem] = []
    sound: set[Hashable] = set()
    for key, service in system.services.items():
        kind = derive_metrics_kind(service)
        if kind in sound:
            continue
        path = f"{where}services.{key}"
        problems = [*_check_repeated(service, path), *_check_status(service, path), *_check_timed(service, path)]
        problems += _check_pack_metrics(service, path)
        result += problems
        if not problems:
            sound.add(kind)
    return result


def derive_metrics_kind(service: Service) -> Hashable:
    """What all services have in common that have the same metrics; those of packs are the same objects."""
    return (service.packs, service.status_label, *map(id, service.metrics.values()))


def _check_repeated(service: Service, where: str) -> Iterator[Problem]:
    names: dict[Role, list[str]] = {}
    for name, metric in service.metrics.items():
        names.setdefault(metric.role, []).append(name)
    for role, several in names.items():
        if role not in SHARED and len(named := sorted(several)) > 1:
            message = f"the role {role!r} is also that of {named[0]}; only one metric of a service can have it"
            yield Problem(f"{where}.metrics.{named[1]}.role", message)


def _check_status(service: Service, where: str) -> Iterator[Problem]:
    for name, metric in service.find_metrics("requests").items():
        if service.status_label not in metric.labels:
            hint = suggest_name(service.status_label, metric.labels)
            message = f"{service.status_label!r} is no label of {name}, which counts the requests; {hint}"
            yield Problem(f"{where}.statusLabel", message)
    if "http" in service.packs and not service.find_metrics("requests"):
        for name, metric in service.find_metrics("duration").items():
            if known := outcome.find_status_label(metric):
                message = f"{service.status_label!r} is no label of {name}, whose count is that of requests by status;"
                yield Problem(f"{where}.statusLabel", f"{message} say statusLabel: {known}")


def _check_timed(service: Service, where: str) -> Iterator[Problem]:
    for role in TIMED:
        for name, metric in service.find_metrics(role).items():
            if metric.unit not in PER_SECOND:
                message = f"{metric.unit!r} is no unit of time, but the role is {role}; {suggest_name('', PER_SECOND)}"
                yield Problem(f"{where}.metrics.{name}.unit", message)


def _check_pack_metrics(service: Service, where: str) -> Iterator[Problem]:
    """Metrics that are called like those of a pack of the service, and that it could not read as they are declared."""
    for pack in service.packs:
        for name, usual in PACKS[pack].METRICS.items():
            declared = service.metrics.get(name)
            if declared and (problem := _check_misread(pack, name, usual, declared, service)):
                yield Problem(f"{where}.metrics.{name}.{problem.where}", problem.message)


def _check_misread(pack: str, name: str, usual: Metric, declared: Metric, service: Service) -> Problem | None:
    if usual.role in FREE:
        if declared.type != usual.type:
            message = (
                f"{declared.type!r}, but the pack {pack} reads {name} as a {usual.type}; declare it so, or rename it"
            )
            return Problem("type", message)
    elif not service.find_metrics(usual.role):
        message = (
            f"{declared.role!r}, but {name} is what the pack {pack} looks for as {usual.role!r}, which no metric of"
        )
        return Problem("role", f"{message} the service is; say role: {usual.role}, or rename it")
    return None
