"""Everything of a stack on a Docker engine as plain data: what `register` registers and `make render` writes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from model.workload import Workload
from targets.docker import containers, delivery
from targets.docker.shared import Inputs, Late, Scope, format_inputs


def build_stack_objects(scope: Scope) -> dict[str, list[Inputs]]:
    """The networks, volumes and containers that belong to no workload alone."""
    return {
        "networks": [containers.build_network(scope)],
        "volumes": [containers.build_volume(scope, "tools")],
        "containers": [containers.build_tools(scope)],
    }


def build_workload_objects(scope: Scope, workload: Workload) -> dict[str, list[Inputs]]:
    """A workload's volumes and containers, in the order in which they are made; a volume with `retain` may stay."""
    return {
        "volumes": [{**inputs, "retain": retain} for inputs, retain in build_volumes(scope, workload)],
        "containers": [*build_one_shots(scope, workload), containers.build_container(scope, workload)],
    }


def build_volumes(scope: Scope, workload: Workload) -> Iterator[tuple[Inputs, bool]]:
    """Each volume of a workload, and whether it stays when the stack is removed: those for delivery never do."""
    for volume in workload.volumes:
        yield containers.build_volume(scope, volume.name), volume.retain
    if workload.secrets:
        yield containers.build_volume(scope, f"{workload.name}-secrets"), False
    if delivery.needs_delivery(workload):
        yield containers.build_volume(scope, f"{workload.name}-config"), False


def build_one_shots(scope: Scope, workload: Workload) -> Iterator[Inputs]:
    """The containers that bring a workload its secrets and documents, before its own one."""
    if workload.secrets:
        yield delivery.build_secrets(scope, workload)
    if delivery.needs_delivery(workload):
        yield delivery.build_configure(scope, workload)


def describe_objects(objects: Mapping[str, list[Inputs]], workload: Workload | None = None) -> dict[str, Any]:
    """Inputs for people: documents by name alone, as they are files of their own, and no digest of all of them."""
    revision = workload.config.compute_revision() if workload and workload.config else ""
    return {
        kind: [_drop_revision(_describe_inputs(inputs, workload), revision) for inputs in items]
        for kind, items in objects.items()
    }


def _describe_inputs(inputs: Inputs, workload: Workload | None) -> Inputs:
    uploads = [_describe_upload(upload, workload) for upload in inputs.get("uploads", ())]
    described: Inputs = format_inputs({**inputs, **({"uploads": uploads} if uploads else {})})
    return described


def _describe_upload(upload: Inputs, workload: Workload | None) -> Inputs | str:
    if isinstance(upload["content"], Late):
        return upload
    if upload["file"] == delivery.DOCUMENTS and workload:
        return {"file": upload["file"], "documents": sorted(workload.config.files if workload.config else ())}
    return str(upload["file"])


def _drop_revision(value: Any, revision: str) -> Any:
    if not revision:
        return value
    if isinstance(value, str):
        return value.replace(revision, "${revision}")
    if isinstance(value, Mapping):
        return {key: _drop_revision(inner, revision) for key, inner in value.items()}
    return [_drop_revision(inner, revision) for inner in value] if isinstance(value, list) else value
