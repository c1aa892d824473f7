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
from pathlib import Path
from typing import Any

from targets.docker.reading import Reading

FILE = "engine.json"
"""Beside the working copy of the stack's files: what the engine had after the last successful run from this machine."""
UNCHANGED = "the engine has all as the last run left it, so nothing is read back (`make refresh` does it)"
"""What people are shown where that is so."""
_STATE = ("Status", "Running", "Paused", "Dead", "ExitCode")
"""Of a container's state; the rest changes by itself."""
_ENDPOINT = ("NetworkID", "Aliases", "IPAMConfig", "Links")
"""Of a container's place in a network; addresses change with each start."""


def compute_digest(reading: Reading, references: Collection[str]) -> str:
    """SHA-256 over all that an engine has of a stack: containers, volumes, networks, and what its images' names mean.

    Args:
        references: names of the images that the stack runs.
    """
    content = {
        "engine": reading.engine,
        "containers": [reading.gone, *sorted(map(_describe_container, reading.containers.values()), key=_get_id)],
        "volumes": [
            {**item, "CreatedAt": None}  # moves with what is written; one made anew has containers made anew
            for _, item in sorted(reading.volumes.items())
        ],
        "networks": [{**item, "Containers": None} for _, item in sorted(reading.networks.items())],
        "images": sorted((name, reading.find_image(name)) for name in references),
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()


def _get_id(container: Mapping[str, Any]) -> str:
    return str(container["Id"])


def _describe_container(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    endpoints = (answer["NetworkSettings"].get("Networks") or {}).items()
    return {
        **{key: answer.get(key) for key in ("Id", "Name", "Image", "Config", "HostConfig")},
        "Mounts": sorted(answer.get("Mounts") or (), key=lambda mount: str(mount["Destination"])),  # in no order
        "State": {key: answer["State"].get(key) for key in _STATE},
        "Networks": {name: {key: place.get(key) for key in _ENDPOINT} for name, place in endpoints},
    }


def write_digest(folder: Path, digest: str) -> None:
    """Remembers what the engine has after a run that ended well."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
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
