"""Everything of a stack on a Docker engine as plain data: what `register` registers and `make render` writes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from model.workload import Workload
from targets.docker import containers, delivery
from targets.docker.shared import Inputs, Late, Scope, show


def of_stack(scope: Scope) -> dict[str, list[Inputs]]:
    """The networks, volumes and containers that belong to no workload alone."""
    return {
        "networks": [containers.network(scope)],
        "volumes": [containers.volume(scope, "tools")],
        "containers": [containers.tools(scope)],
    }


def of_workload(scope: Scope, workload: Workload) -> dict[str, list[Inputs]]:
    """A workload's volumes and containers, in the order in which they are made; a volume with `retain` may stay."""
    return {
        "volumes": [{**inputs, "retain": retain} for inputs, retain in volumes(scope, workload)],
        "containers": [*one_shots(scope, workload), containers.container(scope, workload)],
    }


def volumes(scope: Scope, workload: Workload) -> Iterator[tuple[Inputs, bool]]:
    """Each volume of a workload, and whether it stays when the stack is removed: those for delivery never do."""
    for volume in workload.volumes:
        yield containers.volume(scope, volume.name), volume.retain
    if workload.secrets:
        yield containers.volume(scope, f"{workload.name}-secrets"), False
    if delivery.delivers(workload):
        yield containers.volume(scope, f"{workload.name}-config"), False


def one_shots(scope: Scope, workload: Workload) -> Iterator[Inputs]:
    """The containers that bring a workload its secrets and documents, before its own one."""
    if workload.secrets:
        yield delivery.secrets(scope, workload)
    if delivery.delivers(workload):
        yield delivery.configure(scope, workload)


def describe(made: Mapping[str, list[Inputs]], workload: Workload | None = None) -> dict[str, Any]:
    """Inputs for people: documents by name alone, as they are files of their own, and no digest of all of them."""
    revision = workload.config.compute_revision() if workload and workload.config else ""
    return {kind: [_without(_described(inputs), revision) for inputs in items] for kind, items in made.items()}


def _described(inputs: Inputs) -> Inputs:
    uploads = [
        upload if isinstance(upload["content"], Late) else upload["file"] for upload in inputs.get("uploads", ())
    ]
    described: Inputs = show({**inputs, **({"uploads": uploads} if uploads else {})})
    return described


def _without(value: Any, revision: str) -> Any:
    if not revision:
        return value
    if isinstance(value, str):
        return value.replace(revision, "${revision}")
    if isinstance(value, Mapping):
        return {key: _without(inner, revision) for key, inner in value.items()}
    return [_without(inner, revision) for inner in value] if isinstance(value, list) else value
