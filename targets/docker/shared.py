"""What all containers of a stack share on an engine: names, labels, limits of logs, and texts that are not known yet.

Pure: nothing here talks to an engine or knows of Pulumi.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from model.images import Image
from model.naming import LABEL, derive_resource_name, derive_user_id
from model.settings import DockerSettings
from model.workload import SECRETS_DIR, Workload

Inputs = dict[str, Any]
"""Inputs of a resource by the names of pulumi_docker, but for `labels`, which are a mapping. Texts may be `Late`.

Source: https://www.pulumi.com/registry/packages/docker/api-docs/container/#inputs
"""
SOCKET = "/var/run/docker.sock"
TOOLS = "/tools"


@dataclass(frozen=True)
class Late:
    """A text that is known only while deploying, put in the place of every `{}` in `template`.

    `kind` says what of `name`: an image's id, a volume's or network's name once that is made, the network's id, the
    id of a workload's container, the `mark` of a workload's `secrets` or `reread` files, the content of a secret,
    or the group that owns the engine's socket.
    """

    kind: Literal["image", "volume", "network", "network-id", "container", "mark", "secret", "socket-group"]
    name: str
    template: str = "{}"

    def fill(self, value: str) -> str:
        """The text with its value."""
        return self.template.replace("{}", value)

    def __str__(self) -> str:
        """The text for people: names are known, of anything else it says what it is."""
        return self.fill(self.name if self.kind in ("volume", "network") else f"${{{self.kind} {self.name}}}")


@dataclass(frozen=True, kw_only=True)
class Scope:
    """Where containers go: the stack's name, the engine's settings and the images by short name."""

    stack: str
    settings: DockerSettings
    images: Mapping[str, Image]

    def name_resource(self, name: str) -> str:
        """The name that something of the stack has on the engine."""
        return derive_resource_name(self.stack, name)

    def build_reference(self, image: str) -> str:
        """The reference to pull."""
        return self.images[image].reference(self.settings.registry_mirror)

    @property
    def network(self) -> str:
        """The name of the stack's own network."""
        return self.name_resource("monitoring")

    @property
    def network_suffix(self) -> str:
        """The network's name where names of the stack must say it: see `find_network_suffix`."""
        return find_network_suffix(self.stack, self.settings)

    def build_labels(self, workload: str, **more: str | Late) -> dict[str, str | Late]:
        """The labels by which people and this program find a container, sorted."""
        values: dict[str, str | Late] = {"stack": self.stack, "workload": workload, **more}
        return {f"{LABEL}.{key}": values[key] for key in sorted(values)}

    def build_confinement(self, memory: int, *, sees_host: bool = False) -> Inputs:
        """What holds for every container: no new privileges, `memory` MiB without swap, bounded logs.

        The options of the log driver are given in full, so that a default in the engine's daemon.json makes no
        difference. An engine that cannot limit swap says -1 of every container. What `sees_host` keeps the numbers of
        users that the host knows, where the engine gives others: https://docs.docker.com/engine/security/userns-remap/.
        It has no SELinux label where the engine gives labels: with one it may read no file of the host, and giving
        those files another label would take them away from the host's own services.
        """
        unlabelled = ["label=disable"] if sees_host and self.settings.selinux else []
        return {
            **({"userns_mode": "host"} if sees_host and self.settings.user_namespaces else {}),
            "security_opts": [*unlabelled, "no-new-privileges:true"],
            "memory": memory,
            "memory_swap": memory if self.settings.swap_limit else -1,
            "log_driver": "json-file",
            "log_opts": {"max-file": str(self.settings.log_max_files), "max-size": self.settings.log_max_size},
        }

    def find_owner(self, workload: Workload) -> int:
        """Numeric user of a process, whom its secrets and data volumes belong to.

        Root has no right to files of others here, as it has no capabilities, so where it is root they are root's.
        """
        return 0 if workload.is_exempt("root-user") else derive_user_id(self.stack, workload.user_of)


def find_network_suffix(stack: str, settings: DockerSettings) -> str:
    """The name of the stack's own network where its containers join others beside it; empty where they do not."""
    return derive_resource_name(stack, "monitoring") if settings.external_networks else ""


def qualify_name(name: str, suffix: str) -> str:
    """A workload's name with its network, `loki.dev-monitoring`, where `loki` could be found in another network too."""
    return f"{name}.{suffix}" if suffix else name


def build_address(name: str, port: int, suffix: str = "") -> str:
    """`host:port` of a workload for others in the stack's own network; `suffix` is what `find_network_suffix` says."""
    return f"{qualify_name(name, suffix)}:{port}"


def build_mount(volume: str | Late, path: str, *, read_only: bool = True) -> Inputs:
    """A volume in a container."""
    return {"volume_name": volume, "container_path": path, "read_only": read_only}


def build_data_mounts(scope: Scope, workload: Workload) -> list[Inputs]:
    """A workload's data volumes in a container."""
    return [build_mount(scope.name_resource(volume.name), volume.path, read_only=False) for volume in workload.volumes]


def build_secret_mounts(scope: Scope, workload: Workload) -> list[Inputs]:
    """The volume of a workload's secret files, where there are some."""
    return [build_mount(scope.name_resource(f"{workload.name}-secrets"), SECRETS_DIR)] if workload.secrets else []


def build_bind_mount(source: str, path: str, *, read_only: bool = True) -> Inputs:
    """A view of a path of the host. The engine refuses one that is not there, instead of making a folder."""
    return {"type": "bind", "source": source, "target": path, "read_only": read_only}


def drop_absent(inputs: Inputs) -> Inputs:
    """Inputs without those that are None."""
    return {key: value for key, value in inputs.items() if value is not None}


def format_inputs(value: Any) -> Any:
    """Inputs as documents have them: every `Late` as a text for people."""
    if isinstance(value, str):  # most are, and a check against an abstract class is slow
        return value
    if isinstance(value, Late):
        return str(value)
    if isinstance(value, Mapping):
        return {key: format_inputs(inner) for key, inner in value.items()}
    return [format_inputs(inner) for inner in value] if isinstance(value, Sequence) else value
