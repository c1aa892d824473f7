"""What a system has on the host of a Docker engine, where the stack is on a cluster: no pod knows that host."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from model.errors import Problem
from model.gateway import HOST, mentions_host
from model.places import locate_in_system
from model.system import System

if TYPE_CHECKING:
    from model.component import Planning


def check_hosts(context: Planning) -> list[Problem]:
    """Services and databases of the host on a cluster; in a demo stand-ins are in their place."""
    if context.settings.target != "kubernetes" or context.settings.demo:
        return []
    problems = [*_check_on_host(context.system), *_check_addresses(context.system)]
    return [Problem(locate_in_system(context.system.name, each.where), each.message) for each in problems]


def _check_on_host(system: System) -> Iterator[Problem]:
    ports = {f"services.{key}": service.port for key, service in system.services.items() if service.on_host}
    ports |= {f"databases.{key}": entry.listens for key, entry in system.databases.items() if entry.on_host}
    for place, port in ports.items():
        message = f"true, but pods of a cluster know no Docker host; say where it is instead: address: HOST:{port}"
        yield Problem(f"{place}.onHost", message)


def _check_addresses(system: System) -> Iterator[Problem]:
    """Addresses that name the host themselves."""
    given: dict[str, str] = {}
    for key, service in system.services.items():
        given[f"services.{key}.address"] = service.address or ""
        given |= {f"services.{key}.addresses[{n}]": each for n, each in enumerate(service.addresses)}
        given |= {f"services.{key}.health[{n}]": each for n, each in enumerate(service.health)}
    given |= {f"databases.{key}.address": entry.address or "" for key, entry in system.databases.items()}
    for place, address in given.items():
        if mentions_host(address):
            message = f"{address!r}: pods of a cluster do not know {HOST}; give the machine's own address"
            yield Problem(place, message)
