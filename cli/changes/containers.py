"""What a Docker engine does to the containers and volumes of a stack."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from cli.changes.parts import explain_absence
from cli.changes.values import (
    CHANGED,
    DATA,
    DOWNTIME,
    GONE,
    NEW,
    RESOURCES,
    SETTINGS,
    Change,
    Detail,
    Documents,
    compare_values,
    list_changed,
    parse_document,
)

FOLDER = "docker/"
STACK = "docker/stack.yaml"
IN_PLACE = frozenset(
    (
        "attach", "cpu_set", "cpu_shares", "destroy_grace_seconds", "healthcheck", "init", "logs", "max_retry_count",
        "memory", "memory_reservation", "memory_swap", "must_run", "remove_volumes", "restart", "rm", "start", "tmpfs",
        "wait", "wait_timeout",
    )
)  # fmt: skip
"""Inputs of a container that the provider changes without a new one; all others force it.

Source: ForceNew in internal/provider/resource_docker_container.go of terraform-provider-docker 4.5.
"""
_RECORDED = ("healthcheck", "init", "tmpfs")
"""Of these, those that it only notes down: the update function beside that table leaves the container as it is."""
_LIMITS = ("memory", "cpus", "ulimits")
_DIGESTS = ("labels.io.observability.restart-digest", "networks_advanced")
"""Inputs that only repeat that something else is another."""
_STARTED_WITH = "io.observability.started-with."
_ROLE = "io.observability.role"


@dataclass
class Engine:
    """What an engine is asked for: the service of each workload, its volumes, and what all of them share."""

    services: dict[str, dict[str, Any]] = field(default_factory=dict)
    volumes: dict[str, dict[str, Any]] = field(default_factory=dict)
    networks: Any = None

    @classmethod
    def read(cls, documents: Documents) -> Engine:
        """That of the documents of a stack; empty where it is planned for another platform."""
        made, shared = cls(), parse_document(documents.get(STACK, "")) or {}
        made.networks, images = shared.get("networks"), shared.get("images") or {}
        for path in list_changed(documents, {}, FOLDER):
            content, name = parse_document(documents[path]) or {}, path.removeprefix(FOLDER).removesuffix(".yaml")
            for container in content.get("containers") or () if path != STACK else ():
                if (container.get("labels") or {}).get(_ROLE) == "service":
                    made.services[name] = {**container, "image": _find_image(str(container.get("image")), images)}
            retained = [volume for volume in content.get("volumes") or () if volume.get("retain")]
            made.volumes |= {str(volume["name"]): {**volume, "part": name} for volume in retained}
        return made

    def find_starts_with(self, name: str) -> set[str]:
        """The workloads with which a workload is started anew."""
        labels = self.services.get(name, {}).get("labels") or {}
        return {key.removeprefix(_STARTED_WITH) for key in labels if key.startswith(_STARTED_WITH)}


def _find_image(text: str, images: Mapping[str, Any]) -> str:
    """The reference behind `${image NAME}`."""
    return str(images.get(text.removeprefix("${image ").removesuffix("}"), text))


def compare_containers(before: Documents, after: Documents) -> Iterator[Change]:
    """Data that stay behind, then what is replaced, removed or new, then limits and images."""
    if not list_changed(before, after, FOLDER):
        return
    old, new = Engine.read(before), Engine.read(after)
    yield from _compare_volumes(old, new)
    replaced = dict(_list_replaced(old, new))
    for name in sorted(old.services.keys() | new.services.keys()):
        yield from _compare_service(name, old.services.get(name), new.services.get(name), replaced.get(name))
    if old.networks != new.networks and old.services and new.services:
        note = "Every container is in it, so all of them are replaced."
        yield Change(DOWNTIME, CHANGED, "network", tuple(compare_values(old.networks, new.networks)), note)


def _compare_volumes(old: Engine, new: Engine) -> Iterator[Change]:
    for name, volume in sorted(old.volumes.items()):
        if name not in new.volumes:
            note = "Its data stay on the engine, and nothing reads them any more."
            yield Change(DATA, "is no longer used", f"volume {name} of {volume['part']}", (), note)
        elif volume != new.volumes[name]:
            note = "A volume cannot be changed: it would be made anew, and its data would not be in the new one."
            yield Change(DATA, CHANGED, f"volume {name}", tuple(compare_values(volume, new.volumes[name])), note)
    for name, volume in sorted(new.volumes.items()):
        if name not in old.volumes and volume["part"] in old.services:
            yield Change(DATA, NEW, f"volume {name} of {volume['part']}", (), "It begins empty.")


def _list_replaced(old: Engine, new: Engine) -> Iterator[tuple[str, tuple[Detail, ...]]]:
    """Each service that needs a new container, with what forces it; those that start with another one go with it."""
    made: dict[str, tuple[Detail, ...]] = {}
    for name in sorted(old.services.keys() & new.services.keys()):
        forced = [item for item in compare_values(old.services[name], new.services[name]) if not _is_in_place(item)]
        if forced:
            made[name] = tuple(
                Detail("another limit") if item.name.startswith(_LIMITS) else item
                for item in forced
                if not item.name.startswith(_DIGESTS)
            )
    waiting = old.services.keys() & new.services.keys() - made.keys()
    while more := {name for name in waiting if new.find_starts_with(name) & made.keys()}:
        waiting -= more
        made |= {name: (Detail(f"starts with {', '.join(sorted(new.find_starts_with(name)))}"),) for name in more}
    yield from made.items()


def _is_in_place(item: Detail) -> bool:
    return item.name.partition(".")[0].partition(" ")[0].partition("[")[0] in IN_PLACE


def _compare_service(
    name: str, old: Mapping[str, Any] | None, new: Mapping[str, Any] | None, forced: tuple[Detail, ...] | None
) -> Iterator[Change]:
    if old is None or new is None:
        there = new or old or {}
        details = (Detail("image", *((None, there["image"]) if new else (there["image"], None))),)
        yield Change(DOWNTIME, NEW if new else GONE, name, details, "" if new else _say_gone(name))
        return
    if forced is not None:
        reason = "" if forced else " It reads a changed document, or other mounts, only at its start."
        yield Change(DOWNTIME, "is replaced", name, forced, f"{explain_absence(name)}{reason}")
    if limits := tuple(item for item in compare_values(_list_limits(old), _list_limits(new))):
        yield Change(RESOURCES, CHANGED, f"limits of {name}", limits)
    rest = [item for item in compare_values(old, new) if _is_in_place(item) and not item.name.startswith("memory")]
    if rest and forced is None:
        late = any(item.name.startswith(_RECORDED) for item in rest)
        note = "The container has it from its next replacement on: the provider only notes it down." if late else ""
        yield Change(SETTINGS, "changes in place", name, tuple(rest), note)


def _say_gone(name: str) -> str:
    return f"{explain_absence(name).replace(' meanwhile', ' any more').partition(';')[0].rstrip('.')}."


def _list_limits(container: Mapping[str, Any]) -> dict[str, str]:
    made = {key: container[key] for key in _LIMITS if container.get(key)}
    units = {
        "memory": lambda value: f"{value} MiB",
        "ulimits": lambda value: ", ".join(_format_ulimit(u) for u in value),
    }
    return {key: units.get(key, str)(value) for key, value in made.items()}


def _format_ulimit(item: Mapping[str, Any]) -> str:
    return f"{item.get('name')} {item.get('hard')}"
