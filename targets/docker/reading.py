"""All that a Docker engine has of a stack, read in one go and as the engine itself says it.

Answers: https://docs.docker.com/reference/api/engine/version/v1.41/#tag/Container/operation/ContainerInspect.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import docker
from docker.errors import ImageNotFound, NotFound

from model.naming import LABEL

Answer = Mapping[str, Any]
_AT_ONCE = 8
"""Containers and images that are inspected at the same time."""


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What an engine has of a stack.

    Attributes:
        engine: the engine's ID.
        containers: those of the stack, running or not, by name.
        networks: the stack's, by name.
        volumes: the stack's, by name.
        images: the ID that each name of an image means, of all images on the engine.
        gone: IDs of containers that were removed while they were read.
    """

    engine: str = ""
    containers: Mapping[str, Answer] = field(default_factory=dict)
    networks: Mapping[str, Answer] = field(default_factory=dict)
    volumes: Mapping[str, Answer] = field(default_factory=dict)
    images: Mapping[str, str] = field(default_factory=dict)
    gone: tuple[str, ...] = ()

    def find_image(self, reference: str) -> str:
        """The ID of the image that a reference means now; empty where the engine has none.

        One with a digest is known by that alone: a tag beside it is not looked at by engines either.
        """
        name, at, digest = reference.partition("@")
        return self.images.get(f"{name.rpartition(':')[0]}@{digest}" if at else name, "")


def read_engine(client: docker.DockerClient, stack: str) -> Reading:
    """Reads containers, networks and volumes of a stack, and what names of images mean.

    Raises:
        docker.errors.DockerException: the engine does not answer.
    """
    label = {"label": f"{LABEL}.stack={stack}"}
    ids = sorted(str(item["Id"]) for item in client.api.containers(all=True, filters=label))
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        answers = dict(zip(ids, pool.map(lambda number: _inspect_container(client, number), ids), strict=True))
    networks = [client.api.inspect_network(item["Id"]) for item in client.api.networks(filters=label)]
    return Reading(
        engine=str(client.info().get("ID")),
        containers={str(item["Name"]).removeprefix("/"): item for item in answers.values() if item},
        networks={str(item["Name"]): item for item in networks},
        volumes={str(item["Name"]): item for item in client.api.volumes(filters=label)["Volumes"] or ()},
        images={
            name: str(item["Id"])
            for item in client.api.images()
            for name in (*(item.get("RepoTags") or ()), *(item.get("RepoDigests") or ()))
        },
        gone=tuple(number for number, item in answers.items() if not item),
    )


def _inspect_container(client: docker.DockerClient, number: str) -> Answer | None:
    try:
        answer: Answer = client.api.inspect_container(number)
    except NotFound:
        return None
    return answer


def read_image_settings(client: docker.DockerClient, numbers: Iterable[str]) -> dict[str, Answer]:
    """What images give to containers that say nothing else (`Config`), by the images' IDs; without those that are gone.

    Raises:
        docker.errors.DockerException: the engine does not answer.
    """
    wanted = sorted(set(numbers))
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        answers = zip(wanted, pool.map(lambda number: _inspect_image(client, number), wanted), strict=True)
    return {number: answer for number, answer in answers if answer is not None}


def _inspect_image(client: docker.DockerClient, number: str) -> Answer | None:
    api: Any = client.api  # this call has no types in the SDK
    try:
        return dict(api.inspect_image(number).get("Config") or {})
    except ImageNotFound:
        return None
