"""Makes the next run possible after one that was killed, and repeats deliveries that failed.

A killed run can leave a lock in the file backend, resources that exist on the engine but not in the state, and
half-made ones. All of ours carry a label, so what the state does not know can be removed safely; data volumes are
adopted by name and never removed here.
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import docker
from docker.models.volumes import Volume

from model.naming import LABEL
from ops.workspace import Workspace

CONTAINER = "docker:index/container:Container"


def stale_locks(space: Workspace) -> list[Path]:
    """Locks of the file backend whose process is gone from this machine."""
    url = urlparse(space.env.get("PULUMI_BACKEND_URL", ""))
    if url.scheme != "file":
        return []
    found = []
    for path in Path(url.path).glob(f".pulumi/locks/**/{space.stack}/*.json"):
        try:
            lock = json.loads(path.read_text(encoding="utf-8"))
        except ValueError:  # the run was killed while it wrote the lock
            found.append(path)
            continue
        if lock.get("hostname") == socket.gethostname() and not _alive(int(lock.get("pid", 0))):
            found.append(path)
    return found


def _alive(pid: int) -> bool:
    """Whether a process runs. One that was killed and that nobody has waited for yet has a number, but does not."""
    try:
        os.kill(pid, 0)
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except ProcessLookupError:
        return False
    except OSError:  # somebody else's process, or no /proc on this system
        return True
    return state not in "ZX"


def known_ids(state: Mapping[str, Any]) -> set[str]:
    """Identifiers of everything in a stack's exported state."""
    return {str(r["id"]) for r in _resources(state) if r.get("id")}


def unfinished(state: Mapping[str, Any]) -> list[str]:
    """URNs of what must be made again although its inputs are the same.

    These are one-shot containers that ended with an error, and resources whose creation failed half-way: Pulumi keeps
    both in the state and would call them unchanged.
    """
    return [str(r["urn"]) for r in _resources(state) if r.get("initErrors") or _failed(r)]


def containers_of(state: Mapping[str, Any], names: Collection[str]) -> list[str]:
    """URNs of the containers of these names."""
    found = (r for r in _resources(state) if r.get("type") == CONTAINER)
    return [str(r["urn"]) for r in found if r.get("outputs", {}).get("name") in names]


def _failed(resource: Mapping[str, Any]) -> bool:
    outputs = resource.get("outputs", {})
    return resource.get("type") == CONTAINER and bool(outputs.get("attach") and outputs.get("exitCode"))


def pending(state: Mapping[str, Any]) -> bool:
    """Whether a run was interrupted while it created something."""
    return bool(state.get("deployment", {}).get("pending_operations"))


def _resources(state: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    return list(state.get("deployment", {}).get("resources") or [])


def remove_orphans(client: docker.DockerClient, stack: str, known: set[str]) -> list[str]:
    """Removes containers and networks of the stack that its state does not know. Returns their names."""
    selector: dict[str, Any] = {"label": f"{LABEL}.stack={stack}"}
    removed = []
    for container in client.containers.list(all=True, filters=selector):
        if container.id not in known:
            container.stop(timeout=30)
            container.remove(force=True)
            removed.append(str(container.name))
    for network in client.networks.list(filters=selector):
        if network.id not in known:
            network.remove()
            removed.append(str(network.name))
    return removed


def remaining_volumes(client: docker.DockerClient, stack: str) -> list[Volume]:
    """Volumes of the stack that are still on the engine."""
    return sorted(client.volumes.list(filters={"label": f"{LABEL}.stack={stack}"}), key=lambda v: str(v.name))


def recover(space: Workspace, client: docker.DockerClient | None) -> list[str]:
    """Everything that must happen before a run. Returns what was done, as sentences.

    Args:
        space: the stack's workspace.
        client: its Docker engine, or None where the stack is not on one.
    """
    done = []
    if locks := stale_locks(space):
        for lock in locks:
            lock.unlink(missing_ok=True)
        done.append("removed the lock of a run that is no longer alive")
    state = space.export()
    if pending(state):
        state["deployment"]["pending_operations"] = []
        path = space.directory / ".recovered-state.json"
        path.write_text(json.dumps(state), encoding="utf-8")
        space.pulumi("stack", "import", "--stack", space.stack, "--file", str(path), capture=True)
        path.unlink()
        done.append("cleared the operations that an interrupted run left pending")
    if client is not None:
        removed = remove_orphans(client, space.stack, known_ids(state))
        if removed:
            done.append(f"removed what an interrupted run left on the engine: {', '.join(sorted(removed))}")
    return done
