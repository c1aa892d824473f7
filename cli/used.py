"""What containers of others use of a stack on an engine, which lets go of nothing that is in use."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import docker
from docker.models.containers import Container
from docker.models.networks import Network

from model.naming import LABEL


def list_uses(client: docker.DockerClient, stack: str, *, data: bool) -> list[str]:
    """What others use of a stack, as sentences that say what to do.

    Args:
        client: the engine.
        stack: the stack that is to be removed.
        data: whether its data volumes are to go as well.
    """
    selector: dict[str, Any] = {"label": f"{LABEL}.stack={stack}"}
    own = {str(container.id) for container in client.containers.list(all=True, filters=selector)}
    said = [_describe_network(network, own) for network in client.networks.list(filters=selector)]
    for volume in client.volumes.list(filters=selector):
        if data or not str(volume.name).endswith("-data"):
            users: list[Container] = client.containers.list(all=True, filters={"volume": volume.name})
            said.append(_describe_volume(str(volume.name), (user for user in users if str(user.id) not in own)))
    return sorted(line for lines in said for line in lines)


def _describe_network(network: Network, own: Iterable[str]) -> Iterator[str]:
    for name in sorted(_list_members(network, own)):
        yield f"{name}, which is not part of it, is in its network: docker network disconnect {network.name} {name}"


def _describe_volume(volume: str, users: Iterable[Container]) -> Iterator[str]:
    for user in users:
        yield f"{user.name}, which is not part of it, uses its volume {volume}: docker rm {user.name}"


def _list_members(network: Network, own: Iterable[str]) -> list[str]:
    network.reload()  # a list of networks does not name who is in them
    members = (network.attrs.get("Containers") or {}).items()
    return [str(member["Name"]) for key, member in members if key not in own]


def explain_stuck(client: docker.DockerClient, stack: str) -> list[str]:
    """Why the network of a stack may still be there after a run that was to remove it, as sentences.

    An engine can count an endpoint whose container is gone; it then refuses to remove the network until it is started
    anew.
    """
    empty = [
        network
        for network in client.networks.list(filters={"label": f"{LABEL}.stack={stack}"})
        if not _list_members(network, ())
    ]
    return [
        f"the engine still has the network {network.name} although no container is in it: if it says of active"
        f" endpoints, restart the engine (systemctl restart docker), then make down STACK={stack} again"
        for network in empty
    ]
