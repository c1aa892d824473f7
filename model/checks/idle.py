"""Settings of components that run nothing here, so that nothing could follow from them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from pydantic.alias_generators import to_camel

from model.errors import Problem
from model.places import locate_in_section
from model.telemetry import Telemetry
from model.workload import Workload

if TYPE_CHECKING:
    from model.component import Planning

OF_CONTAINERS = frozenset({"memory", "cpus", "port"})
"""Settings that every component has, about what it runs."""


def check_idle(
    context: Planning,
    parts: Mapping[str, Telemetry],
    idle: Mapping[str, Telemetry],
    ran: Mapping[str, Sequence[Workload]],
) -> list[Problem]:
    """What is said of components that run nothing for this system and environment, and ports that nothing publishes.

    Args:
        context: the stack and its sections.
        parts: what each component contributes that is switched on.
        idle: what each would contribute that is switched off.
        ran: what each wants to have running that is switched on.
    """
    result: list[Problem] = []
    for name, section in context.sections.items():
        field_names = section.model_fields_set
        if context.operator and name in parts and parts[name].datasources and not ran[name]:
            continue  # the operator runs it, and its settings are judged by that
        if name in parts:
            about = field_names - {"enabled"} if parts[name] == Telemetry() else field_names & OF_CONTAINERS
            result += _check_fields(
                context, name, sorted(about) if not ran[name] else _list_unpublished(section.port, ran[name])
            )
        elif name in idle and idle[name] == Telemetry() and "enabled" in field_names:
            result += _check_fields(context, name, ["enabled"])
    return result


def _list_unpublished(port: int | None, ran: Sequence[Workload]) -> list[str]:
    published = {port.publish for workload in ran for port in workload.ports}
    return ["port"] if port is not None and port not in published else []


def _check_fields(context: Planning, name: str, fields: Sequence[str]) -> Iterator[Problem]:
    for field in fields:
        message = f"has no effect, as nothing of {name} runs here that it could be about; leave it out"
        if field == "port":
            message = f"has no effect, as {name} has no port here that could be published alone; leave it out"
        yield Problem(locate_in_section(context.stack, name, to_camel(field)), message)
