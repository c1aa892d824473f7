"""Targets that Prometheus could not tell apart: it merges their samples without a word, and rates are then nonsense."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from model.errors import Problem
from model.places import locate_in_system
from model.service import Service

if TYPE_CHECKING:
    from model.component import Planning


def check_targets(context: Planning) -> list[Problem]:
    """Services whose targets have equal labels, and health endpoints that stand twice; also those of other
    environments, as one system's file serves all of them.
    """
    result = [p for key, service in context.system.services.items() for p in _check_service(f"services.{key}", service)]
    return [Problem(locate_in_system(context.system.name, item.where), item.message) for item in result]


def _check_service(where: str, service: Service) -> Iterator[Problem]:
    for number, path in find_repeated(service.health):
        yield Problem(f"{where}.health[{number}]", f"{path!r} stands twice; leave one out")
    addresses = service.addresses
    for number, address in find_repeated(addresses):
        yield Problem(f"{where}.addresses[{number}]", f"{address!r} stands twice; leave one out")
    if service.instance == "host":
        different = list(dict.fromkeys(addresses))
        hosts = [address.rpartition(":")[0] for address in different]
        for number, host in find_repeated(hosts):
            first = different[hosts.index(host)]
            message = f"'host' gives {first} and {different[number]} one label instance, so their samples would be one"
            yield Problem(f"{where}.instance", f"{message} series; use 'address'")
            return


def find_repeated(values: Sequence[str]) -> Iterator[tuple[int, str]]:
    """Each value that has stood before, with its place."""
    seen: set[str] = set()
    for number, value in enumerate(values):
        if value in seen:
            yield number, value
        seen.add(value)
