"""What two entries of a system both name: a target, a database, log files or a container that only one can have.

Nothing fails where that happens: series, alerts and lines of one thing are there twice, or those of the first are lost.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from model.base import fold_key
from model.checks.targets import find_repeated
from model.errors import Problem
from model.gateway import HOST, list_addresses
from model.logs import WILDCARD, HostLog, Logs
from model.naming import derive_host
from model.places import locate_in_system
from model.service import Database, Service
from model.system import System

if TYPE_CHECKING:
    from model.component import Planning


def check_repeated(context: Planning) -> list[Problem]:
    """Everything in the system's file that stands for what another entry stands for already."""
    system = context.system
    result = [*_check_ports(system.services), *_check_targets(context), *_check_pods(system.services)]
    result += [
        *_check_databases(system.databases),
        *_check_sources(system.services),
        *_check_files(system.host_logs),
    ]
    result += _check_lists(system)
    return [Problem(locate_in_system(system.name, item.where), item.message) for item in result]


def _check_lists(system: System) -> Iterator[Problem]:
    """Entries of lists of names: a second one of the same name means nothing."""
    lists: dict[str, Sequence[str]] = {}
    for key, service in system.services.items():
        lists[f"services.{key}.packs"] = service.packs
        lists[f"services.{key}.logs.labels"] = service.logs.labels
        lists[f"services.{key}.logs.fields"] = service.logs.fields
    for number, board in enumerate(system.dashboards):
        lists[f"dashboards[{number}].services"] = board.services
    for number, log in enumerate(system.host_logs):
        lists[f"hostLogs[{number}].writtenBy"] = log.written_by
        lists[f"hostLogs[{number}].labelFields"] = log.label_fields
        lists[f"hostLogs[{number}].exclude"] = log.exclude
    for where, values in lists.items():
        for number, value in find_repeated(values):
            yield Problem(f"{where}[{number}]", f"{value!r} stands twice; leave one out")


# -- services --------------------------------------------------------------------------------------------------------


def _check_ports(services: Mapping[str, Service]) -> Iterator[Problem]:
    """A port beside addresses that have another one; where pods are found, it is that of the pods."""
    for key, service in services.items():
        declared = [each for each in (service.address, *service.addresses) if each]
        if declared and not any(each.endswith(f":{service.port}") for each in declared) and not service.kubernetes:
            message = f"{service.port}, but it is scraped at {', '.join(declared)}; give the port that its address has"
            yield Problem(f"services.{key}.port", message)


def _check_targets(context: Planning) -> Iterator[Problem]:
    """Services that are scraped at one address and path: each event would be counted twice."""
    known: dict[tuple[str, str], str] = {}
    for key, service in context.system.services.items():
        for part, address in list_addresses(derive_host(context, key), service).items():
            other = known.setdefault((address.lower(), service.metrics_path), key)
            if other != key:
                message = f"{address!r} with the path {service.metrics_path} is scraped as services.{other} already"
                yield Problem(f"services.{key}.{part}", f"{message}; give that the packs of both, or another path")


def _check_pods(services: Mapping[str, Service]) -> Iterator[Problem]:
    known: dict[object, str] = {}
    for key, service in services.items():
        if pods := service.kubernetes:
            selection = (pods.namespace, *sorted(pods.selector.items()), service.port, service.metrics_path)
            if (other := known.setdefault(selection, key)) != key:
                message = f"finds the pods, port and path of services.{other}; give that the packs of both"
                yield Problem(f"services.{key}.kubernetes.selector", message)


def _check_sources(services: Mapping[str, Service]) -> Iterator[Problem]:
    """A container, pods or files that two services name: all of their lines would be those of one."""
    known = {source: key for key, service in services.items() for source in _list_usual_sources(key, service)}
    for key, service in services.items():
        for part, sources in _list_own_sources(service.logs).items():
            others = [other for source in sources if (other := known.setdefault(source, key)) != key]
            if others:
                value = getattr(service.logs, part)
                named = f"{value!r} is the {SOURCE_TEXTS[part]}" if isinstance(value, str) else "these are the pods"
                message = f"{named} of services.{others[0]}, and a line has one service; leave it out"
                yield Problem(f"services.{key}.logs.{part}", message)


SOURCE_TEXTS = {"container": "container", "compose": "compose service", "file": "log file"}
Source = tuple[str, object]
"""What lines come from, as two services are compared by it."""


def _list_usual_sources(key: str, service: Service) -> Iterator[Source]:
    """Where its lines come from where a service does not say so: what is called like it, and its own pods."""
    if not (service.logs.container or service.logs.compose):
        yield "container", _fold_name(key)
    if (pods := service.kubernetes) and not service.logs.selector:
        yield "selector", (pods.namespace, *sorted(pods.selector.items()))


def _list_own_sources(logs: Logs) -> dict[str, list[Source]]:
    """Where lines of a service come from by what it says, by the key that says it."""
    if logs.selector:
        return {"selector": [("selector", (logs.selector.namespace, *sorted(logs.selector.labels.items())))]}
    if logs.container:
        return {"container": [("container", _fold_name(logs.container))]}
    if logs.compose:
        every = [] if "/" in logs.compose else [("container", _fold_name(logs.compose))]
        return {"compose": [("compose", logs.compose), *every]}
    return {"file": [("file", logs.file)]} if logs.file else {}


def _fold_name(name: str) -> str:
    """A name as lines are matched with it: see `components.lines.sources.build_container_rules`."""
    return fold_key(name.lower())


# -- databases and files ---------------------------------------------------------------------------------------------


def _check_databases(databases: Mapping[str, Database]) -> Iterator[Problem]:
    """Servers that are watched twice; of one PostgreSQL server several databases may be."""
    known: dict[tuple[str, str], str] = {}
    for key, database in databases.items():
        address = database.address or f"{HOST}:{database.listens}"
        part = "address" if database.address else "port" if database.port else "onHost"
        inside = database.database if database.kind == "postgres" else ""
        other = known.setdefault((address.lower(), inside), key)
        if other != key:
            message = f"{address!r} is watched as databases.{other} already, so its alerts would come twice"
            yield Problem(f"databases.{key}.{part}", f"{message}; leave one out, or name another database")


def _check_files(logs: tuple[HostLog, ...]) -> Iterator[Problem]:
    """Files that two entries read: how far a file has been read is known once, so lines would double or be lost."""
    for number, log in enumerate(logs):
        for before, other in enumerate(logs[:number]):
            if log.path == other.path or _is_within(log.path, other.path) or _is_within(other.path, log.path):
                message = f"{log.path!r} is read by hostLogs[{before}] ({other.path}) already; leave one of them out"
                yield Problem(f"hostLogs[{number}].path", message)
                break


def _is_within(path: str, pattern: str) -> bool:
    """Whether a pattern means a file; two patterns are not compared: `_is_within("/a/b.log", "/a/*.log")` is True."""
    if WILDCARD.search(path) or not WILDCARD.search(pattern) or re.search(r"[\[{]", pattern):
        return False
    parts = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    pieces = re.split(r"(\*\*/|\*\*|\*|\?)", pattern)
    return bool(re.fullmatch("".join(parts.get(piece, re.escape(piece)) for piece in pieces), path))
