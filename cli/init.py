"""Writes the files of a new stack that watches one service, from the address of its metrics: the way from nothing.

The service is a container of the local engine, which is then reached by its name in its network; or a process of this
machine; or somewhere else.
"""

from __future__ import annotations

import argparse
import os
import re
import socket
import textwrap
import urllib.request
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from cli.arguments import FINE
from cli.describe import HERE, describe_address, describe_exposed, find_port, read_exposed
from cli.render import plan_file
from cli.workspace import ROOT
from components.documents import render_yaml
from model.base import LONGEST_NAME
from model.checks.entry import TRAEFIK
from model.errors import ConfigError, Problem
from model.host_ports import list_host_ports
from model.places import derive_section_key, locate_settings_file, locate_system_file
from model.plan import Plan

HEALTH_PATHS = ("/healthz", "/health", "/api/health", "/actuator/health", "/readyz", "/ready", "/-/healthy")
"""Where services usually say that they are well."""
SECONDS = 3.0
"""How long an answer of a health endpoint is waited for."""
COMPOSE_SERVICE = "com.docker.compose.service"
"""Label of a container that Compose started: https://docs.docker.com/reference/compose-file/services/#labels."""
LAST_PORT = 65_536
DEFAULT_NETWORK = "bridge"
"""Docker's own network, in which containers do not find each other by name."""
_NO_KEY = re.compile(r"[^a-z0-9_-]+")
_JOINTS = re.compile(r"([_-])[_-]+")


@dataclass(frozen=True)
class Place:
    """What a service is called, where it is in the words of its YAML, and the network of it that a stack must join."""

    name: str
    keys: Mapping[str, Any] = field(default_factory=dict)
    network: str = ""


def find_place(url: str, containers: Iterable[Any]) -> Place:
    """Where the service is whose metrics are at `url`, given the containers of this machine.

    Raises:
        ConfigError: it is a container that nothing else on its engine can reach.
    """
    port, host = find_port(url), urlsplit(url).hostname
    if host not in HERE:
        return Place(_make_key(host or "api"))
    for container in containers:
        for inside, bound in (container.attrs["NetworkSettings"]["Ports"] or {}).items():
            if str(port) in {each["HostPort"] for each in bound or ()}:
                return _find_container_place(container, int(inside.partition("/")[0]), port)
    return Place("api", {"onHost": True, "port": port})


def _find_container_place(container: Any, inside: int, published: int) -> Place:
    name = container.labels.get(COMPOSE_SERVICE) or container.name
    own = [each for each in container.attrs["NetworkSettings"]["Networks"] if each != DEFAULT_NETWORK]
    if own:
        return Place(_make_key(name), {"port": inside, "address": f"{name}:{inside}"}, own[0])
    bindings = container.attrs["NetworkSettings"]["Ports"][f"{inside}/tcp"]
    if all(each["HostIp"] in HERE for each in bindings):
        where = (
            f"is published to {bindings[0]['HostIp']} and in Docker's default network alone: no container reaches it"
        )
        message = f"{where}; put it into a network (docker network create NAME, docker network connect NAME)"
        raise ConfigError([Problem(f"container {container.name}", message)])
    return Place(_make_key(name), {"onHost": True, "port": published})


def _make_key(name: str) -> str:
    """A name as the key of a service, which may have underscores, one at a time, and begins with a letter."""
    key = _JOINTS.sub(r"\1", _NO_KEY.sub("-", name.lower())).strip("-_") or "api"
    return (key if key[0].isalpha() else f"api-{key}")[:LONGEST_NAME].rstrip("-_")


def list_containers() -> list[Any]:
    """The containers of the local engine; none where there is no engine."""
    import docker  # noqa: PLC0415 - other commands are spared the engine's SDK
    from docker.errors import DockerException  # noqa: PLC0415

    try:
        client = docker.from_env()
    except DockerException:
        return []
    try:
        return list(client.containers.list())
    except DockerException:
        return []
    finally:
        client.close()


def find_health(url: str) -> str | None:
    """The first of the usual health endpoints beside the metrics that answers 200 to 299; None where none does."""
    for path in HEALTH_PATHS:
        try:
            with urllib.request.urlopen(urlunsplit((*urlsplit(url)[:2], path, "", "")), timeout=SECONDS) as answer:  # noqa: S310 - http and https alone
                if answer.status < 300:
                    return path
        except (OSError, ValueError):
            continue
    return None


# -- files -----------------------------------------------------------------------------------------------------------


def build_files(stack: str, url: str, place: Place, health: str | None) -> dict[str, str]:
    """The texts of the stack's two files by their path from the project's folder.

    Raises:
        ConfigError: the metrics cannot be read.
    """
    described = describe_exposed(read_exposed(url))
    service = describe_address(url) | described.service | dict(place.keys)
    if health:
        service["health"] = [health]
    system = {"name": stack, "title": stack.replace("-", " ").title(), "services": {place.name: service}}
    config: dict[str, Any] = {"system": stack, "environment": "production", "demo": False}
    if place.network:
        config["docker"] = {"externalNetworks": [place.network]}
    settings = {"config": {f"observability:{key}": value for key, value in config.items()}}
    watched = _head("../schemas/system", f"What is watched of {stack}.") + render_yaml(system) + described.notes
    given = _head("configs/schemas/settings", f"Where {stack} is watched, and who is notified.") + render_yaml(settings)
    return {
        locate_system_file(stack): watched,
        locate_settings_file(stack): given + "  # Nobody is notified so far: docs/notifications.md\n",
    }


def choose_ports(plan: Plan, is_free: Callable[[int], bool]) -> dict[str, Any]:
    """Settings that give each part of a planned stack a host port that is free where its own is taken, by key.

    A stack of another environment may be up on this machine already.
    """
    chosen: dict[str, Any] = {}
    wanted = {port.publish for _, _, port in list_host_ports(plan.workloads)}
    for component, _, port in list_host_ports(plan.workloads):
        if port.publish is not None and not is_free(port.publish):
            free = next(each for each in range(port.publish + 1, LAST_PORT) if each not in wanted and is_free(each))
            wanted.add(free)
            chosen[derive_section_key(component)] = {"port": free}
            if component == TRAEFIK:
                chosen["baseUrl"] = f"http://127.0.0.1:{free}"
    return chosen


def is_port_free(number: int) -> bool:
    """Whether nobody listens on a port of this machine."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", number)) != 0


def _head(schema: str, title: str) -> str:
    return f"# yaml-language-server: $schema={schema}.schema.json\n# {title}\n"


def write_files(root: Path, texts: Mapping[str, str]) -> None:
    """Writes new files; where one is there already, none is written.

    Raises:
        ConfigError: some are there.
    """
    there = [name for name in texts if (root / name).exists()]
    if there:
        message = "is there already; name another stack, or add what `observability describe` prints by hand"
        raise ConfigError([Problem(name, message) for name in there])
    for name, text in texts.items():
        descriptor = os.open(root / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)


def add_free_ports(root: Path, stack: str) -> dict[str, Any]:
    """Adds to the settings of a new stack the ports that `choose_ports` finds; none where it cannot be planned."""
    path = root / locate_settings_file(stack)
    try:
        chosen = choose_ports(plan_file(path, stack, root=root), is_port_free)
    except ConfigError:
        return {}  # which the next command says in full
    lines = render_yaml({f"observability:{key}": value for key, value in chosen.items()}) if chosen else ""
    with path.open("a", encoding="utf-8") as file:
        file.write(textwrap.indent(lines, "  "))
    return chosen


def run_command(args: argparse.Namespace) -> int:
    """Writes the files of the stack in `args` for the service behind its URL. Returns its exit code."""
    if not args.url.startswith(("http://", "https://")):
        raise ConfigError([Problem("URL", f"{args.url!r}: give the address of its metrics, http://host:port/metrics")])
    place = find_place(args.url, list_containers())
    if args.name:
        place = Place(args.name, place.keys, place.network)
    texts = build_files(args.stack, args.url, place, find_health(args.url))
    write_files(ROOT, texts)
    for name in texts:
        print(f"wrote {name}")
    chosen = add_free_ports(ROOT, args.stack)
    for key, value in chosen.items():
        said = f"has port {value['port']}" if isinstance(value, dict) and "port" in value else f"is {value}"
        print(f"something on this machine has the usual port: {key} {said} here")
    where = f", in the network {place.network}" if place.network else ", a process of the host" if place.keys else ""
    print(f"service {place.name}{where}; read the files, then: make up STACK={args.stack}")
    return FINE
