"""Host ports of a plan that somebody else has already: the engine would find out half-way through a deployment.

Source: https://docs.docker.com/reference/api/engine/version/v1.41/#tag/Container/operation/ContainerList (Ports)
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from model.host_ports import list_host_ports, locate_host_port
from model.naming import LABEL
from model.plan import Plan
from model.workload import Port

EVERY = ("", "::", "0.0.0.0")  # noqa: S104 - what engines say of a port that is open on every address


def check_host_ports(plan: Plan, containers: Sequence[Mapping[str, Any]], *, local: bool) -> list[str]:
    """The wanted ports that others have, as sentences that name the key.

    Args:
        plan: what is to be deployed.
        containers: the engine's containers as its list describes them.
        local: whether the engine's host is this machine, whose other processes may have a port too.
    """
    mine = [item for item in containers if (item.get("Labels") or {}).get(f"{LABEL}.stack") == plan.stack]
    theirs = [item for item in containers if item not in mine]
    own = {number for _, number, _ in _list_published_ports(mine)}
    return [
        f"{_locate(plan, component, port)}: host port {port.publish} on {port.bind} is taken by {who};"
        " give another port there, or end that"
        for component, _, port in list_host_ports(plan.workloads)
        if (who := _find_owner(port, theirs) or (local and port.publish not in own and _find_process(port)))
    ]


def _locate(plan: Plan, component: str, port: Port) -> str:
    return locate_host_port(plan.stack, plan.sections[component], plan.system, component, port.publish or 0)


def _list_published_ports(containers: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, int, str]]:
    """Address, port and container of everything that is published."""
    for item in containers:
        name = str((item.get("Names") or ["?"])[0]).lstrip("/")
        for port in item.get("Ports") or ():
            if "PublicPort" in port and port.get("Type", "tcp") == "tcp":
                yield str(port.get("IP", "")), int(port["PublicPort"]), name


def _find_owner(port: Port, containers: Sequence[Mapping[str, Any]]) -> str:
    for address, number, name in _list_published_ports(containers):
        if number == port.publish and (address == port.bind or {address, port.bind} & set(EVERY)):
            return f"the container {name}"
    return ""


def _find_process(port: Port) -> str:
    """Who else listens on this machine; nobody where that cannot be known."""
    family = socket.AF_INET6 if ":" in port.bind else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # connections of before that are still ending
        try:
            probe.bind((port.bind, port.publish or 0))
        except OSError as error:
            return "another process of this host" if error.errno == errno.EADDRINUSE else ""
    return ""
