"""The ports of a host that a stack opens: where each is said, and which are wanted twice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from model.errors import Problem
from model.places import derive_section_key, locate_in_section, locate_in_system, locate_setting
from model.settings import ComponentSettings
from model.system import System
from model.workload import Port, Workload


def locate_host_port(stack: str, section: ComponentSettings, system: System, component: str, number: int) -> str:
    """The key that says that a component opens port `number` of its host, or that could say another one."""
    fields = type(section).model_fields
    ports = {name: field.alias or name for name, field in fields.items() if name == "port" or name.endswith("_port")}
    said = [key for name, key in ports.items() if getattr(section, name) == number]
    if not said and system.ports.get(component) == number:
        return locate_in_system(system.name, f"ports.{component}")
    if not said and len(ports) > 1:
        return locate_setting(stack, derive_section_key(component))
    return locate_in_section(stack, component, said[0] if said else "port")


def list_host_ports(workloads: Mapping[str, Sequence[Workload]]) -> Iterator[tuple[str, Workload, Port]]:
    """Component, workload and port of everything that opens a port of the host; `workloads` are by component."""
    for component, group in workloads.items():
        yield from ((component, item, port) for item in group for port in item.ports if port.publish is not None)


def withhold_ports(workloads: Mapping[str, Sequence[Workload]]) -> dict[str, tuple[Workload, ...]]:
    """The workloads, where ports that yield are published only if nobody else wants them; of several the first is."""
    taken = {port.publish for _, _, port in list_host_ports(workloads) if not port.yields}

    def withhold(port: Port) -> Port:
        if not port.yields or port.publish is None:
            return port
        if port.publish in taken:
            return replace(port, publish=None)
        taken.add(port.publish)
        return port

    return {
        name: tuple(replace(item, ports=tuple(map(withhold, item.ports))) for item in group)
        for name, group in workloads.items()
    }


def check_host_ports(
    stack: str,
    sections: Mapping[str, ComponentSettings],
    system: System,
    workloads: Mapping[str, Sequence[Workload]],
) -> list[Problem]:
    """Ports that several workloads want, each with the keys that say so.

    Args:
        stack: the stack's name.
        sections: the settings of components by name.
        system: the system, which may give components ports too.
        workloads: those of each component by its name.
    """
    users: dict[int, list[tuple[str, str]]] = {}
    for component, workload, port in list_host_ports(workloads):
        number = port.publish or 0
        place = locate_host_port(stack, sections[component], system, component, number)
        users.setdefault(number, []).append((workload.name, place))
    return [
        Problem(
            wanted[0][1],
            f"host port {number} is wanted by {' and '.join(name for name, _ in wanted)}: give each a port of its own"
            f" ({', '.join(dict.fromkeys(place for _, place in wanted))})",
        )
        for number, wanted in sorted((number, sorted(wanted)) for number, wanted in users.items())
        if len(wanted) > 1
    ]
