"""Whether what a stack has on its engine is as the last successful run left it.

Pulumi reads every resource back before each run, one by one through the provider, which takes most of a run that
changes nothing. Where the engine's own answers are the same as after that run, to the last field that anybody could
have changed, that reading would find nothing, and is left out.

Answers: https://docs.docker.com/reference/api/engine/version/v1.41/#tag/Container/operation/ContainerInspect.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import docker
from docker.errors import NotFound

from model.naming import LABEL

FILE = "engine.json"
"""Beside the working copy of the stack's files: what the engine had after the last successful run from this machine."""
UNCHANGED = "the engine has all as the last run left it, so nothing is read back (`make refresh` does it)"
"""What people are shown where that is so."""
_AT_ONCE = 8
"""Containers that are inspected at the same time."""
_STATE = ("Status", "Running", "Paused", "Dead", "ExitCode")
"""Of a container's state; the rest changes by itself."""
_ENDPOINT = ("NetworkID", "Aliases", "IPAMConfig", "Links")
"""Of a container's place in a network; addresses change with each start."""


def read_digest(client: docker.DockerClient, stack: str, references: Collection[str]) -> str:
    """SHA-256 over all that an engine has of a stack: containers, volumes, networks, and what its images' names mean.

    Args:
        references: names of the images that the stack runs.

    Raises:
        docker.errors.DockerException: the engine does not answer.
    """
    label = {"label": f"{LABEL}.stack={stack}"}
    ids = sorted(str(item["Id"]) for item in client.api.containers(all=True, filters=label))
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        containers = list(pool.map(lambda number: _describe_container(client, number), ids))
    networks = [client.api.inspect_network(item["Id"]) for item in client.api.networks(filters=label)]
    content = {
        "engine": client.info().get("ID"),
        "containers": containers,
        "volumes": _sort_by_name(
            {**item, "CreatedAt": None}  # moves with what is written; one made anew has containers made anew
            for item in client.api.volumes(filters=label)["Volumes"] or ()
        ),
        "networks": _sort_by_name({**item, "Containers": None} for item in networks),
        "images": sorted(
            (name, item["Id"])
            for item in client.api.images()
            for name in item.get("RepoTags") or ()
            if name in references
        ),
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()


def _describe_container(client: docker.DockerClient, number: str) -> Any:
    try:
        answer = client.api.inspect_container(number)
    except NotFound:
        return number
    endpoints = (answer["NetworkSettings"].get("Networks") or {}).items()
    return {
        **{key: answer.get(key) for key in ("Id", "Name", "Image", "Config", "HostConfig")},
        "Mounts": sorted(answer.get("Mounts") or (), key=lambda mount: str(mount["Destination"])),  # in no order
        "State": {key: answer["State"].get(key) for key in _STATE},
        "Networks": {name: {key: place.get(key) for key in _ENDPOINT} for name, place in endpoints},
    }


def _sort_by_name(items: Any) -> list[Mapping[str, Any]]:
    return sorted(items, key=lambda item: str(item["Name"]))


def write_digest(folder: Path, digest: str) -> None:
    """Remembers what the engine has after a run that ended well."""
    (folder / FILE).write_text(json.dumps({"digest": digest}), encoding="utf-8")


def drop_digest(folder: Path) -> None:
    """Before a run that may change something: if it is killed, the next one reads everything back."""
    (folder / FILE).unlink(missing_ok=True)


def list_refresh_arguments(folder: Path, digest: str) -> tuple[str, ...]:
    """Pulumi's arguments about reading resources back: not to, where it would find nothing.

    Args:
        folder: the stack's working directory.
        digest: of what the engine has now; empty where that is not known.
    """
    return ("--refresh=false",) if digest and digest == _read_digest(folder) else ()


def _read_digest(folder: Path) -> str:
    try:
        return str(json.loads((folder / FILE).read_text(encoding="utf-8"))["digest"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""
