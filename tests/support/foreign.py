"""A project of other people on the same engine, as compose makes one: a network, and containers that are not ours."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import docker
from docker.models.containers import Container

from model.workload import Workload

USER = 20999
"""The user of its containers, as some of these programs refuse to be root."""


@dataclass(frozen=True)
class Project:
    """Containers called as compose calls them, in the project's default network, with compose's labels.

    Args:
        client: the engine.
        name: the project.
        image: what the engine knows an image by, from its short name.
    """

    client: docker.DockerClient
    name: str
    image: Callable[[str], str]

    @property
    def network(self) -> str:
        """The network that compose makes for a project."""
        return f"{self.name}_default"

    def create(self) -> None:
        """Makes the network; what a test that was killed has left is removed first."""
        self.remove()
        self.client.networks.create(self.network, labels={"com.docker.compose.project": self.name})

    def remove(self) -> None:
        """Removes all of it; whoever else is in the network leaves it."""
        mine: dict[str, Any] = {"label": f"com.docker.compose.project={self.name}"}
        for container in self.client.containers.list(all=True, filters=mine):
            container.remove(force=True, v=True)
        for network in self.client.networks.list(filters=mine):
            network.remove()

    def play(self, workload: Workload, service: str, secrets: Mapping[str, str]) -> Container:
        """A workload of ours as a service of theirs: the same process, and nothing of what a target adds to it."""
        files = dict(workload.config.files) if workload.config else {}
        given = {f"{workload.config.path}/{path}": text for path, text in files.items()} if workload.config else {}
        given |= {item.path: secrets[item.secret] for item in workload.secrets}
        return self.run(
            service,
            workload.image,
            command=workload.args,
            env=workload.env,
            files=given,
            folders=(*workload.tmpfs, *(volume.path for volume in workload.volumes)),
        )

    def run(
        self,
        service: str,
        image: str,
        *,
        command: Sequence[str],
        env: Mapping[str, str] | None = None,
        files: Mapping[str, str] | None = None,
        folders: Sequence[str] = (),
        aliases: Sequence[str] = (),
        ports: Mapping[str, int] | None = None,
        number: int = 1,
    ) -> Container:
        """A running container of the service, with these files in it and these folders in memory.

        `ports` are those of loopback by the container's own, such as 8000/tcp. `number` is the instance's.
        """
        container = self.client.containers.create(
            self.image(image),
            list(command),
            name=f"{self.name}-{service}-{number}",
            environment=dict(env or {}),
            user=f"{USER}:{USER}",
            network=self.network,
            networking_config={
                self.network: self.client.api.create_endpoint_config(aliases=[service, *aliases]),
            },
            tmpfs={folder: f"uid={USER},gid={USER},mode=0700" for folder in folders},
            ports={inside: ("127.0.0.1", port) for inside, port in (ports or {}).items()},
            labels={"com.docker.compose.project": self.name, "com.docker.compose.service": service},
        )
        if files:
            container.put_archive("/", _archive(files))
        container.start()
        return container

    def addresses(self, name: str) -> set[str]:
        """Where the project's own containers find a name, in dotted form; empty where there is no such name.

        Raises:
            RuntimeError: the engine's resolver has not answered.
        """
        ask = f"/bin/busybox nslookup {name}. 127.0.0.11 2>&1 || true"
        said = self.client.containers.run(
            self.image("busybox"), ["/bin/busybox", "sh", "-c", ask], network=self.network, remove=True
        )
        answer = said.decode().partition("Name:")[2]
        if not answer and "NXDOMAIN" not in said.decode():
            raise RuntimeError(f"{name}: {said.decode()}")
        return {line.split(":", 1)[1].strip() for line in answer.splitlines() if line.startswith("Address")}


def _archive(files: Mapping[str, str]) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        for path, text in files.items():
            member = tarfile.TarInfo(path.lstrip("/"))
            member.size, member.mode = len(text.encode()), 0o444
            archive.addfile(member, io.BytesIO(text.encode()))
    return made.getvalue()
