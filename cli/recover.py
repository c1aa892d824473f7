"""Makes the next run possible after one that was killed, and repeats deliveries that failed.

A killed run can leave a lock in the file backend, resources that exist on the engine but not in the state, and
half-made ones. All of ours carry a label, so what the state does not know can be removed safely; data volumes are
adopted by name and never removed here.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from typing import Any

import docker
from docker.errors import DockerException
from docker.models.containers import Container
from docker.models.networks import Network
from docker.models.volumes import Volume

from cli import locks, runs
from cli.workspace import Workspace
from model.errors import ConfigError, Problem
from model.naming import LABEL
from targets.docker.reading import Reading

CONTAINER = "docker:index/container:Container"
REVISION = "REVISION="
"""What the variable of a delivery with its documents' revision begins with; see `targets.docker.delivery`."""


def list_known_ids(state: Mapping[str, Any]) -> set[str]:
    """Identifiers of everything in a stack's exported state."""
    return {str(r["id"]) for r in _list_resources(state) if r.get("id")}


def list_unfinished(state: Mapping[str, Any]) -> list[str]:
    """URNs of what must be made again although its inputs are the same.

    These are one-shot containers that ended with an error or whose answer did not arrive, and resources whose creation
    failed half-way: Pulumi keeps all of them in the state and would call them unchanged.
    """
    return [str(r["urn"]) for r in _list_resources(state) if r.get("initErrors") or _has_failed(r)]


def list_container_urns(state: Mapping[str, Any], names: Collection[str]) -> list[str]:
    """URNs of the containers of these names."""
    containers = (r for r in _list_resources(state) if r.get("type") == CONTAINER)
    return [str(r["urn"]) for r in containers if r.get("outputs", {}).get("name") in names]


def find_revision(state: Mapping[str, Any], name: str) -> str:
    """The revision of documents that a container of this name has delivered; empty where the state has none."""
    containers = (r for r in _list_resources(state) if r.get("type") == CONTAINER)
    own = (r.get("inputs") or {} for r in containers if (r.get("outputs") or {}).get("name") == name)
    values = (str(value) for inputs in own for value in inputs.get("envs") or ())
    return next((value.removeprefix(REVISION) for value in values if value.startswith(REVISION)), "")


def _has_failed(resource: Mapping[str, Any]) -> bool:
    outputs = resource.get("outputs", {})
    if resource.get("type") != CONTAINER or not outputs.get("attach"):
        return False
    # one answers by what it prints, which is lost where the engine is slow to hand it on
    silent = str(outputs.get("name", "")).endswith("-tools") and not outputs.get("containerLogs")
    return bool(outputs.get("exitCode")) or silent


def has_pending(state: Mapping[str, Any]) -> bool:
    """Whether a run was interrupted while it created something."""
    return bool(state.get("deployment", {}).get("pending_operations"))


def _list_resources(state: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    return list(state.get("deployment", {}).get("resources") or [])


def list_engine_resources(client: docker.DockerClient, stack: str) -> tuple[list[Container], list[Network]]:
    """The containers and networks of the stack that are on the engine."""
    selector: dict[str, Any] = {"label": f"{LABEL}.stack={stack}"}
    return client.containers.list(all=True, filters=selector), client.networks.list(filters=selector)


def remove_orphans(containers: Iterable[Container], networks: Iterable[Network], known: set[str]) -> list[str]:
    """Removes those that the state does not know. Returns their names."""
    removed = []
    for container in containers:
        if container.id not in known:
            container.stop(timeout=30)
            container.remove(force=True)
            removed.append(str(container.name))
    for network in networks:
        if network.id not in known:
            network.reload()
            for number in network.attrs.get("Containers") or ():  # an engine removes none that somebody is in
                network.disconnect(number, force=True)
            network.remove()
            removed.append(str(network.name))
    return removed


def list_running(containers: Iterable[Container]) -> list[str]:
    """Names of the services among a stack's containers that run."""
    return [str(c.name) for c in containers if c.status == "running" and c.labels.get(f"{LABEL}.role") == "service"]


def refuse_foreign(space: Workspace, running: Collection[str]) -> None:
    """Nothing, unless parts of the stack run of which its state knows none: it was deployed from another place.

    A run that was killed does not leave that: Pulumi stores what it makes as it goes, and first what the parts need.

    Raises:
        ConfigError: they do. What runs is not touched.
    """
    if running:
        where = space.backend or "the backend of your login"
        message = (
            f"{len(running)} of its parts run ({', '.join(sorted(running)[:3])}, …), and {where} knows none of them:"
            " they were deployed by way of another backend. Use that one (unset PULUMI_BACKEND_URL, or set it), or move"
            f" its state here: make state-move STACK={space.stack}. If nobody has that state any more, remove what"
            f" runs first; it has the label {LABEL}.stack={space.stack}"
        )
        raise ConfigError([Problem(f"stack {space.stack}", message)])


def restore_engine(client: docker.DockerClient, reading: Reading, moved: Mapping[str, str]) -> list[str]:
    """Puts right what Pulumi takes as it is: to the provider (5.2.0) a paused container runs, and a name is its image.

    Args:
        client: the stack's engine.
        reading: what it has.
        moved: see `targets.docker.drift.list_moved_images`.

    Returns what was done, as sentences.
    """
    done = []
    for name, answer in sorted(reading.containers.items()):
        if answer["State"].get("Paused"):
            client.api.unpause(answer["Id"])
            done.append(f"let {name} run again, which was paused")
    for reference, number in sorted(moved.items()):
        try:
            client.images.pull(reference)
            done.append(f"pulled {reference} again: its name meant another image than containers were made of")
        except DockerException as error:
            done.append(f"{reference} means another image than {number}, and cannot be pulled again: {error}")
    return done


def list_volumes(client: docker.DockerClient, stack: str) -> list[Volume]:
    """Volumes of the stack that are still on the engine."""
    return sorted(client.volumes.list(filters={"label": f"{LABEL}.stack={stack}"}), key=lambda v: str(v.name))


def recover_stack(space: Workspace, client: docker.DockerClient | None, pods: Collection[str] = ()) -> list[str]:
    """Everything that must happen before a run. Returns what was done, as sentences.

    Args:
        space: the stack's workspace.
        client: its Docker engine, or None where the stack is not on one.
        pods: names of its pods, where it is on a cluster.

    Raises:
        ConfigError: what runs was deployed by way of another backend.
        LockedError: another run changes the stack at this moment; nothing was done.
    """
    done = []
    if left := runs.end_abandoned(space.key):
        done.append(f"ended what a killed run left running: {', '.join(left)}")
    if locks.remove_stale_locks(space.backend, space.stack):
        done.append("removed the lock of a run that is no longer alive")
    # Looked at before the state: what another run makes after that is not in these lists, and what it is making then
    # is pending in the state, which cannot be written while that run lives.
    resources = list_engine_resources(client, space.stack) if client is not None else ([], [])
    state = space.export_state()
    known = list_known_ids(state)
    if not any(container.id in known for container in resources[0]):
        refuse_foreign(space, list_running(resources[0]))
    if pods and not any(str(item.get("type", "")).startswith("kubernetes:") for item in _list_resources(state)):
        refuse_foreign(space, pods)
    if has_pending(state):
        state["deployment"]["pending_operations"] = []
        path = space.memory / ".recovered-state.json"
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.write_text(json.dumps(state), encoding="utf-8")
        space.run_pulumi("stack", "import", "--stack", space.stack, "--file", str(path), capture=True)
        path.unlink()
        done.append("cleared the operations that an interrupted run left pending")
    if removed := remove_orphans(*resources, known):
        done.append(f"removed what an interrupted run left on the engine: {', '.join(sorted(removed))}")
    return done
