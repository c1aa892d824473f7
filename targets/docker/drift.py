"""What an engine has of a stack, compared with what is declared: the same plain data that `register` registers.

Pure functions over `Reading`: nothing here talks to an engine.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import Any

from model.deviation import UP, Deviation, Drift, format_value
from model.workload import Workload
from targets.docker import manifests
from targets.docker.properties import PROPERTIES, UNKNOWN, Property, matches
from targets.docker.reading import Answer, Reading
from targets.docker.shared import Inputs, Late, Scope

MISSING, EXTRA = "missing", "not declared"
OF_VOLUMES = "a volume has it for its whole life: copy the data, remove the volume, make up"
"""Why `make up` does not change it: the provider would remove the volume with its data."""
UNSEEN = ("networks", "names in the network", "process limit")
"""Properties of containers that the provider (5.2.0) does not read back, and that change without a new container."""


@dataclass(frozen=True)
class Declared:
    """A stack's objects as an engine is asked for them, by kind and name, with what is known by now filled in."""

    networks: Mapping[str, Inputs]
    volumes: Mapping[str, Inputs]
    containers: Mapping[str, Inputs]
    references: Mapping[str, str]
    """The reference of each container's image, by the container's name."""


def declare_stack(scope: Scope, workloads: Sequence[Workload], reading: Reading) -> Declared:
    """Everything that a stack asks an engine for."""
    every = [manifests.build_stack_objects(scope), *(manifests.build_workload_objects(scope, w) for w in workloads)]
    known = partial(_resolve_late, scope, reading)
    made: dict[str, dict[str, Inputs]] = {"networks": {}, "volumes": {}, "containers": {}}
    references = {}
    for kind, items in chain.from_iterable(objects.items() for objects in every):
        for item in items:
            made[kind][item["name"]] = _fill_inputs({key: v for key, v in item.items() if key != "uploads"}, known)
            if "image" in item:
                references[item["name"]] = scope.build_reference(item["image"].name)
    return Declared(**made, references=references)


def _fill_inputs(value: Any, known: partial[str]) -> Any:
    if isinstance(value, Late):
        return value.fill(known(value))
    if isinstance(value, Mapping):
        return {key: _fill_inputs(inner, known) for key, inner in value.items()}
    return [_fill_inputs(inner, known) for inner in value] if isinstance(value, list) else value


def _resolve_late(scope: Scope, reading: Reading, late: Late) -> str:
    if late.kind in ("volume", "network"):
        return late.name
    if late.kind == "network-id":
        return str(reading.networks.get(late.name, {}).get("Id", UNKNOWN))
    if late.kind == "container":
        return str(reading.containers.get(scope.name_resource(late.name), {}).get("Id", UNKNOWN))
    return UNKNOWN


def compare_stack(declared: Declared, reading: Reading, settings: Mapping[str, Answer]) -> Drift:
    """Everything that is not as declared.

    Args:
        declared: what the engine is asked for.
        reading: what it has.
        settings: what images give to containers, by the images' IDs.
    """
    blind = sorted(name for name, answer in reading.containers.items() if answer["Image"] not in settings)
    return Drift(
        deviations=(
            *_compare_containers(declared, reading, settings),
            *_compare_images(declared, reading),
            *_compare_networks(declared, reading),
            *_compare_volumes(declared, reading),
        ),
        unread=(
            *(f"container {number[:12]}: it was removed while it was looked at" for number in reading.gone),
            *(
                f"container {name}: its image is gone from the engine, so nobody knows whether command, environment,"
                " user, mounts and health check are as declared"
                for name in blind
                if name in declared.containers
            ),
        ),
        notes=tuple(
            f"volume {name}: no part of the stack uses it any more; its data stays until `docker volume rm {name}`"
            for name in sorted(reading.volumes.keys() - declared.volumes.keys())
        ),
    )


# -- containers --------------------------------------------------------------------------------------------------------


def _compare_containers(declared: Declared, reading: Reading, settings: Mapping[str, Answer]) -> Iterator[Deviation]:
    for name, inputs in sorted(declared.containers.items()):
        answer = reading.containers.get(name)
        if answer is None:
            yield Deviation(kind="container", name=name, what="presence", declared="there", running=MISSING)
            continue
        yield from _compare_state(name, inputs, answer)
        yield from compare_container(name, inputs, answer, settings.get(answer["Image"]))
    for name in sorted(reading.containers.keys() - declared.containers.keys()):
        state = f"there, {reading.containers[name]['State']['Status']}"
        yield Deviation(kind="container", name=name, what="presence", declared=EXTRA, running=state)


def _compare_state(name: str, inputs: Inputs, answer: Answer) -> Iterator[Deviation]:
    status, code = str(answer["State"]["Status"]), answer["State"].get("ExitCode") or 0
    state = f"{status} (exit status {code})" if status == "exited" else status
    if inputs.get("must_run") and status != "running":
        yield Deviation(kind="container", name=name, what="state", declared="running", running=state)
    elif inputs.get("attach") and (status != "exited" or code):
        yield Deviation(kind="container", name=name, what="state", declared="exited (exit status 0)", running=state)


def compare_container(name: str, inputs: Inputs, answer: Answer, image: Answer | None) -> Iterator[Deviation]:
    """Every property of a container that is not as declared; `image` is what its image gives, None where unknown."""
    for item in PROPERTIES:
        if image is None and item.of_image:
            continue
        declared, running = item.declared(inputs, image or {}), item.running(answer, image or {})
        if declared is None:
            continue
        if isinstance(declared, dict):
            yield from _compare_mappings(name, item, declared, running)
        elif not matches(declared, running):
            yield _build_deviation("container", name, item.name, declared, running)


def _compare_mappings(
    name: str, item: Property, declared: Mapping[str, Any], running: Mapping[str, Any]
) -> Iterator[Deviation]:
    for key, value in sorted(declared.items()):
        if key not in running:
            yield _build_deviation("container", name, f"{item.name} {key}", value, MISSING)
        elif not matches(value, running[key]):
            yield _build_deviation("container", name, f"{item.name} {key}", value, running[key])
    for key in () if item.open_ended else sorted(running.keys() - declared.keys()):
        # without the value: what people put into an environment may be a secret
        yield _build_deviation("container", name, f"{item.name} {key}", EXTRA, "there")


def _build_deviation(kind: str, name: str, what: str, declared: Any, running: Any, *, repair: str = UP) -> Deviation:
    shown = format_value(declared).replace(UNKNOWN, "…")
    return Deviation(
        kind=kind,
        name=name,
        what=what.replace(UNKNOWN, "…"),
        declared=shown,
        running=format_value(running),
        repair=repair,
    )


# -- images ------------------------------------------------------------------------------------------------------------


def list_moved_images(declared: Declared, reading: Reading) -> dict[str, str]:
    """References that mean another image than the one their containers were made of, with that one's ID.

    It has lost its name: a version that was replaced by another one keeps a name of its own in the same repository.
    """
    named = {(_get_repository(name), number) for name, number in reading.images.items() if "@" not in name}
    moved = {}
    for name, reference in sorted(declared.references.items()):
        answer, current = reading.containers.get(name), reading.find_image(reference)
        ours = answer is not None and str(answer["Config"].get("Image")).startswith("sha256:")
        if answer is None or not ours or current in ("", answer["Image"]):
            continue
        if (_get_repository(reference), answer["Image"]) not in named:
            moved[reference] = str(answer["Image"])
    return moved


def _get_repository(name: str) -> str:
    return name.rpartition(":")[0]


def _compare_images(declared: Declared, reading: Reading) -> Iterator[Deviation]:
    moved = list_moved_images(declared, reading)
    for reference in sorted(set(declared.references.values())):
        current = reading.find_image(reference)
        if not current:
            yield Deviation(kind="image", name=reference, what="presence", declared="there", running=MISSING)
        elif reference in moved:
            yield _build_deviation("image", reference, "what its name means", moved[reference], current)
    names = {number: name for name, number in sorted(reading.images.items(), reverse=True) if "@" not in name}
    for name, reference in sorted(declared.references.items()):
        answer, current = reading.containers.get(name), reading.find_image(reference)
        if answer is not None and current and reference not in moved and answer["Image"] != current:
            runs = names.get(answer["Image"], answer["Image"])
            yield _build_deviation("container", name, "image", reference, runs)


# -- networks and volumes ----------------------------------------------------------------------------------------------


def _compare_networks(declared: Declared, reading: Reading) -> Iterator[Deviation]:
    for name, inputs in sorted(declared.networks.items()):
        answer = reading.networks.get(name)
        if answer is None:
            yield Deviation(kind="network", name=name, what="presence", declared="there", running=MISSING)
            continue
        for key in ("Internal", "Attachable"):
            if answer.get(key):
                yield _build_deviation("network", name, key.lower(), False, True)
        yield from _compare_basics("network", name, inputs, answer, UP)
    for name in sorted(reading.networks.keys() - declared.networks.keys()):
        yield Deviation(kind="network", name=name, what="presence", declared=EXTRA, running="there")


def _compare_volumes(declared: Declared, reading: Reading) -> Iterator[Deviation]:
    for name, inputs in sorted(declared.volumes.items()):
        answer = reading.volumes.get(name)
        if answer is None:
            yield Deviation(kind="volume", name=name, what="presence", declared="there", running=MISSING)
            continue
        yield from _compare_basics("volume", name, inputs, answer, OF_VOLUMES)
        if options := answer.get("Options"):
            yield _build_deviation("volume", name, "options", {}, sorted(options), repair=OF_VOLUMES)


def _compare_basics(kind: str, name: str, inputs: Inputs, answer: Answer, repair: str) -> Iterator[Deviation]:
    if answer.get("Driver") != inputs["driver"]:
        yield _build_deviation(kind, name, "driver", inputs["driver"], answer.get("Driver"), repair=repair)
    labels = answer.get("Labels") or {}
    for key in sorted(inputs["labels"].keys() | labels.keys()):
        if inputs["labels"].get(key) != labels.get(key):
            values = (inputs["labels"].get(key, EXTRA), labels.get(key, MISSING))
            yield _build_deviation(kind, name, f"label {key}", *values, repair=repair)


# -- what a run has to help with ---------------------------------------------------------------------------------------


def list_unseen(drift: Drift) -> list[str]:
    """Names of containers that Pulumi has to make again, as it does not see what was changed."""
    every = (item.name for item in drift.deviations if item.kind == "container" and item.what.startswith(UNSEEN))
    return list(dict.fromkeys(every))
