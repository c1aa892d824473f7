"""Tasks on a Docker engine: containers that run once, with files that travel through its API and are gone with them."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import PurePosixPath
from typing import Any

import docker
from docker.errors import APIError, DockerException, ImageNotFound, NotFound
from docker.models.containers import Container
from docker.types import Mount

from cli import verify
from cli.tasks import Say, Task, read_lines
from components.backup.settings import DATA_DIR, DOCUMENT, SCRATCH_DIR
from model.images import HELPER
from model.naming import LABEL, derive_user_id
from model.plan import Plan
from model.workload import Workload
from targets.docker.containers import build_volume
from targets.docker.shared import Scope

_WORK = f"{SCRATCH_DIR}/work"
_SECRETS = f"{SCRATCH_DIR}/secrets"
_BUSYBOX = "/bin/busybox"


class EngineTasks:
    """Tasks of a stack on an engine. See `Tasks`."""

    def __init__(self, client: docker.DockerClient, plan: Plan) -> None:
        self._client, self._plan = client, plan
        self._scope = Scope(stack=plan.stack, settings=plan.settings.docker, images=plan.images)

    def list_running(self) -> list[str]:
        """See `Tasks`."""
        return [str(container.name) for container in verify.list_services(self._client, self._plan.stack)]

    def list_volumes(self, agent: Workload) -> list[str]:
        """See `Tasks`."""
        return [self._scope.name_resource(volume.name) for volume in agent.shared_volumes]

    def list_content(self, agent: Workload, volume: str) -> list[str]:
        """See `Tasks`."""
        try:
            self._client.volumes.get(volume)
        except NotFound:
            return []
        lines: list[str] = []
        if self._run_busybox(agent, volume, ["ls", "-A", DATA_DIR], lines.append):
            raise RuntimeError(f"the volume {volume} cannot be looked into: {' '.join(lines)}")
        return lines

    def make_volume(self, agent: Workload, volume: str) -> None:
        """See `Tasks`. A new volume belongs to root, so its user is given it first, by a root that may do nothing else.

        Source: https://docs.docker.com/engine/storage/volumes/
        """
        own = next(each for each in agent.shared_volumes if self._scope.name_resource(each.name) == volume)
        self._client.volumes.create(**build_volume(self._scope, own.name))
        lines: list[str] = []
        owner = f"{self._find_owner(agent)}:{self._find_owner(agent)}"
        if self._run_busybox(agent, volume, ["chown", owner, DATA_DIR], lines.append, root=True):
            raise RuntimeError(f"the volume {volume} cannot be given to {owner}: {' '.join(lines)}")

    def run(self, item: Task, say: Say) -> int:
        """See `Tasks`."""
        agent, owner = item.agent, self._find_owner(item.agent)
        mounts = [_mount_volume(item.volume)] if item.volume else []
        binds = [Mount(at.path, at.source, type="bind", read_only=not at.writable) for at in agent.host_mounts]
        scratch = Mount(SCRATCH_DIR, None, type="volume")  # without a name, so it goes with the container
        made = {
            "command": list(item.command),
            "entrypoint": [],
            "user": f"{owner}:{owner}",
            "mounts": [*mounts, *binds, scratch],
            "network": self._find_network(agent),
            "mem_limit": agent.limits.memory,
        }
        with self._create(agent, self._scope.build_reference(agent.image), made) as container:
            container.put_archive(SCRATCH_DIR, build_archive(item, owner))
            return _run_to_end(container, say)

    def _run_busybox(self, agent: Workload, volume: str, command: list[str], say: Say, *, root: bool = False) -> int:
        owner = self._find_owner(agent)
        made = {
            "command": command,
            "entrypoint": [_BUSYBOX],
            "user": "0:0" if root else f"{owner}:{owner}",
            "mounts": [_mount_volume(volume)],
            "network_mode": "none",
            "mem_limit": "32m",
            **({"cap_add": ["CHOWN"]} if root else {}),
        }
        with self._create(agent, self._scope.build_reference(HELPER), made) as container:
            return _run_to_end(container, say)

    @contextmanager
    def _create(self, agent: Workload, image: str, made: Mapping[str, Any]) -> Iterator[Container]:
        """A container that is removed again, with the volumes that have no name; a run that is killed leaves one that
        the next `up` removes.
        """
        labels = {f"{LABEL}.stack": self._plan.stack, f"{LABEL}.workload": agent.name, f"{LABEL}.role": "task"}
        try:
            self._ensure_image(image)
            container = self._client.containers.create(
                image, read_only=True, cap_drop=["ALL"], labels=labels, **self._build_confinement(agent),
                tmpfs={"/tmp": "rw,noexec,nosuid,nodev,size=64m"}, **made,  # noqa: S108 - inside the container
            )  # fmt: skip
        except DockerException as error:
            raise RuntimeError(str(getattr(error, "explanation", None) or error)) from None
        try:
            for network in self._list_more_networks(agent) if "network" in made else ():
                self._client.networks.get(network).connect(container)
            yield container
        except DockerException as error:
            raise RuntimeError(str(getattr(error, "explanation", None) or error)) from None
        finally:
            container.remove(v=True, force=True)

    def _build_confinement(self, agent: Workload) -> dict[str, Any]:
        known = self._scope.build_confinement(0, sees_host=agent.sees_host)
        users = {"userns_mode": known["userns_mode"]} if "userns_mode" in known else {}
        return {"security_opt": known["security_opts"], **users}

    def _ensure_image(self, reference: str) -> None:
        try:
            self._client.images.get(reference)
        except ImageNotFound:
            self._client.images.pull(reference)

    def _find_owner(self, agent: Workload) -> int:
        return derive_user_id(self._plan.stack, agent.user_of)

    def _find_network(self, agent: Workload) -> str:
        """The stack's own network is not there: whoever has to get out does so by the engine's own."""
        return "bridge" if agent.egress == "anywhere" else "none"

    def _list_more_networks(self, agent: Workload) -> tuple[str, ...]:
        """Networks of others that the agent joins, too, as its destination may be in one."""
        return self._plan.settings.docker.external_networks if agent.egress == "anywhere" else ()


def build_archive(task: Task, owner: int) -> bytes:
    """A tar of the document, of the secret files, and of an empty directory to work in, for the scratch directory."""
    document = json.loads(task.agent.config.files[DOCUMENT]) if task.agent.config else {}
    document |= {
        "scratch": _WORK,
        "secrets": {key: move_secret(path) for key, path in document.get("secrets", {}).items()},
    }
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as tar:
        for name in ("work", "secrets"):
            _add_entry(tar, name, owner, 0o700)
        _add_entry(tar, DOCUMENT, owner, 0o400, json.dumps(document))
        for path, text in task.secrets.items():
            _add_entry(tar, f"secrets/{PurePosixPath(path).name}", owner, 0o400, text)
    return raw.getvalue()


def move_secret(path: str) -> str:
    """Where a task finds a secret file that lies elsewhere beside a process."""
    return f"{_SECRETS}/{PurePosixPath(path).name}"


def _add_entry(tar: tarfile.TarFile, name: str, owner: int, mode: int, text: str | None = None) -> None:
    entry = tarfile.TarInfo(name)
    entry.uid = entry.gid = owner
    entry.mode = mode
    if text is None:
        entry.type = tarfile.DIRTYPE
        tar.addfile(entry)
    else:
        entry.size = len(text.encode())
        tar.addfile(entry, io.BytesIO(text.encode()))


def _mount_volume(name: str) -> Mount:
    """The data volume, without what an image would put into an empty one."""
    return Mount(DATA_DIR, name, type="volume", no_copy=True)


def _run_to_end(container: Container, say: Say) -> int:
    """Starts a container, hands on its lines as they come, and returns its exit status.

    An engine that follows a file to which half a line has been written may give up, and its answer ends early: what was
    not handed on by then is read once more at the end. Seen with 20.10 under load.
    """
    container.start()
    came: list[str] = []

    def take(line: str) -> None:
        came.append(line)
        say(line)

    read_lines(container.logs(stream=True, follow=True), take)
    try:
        status = int(container.wait()["StatusCode"])
    except APIError as error:
        raise RuntimeError(str(error.explanation or error)) from None
    whole: list[str] = []
    read_lines(iter([container.logs()]), whole.append)
    for line in whole[len(came) :]:
        say(line)
    return status
