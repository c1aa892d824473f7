"""What components share: limits and ports of workloads, and how HAProxy runs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from model.addresses import is_loopback
from model.base import parse_size
from model.checks.entry import TRAEFIK
from model.component import Planning
from model.naming import build_identity_labels, can_publish_ports
from model.settings import ComponentSettings
from model.workload import MIB, ConfigDir, Limits, Port

__all__ = [
    "build_haproxy_arguments",
    "build_heap_limit",
    "build_identity_labels",
    "build_limits",
    "open_port",
    "publish_port",
]


def build_limits(section: ComponentSettings, *, memory: int, cpus: float = 1.0, pids: int = 256) -> Limits:
    """The limits of a workload: those of its settings section, else the component's own (memory in MiB)."""
    size = parse_size(section.memory) if section.memory else memory * MIB
    return Limits(memory=size, cpus=section.cpus or cpus, pids=pids)


def build_heap_limit(limits: Limits, percent: int) -> dict[str, str]:
    """The environment of a program in Go whose heap stays within so many percent of its memory.

    Without it the heap may grow to twice what is used, beyond the limit: https://pkg.go.dev/runtime
    """
    return {"GOMEMLIMIT": f"{limits.memory * percent // 100 // MIB}MiB"}


def build_haproxy_arguments(config: str) -> dict[str, Any]:
    """How HAProxy runs with the text of a haproxy.cfg, as arguments of `Workload`; it reads that at its start alone."""
    program, folder, file = "/usr/local/sbin/haproxy", "/etc/haproxy", "haproxy.cfg"
    documents = ConfigDir(
        path=folder,
        files={file: config},
        restart_on=frozenset({file}),
        validate=(program, "-c", "-f", f"{{dir}}/{file}"),
    )
    arguments = ("-W", "-db", "-f", f"{folder}/{file}")
    return {"image": "haproxy", "entrypoint": (program,), "args": arguments, "config": documents}


def publish_port(
    context: Planning, component: str, number: int, *, name: str = "http", default: int | None = None
) -> Port:
    """A port of a workload, published where the environment, the system or the component (in this order) says."""
    section = context.sections[component]
    return open_port(
        context, component, number, name=name, host=section.port or context.system.ports.get(component) or default
    )


def open_port(
    context: Planning,
    component: str,
    number: int,
    *,
    name: str = "http",
    host: int | None = None,
    inbound: bool = False,
) -> Port:
    """A port of a workload, published on the port `host` of its host where the target publishes ports at all.

    What is not the entry point has no login in front of it: it stays on loopback unless the settings name it.
    """
    port = Port(number=number, name=name, inbound=inbound)
    if host is None or not can_publish_ports(context):
        return port
    return replace(port, publish=host, bind=find_bind_address(context, component))


def find_bind_address(context: Planning, component: str) -> str:
    """The address of the host that the ports of a component are opened on."""
    address = context.settings.docker.bind_address
    named = component == TRAEFIK or component in context.settings.access.ports
    return address if named or is_loopback(address) else "127.0.0.1"
