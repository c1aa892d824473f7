"""What a Docker engine replaces, and what it changes in place."""

from __future__ import annotations

from typing import Any

import pytest

from cli.changes.containers import STACK, compare_containers
from cli.changes.values import Change, Detail
from tests.support.yaml_files import write_yaml

SHARED = {"images": {"loki": "grafana/loki:1"}, "networks": [{"name": "dev-monitoring"}]}
CONTAINER = {
    "name": "dev-loki",
    "image": "${image loki}",
    "command": ["--target=all"],
    "memory": 512,
    "cpus": "1.0",
    "labels": {"io.observability.role": "service"},
}
VOLUME = {"name": "dev-loki-data", "driver": "local", "retain": True}


def documents(part: str = "loki", shared: Any = SHARED, volumes: Any = (VOLUME,), **inputs: Any) -> dict[str, str]:
    """An engine with one container, after its inputs were changed."""
    content = {"volumes": list(volumes), "containers": [{**CONTAINER, **inputs}]}
    return {STACK: write_yaml(shared), f"docker/{part}.yaml": write_yaml(content)}


def compare(after: dict[str, str], before: dict[str, str] | None = None) -> dict[str, Change]:
    """The changes by area and verb."""
    return {f"{item.area}: {item.verb}": item for item in compare_containers(before or documents(), after)}


@pytest.mark.parametrize("key", ["command", "user", "ports", "cpus", "mounts", "healthy"])
def test_most_inputs_force_a_new_container(key: str) -> None:
    """What is missing meanwhile is said, and the input with both values."""
    inputs: Any = {key: ["--target=read"]}
    change = compare(documents(**inputs))["downtime: is replaced"]
    assert change.subject == "loki" and change.note.startswith("Log lines")
    assert change.details[0].name.startswith("another limit" if key == "cpus" else key)


@pytest.mark.parametrize("key", ["memory", "restart", "healthcheck", "destroy_grace_seconds"])
def test_some_inputs_change_in_place(key: str) -> None:
    """Nothing is replaced for them."""
    inputs: Any = {key: 1024}
    changes = compare(documents(**inputs))
    assert changes and not any(name.startswith("downtime") for name in changes)
    notes = [item.note for item in changes.values() if "next replacement" in item.note]
    assert bool(notes) == (key == "healthcheck")


def test_memory_is_a_limit() -> None:
    """It is shown with its unit."""
    assert compare(documents(memory=1024))["resources: changes"].details == (Detail("memory", "512 MiB", "1024 MiB"),)


def test_an_image_replaces_its_containers() -> None:
    """Its reference stands in the stack's document; it is named as the reason."""
    changes = compare(documents(shared={**SHARED, "images": {"loki": "grafana/loki:2"}}))
    details = (Detail("image", "grafana/loki:1", "grafana/loki:2"),)
    assert changes["downtime: is replaced"].details == details


def test_what_is_read_at_the_start_is_a_reason() -> None:
    """A digest alone is no reason for people."""
    labels = {**CONTAINER["labels"], "io.observability.restart-digest": "1"}  # type: ignore[dict-item]
    change = compare(documents(labels=labels))["downtime: is replaced"]
    assert not change.details and "only at its start" in change.note


def test_what_starts_with_another_one_is_replaced_with_it() -> None:
    """Also by way of a third one."""

    def three(command: str) -> dict[str, str]:
        made = documents(command=[command])
        for name, other in (("proxy", "loki"), ("web", "proxy")):
            labels = {"io.observability.role": "service", f"io.observability.started-with.{other}": "${container x}"}
            made |= {f"docker/{name}.yaml": documents(name, volumes=(), labels=labels)[f"docker/{name}.yaml"]}
        return made

    changes = list(compare_containers(three("--a=1"), three("--a=2")))
    assert [item.subject for item in changes] == ["loki", "proxy", "web"]
    assert changes[2].details == (Detail("starts with proxy"),)


@pytest.mark.parametrize(
    ("volumes", "verb"),
    [
        ((), "is no longer used"),
        (({**VOLUME, "name": "dev-other"},), "is new"),
        (({**VOLUME, "driver": "nfs"},), "changes"),
    ],
)
def test_data_that_stay_behind_are_said(volumes: Any, verb: str) -> None:
    """A volume that is gone, has another name or another driver; one for delivery is none of data."""
    changes = compare(documents(volumes=volumes))
    assert f"data: {verb}" in changes
    assert not compare_data(documents(volumes=({**VOLUME, "retain": False},)), documents(volumes=()))


def compare_data(before: dict[str, str], after: dict[str, str]) -> list[Change]:
    """The changes of data."""
    return [item for item in compare_containers(before, after) if item.area == "data"]


def test_parts_come_and_go() -> None:
    """A new one has its image; one that is removed says what is missing from now on."""
    both = documents() | documents("jaeger", volumes=())
    new, gone = compare(both)["downtime: is new"], compare(documents(), both)["downtime: is removed"]
    assert new.subject == "jaeger" and new.details[0].after == "grafana/loki:1"
    assert gone.note == "Traces are neither stored nor searched any more."


def test_another_network_replaces_everything() -> None:
    """Each container is in it."""
    change = compare(documents(shared={**SHARED, "networks": [{"name": "x"}]}))["downtime: changes"]
    assert change.subject == "network" and "replaced" in change.note
