"""What a Docker engine says of itself, and whether a stack can be deployed to it as its settings describe it.

All questions read. Format: https://docs.docker.com/reference/api/engine/version/v1.41/#tag/System/operation/SystemInfo.
"""

from __future__ import annotations

import http.client
import ipaddress
import os
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import docker
from docker.errors import DockerException

from model.errors import suggest_name
from model.settings import DEFAULT_SOCKET, DockerSettings

OLDEST_API = (1, 41)
"""API version of Docker 20.10, the oldest engine that is supported."""
DOCKER, PODMAN = "Engine", "Podman Engine"
"""The first component in the answer to /version, by which programs that speak Docker's API say who they are."""
SNAPSHOTTER = "io.containerd.snapshotter.v1"
_SECONDS = 3
"""How long a registry or a socket of this machine may take for an answer."""


@dataclass(frozen=True, kw_only=True)
class EngineFacts:
    """An engine as it describes itself.

    `local` is whether it listens at a file of this machine, which is its own host, and `socket` is that file. Where a
    desktop forwards a socket into a virtual machine, the engine has another name and its own path is the default.
    `networks` holds by name why a container cannot join, and an empty text where it can. `insecure` are the
    registries, addresses and ranges that the engine asks by plain HTTP. `product` is what answers at Docker's API.
    """

    number: str
    version: str
    api: tuple[int, ...]
    local: bool
    socket: str | None
    data_root: str
    image_store: Literal["classic", "containerd"]
    rootless: bool
    memory_limit: bool
    swap_limit: bool
    user_namespaces: bool
    selinux: bool
    cpu_limit: bool
    cgroup_version: int = 2
    product: str = DOCKER
    insecure: tuple[str, ...] = ()
    networks: Mapping[str, str] = field(default_factory=dict)

    def list_settings(self) -> dict[str, Any]:
        """The keys of the settings section `docker` that describe this engine."""
        return {
            "dataRoot": self.data_root,
            "imageStore": self.image_store,
            "swapLimit": self.swap_limit,
            "userNamespaces": self.user_namespaces,
            "selinux": self.selinux,
            "socket": self.socket or DEFAULT_SOCKET,
        }

    def list_remarks(self) -> list[str]:
        """What this engine cannot give to a stack that runs on it all the same, as sentences."""
        remarks = []
        if self.image_store == "containerd":
            remarks.append("the engine keeps images in containerd: there are no figures of containers' file systems")
        if not self.swap_limit:
            remarks.append("the engine cannot limit swap: containers may swap beyond their memory limits")
        return remarks


def read_facts(client: docker.DockerClient, address: str) -> EngineFacts:
    """What the engine that `client` asks says of itself; `address` is where people say it is.

    Raises:
        docker.errors.DockerException: it does not answer.
    """
    info = client.info()
    path = address.removeprefix("unix://")
    local = path != address and info.get("Name") == os.uname().nodename
    kinds = {str(key): str(value) for key, value in info.get("DriverStatus") or ()}
    return EngineFacts(
        number=str(info.get("ID", "")),
        version=str(info["ServerVersion"]),
        api=tuple(int(part) for part in str(client.api.api_version).split(".")),
        local=local,
        socket=path if local else None,
        data_root=str(info["DockerRootDir"]).rstrip("/"),
        image_store="containerd" if kinds.get("driver-type") == SNAPSHOTTER else "classic",
        rootless=_has_security_option(info, "rootless"),
        memory_limit=bool(info.get("MemoryLimit")),
        swap_limit=bool(info.get("SwapLimit")),
        user_namespaces=_has_security_option(info, "userns"),
        selinux=_has_security_option(info, "selinux"),
        cpu_limit=bool(info.get("CpuCfsQuota")),
        cgroup_version=int(info.get("CgroupVersion") or 1),
        product=_read_product(client.version()),
        insecure=tuple(_list_insecure_registries(info.get("RegistryConfig") or {})),
        networks={str(item["Name"]): _explain_unjoinable(item) for item in client.api.networks()},
    )


def _has_security_option(info: Mapping[str, Any], name: str) -> bool:
    """Whether `docker info` lists an option; each is a text such as `name=seccomp,profile=builtin`."""
    return any(str(option).split(",")[0] == f"name={name}" for option in info.get("SecurityOptions") or ())


def _read_product(version: Mapping[str, Any]) -> str:
    components = version.get("Components") or [{"Name": DOCKER}]
    return str(components[0].get("Name"))


def _list_insecure_registries(config: Mapping[str, Any]) -> Iterator[str]:
    yield from config.get("InsecureRegistryCIDRs") or ()
    yield from (name for name, index in (config.get("IndexConfigs") or {}).items() if not index.get("Secure"))


def _explain_unjoinable(network: Mapping[str, Any]) -> str:
    """Why containers of a stack cannot join a network beside their own; empty when they can."""
    if network.get("Driver") in ("host", "null"):
        return "is no network that a container can join beside another one"
    if network.get("Scope") == "swarm" and not network.get("Attachable"):
        return "belongs to a swarm and is not attachable: make it with `docker network create --attachable`"
    return ""


def check_engine(settings: DockerSettings, facts: EngineFacts) -> list[str]:
    """Everything that stands in the way of a deployment, as sentences that name the key; empty when nothing does."""
    if facts.product == PODMAN:
        return [
            f"the engine is Podman {facts.version}: files that are sent to a container before it starts do not reach"
            " its volumes there, so neither documents nor secrets would arrive; Docker 20.10 or a newer one is needed"
        ]
    return [
        *_check_capabilities(facts),
        *_check_settings(settings, facts),
        *_check_socket(settings, facts),
        *_check_networks(settings, facts),
        *_check_mirror(settings, facts),
    ]


def _check_capabilities(facts: EngineFacts) -> Iterator[str]:
    if facts.api < OLDEST_API:
        oldest = ".".join(map(str, OLDEST_API))
        yield f"the engine is Docker {facts.version}; Docker 20.10 (API {oldest}) or a newer one is needed"
    help_ = _advise_on_limits(facts)
    lacking = {"memory": facts.memory_limit, "CPU": facts.cpu_limit}
    for what in (name for name, there in lacking.items() if not there):
        yield f"the engine cannot limit {what}, which every container of a stack asks for; {help_}"


def _advise_on_limits(facts: EngineFacts) -> str:
    if not facts.rootless:
        return "see `docker info`, Warnings"
    delegate = "delegate the controllers cpu and memory to its user"
    if facts.cgroup_version == 1:
        return f"it is rootless, and on cgroup v1 it has none: start its host with cgroup v2, and {delegate}"
    return delegate


def _check_settings(settings: DockerSettings, facts: EngineFacts) -> Iterator[str]:
    if settings.data_root != facts.data_root:
        yield f"docker.dataRoot: {settings.data_root!r}, but the engine's data root is {facts.data_root!r}; say that"
    if settings.image_store != facts.image_store:
        yield f"docker.imageStore: {settings.image_store!r}, but this engine's is {facts.image_store!r}; say that"
    if settings.swap_limit and not facts.swap_limit:
        yield (
            "docker.swapLimit: true, but this engine cannot limit swap, so every run would update every container;"
            " say false"
        )
    for key, option, said, own in (
        ("userNamespaces", "userns", settings.user_namespaces, facts.user_namespaces),
        ("selinux", "selinux", settings.selinux, facts.selinux),
    ):
        if said != own:
            right = str(own).lower()
            yield (
                f"docker.{key}: {str(said).lower()}, but `docker info` of this engine says {right} by name={option};"
                f" say {right}"
            )


def _check_socket(settings: DockerSettings, facts: EngineFacts) -> Iterator[str]:
    """Looked at where the engine is on this machine; elsewhere the engine itself refuses a path that is not there."""
    path, own = settings.engine_socket, f"; the engine's own is {facts.socket!r}" if facts.socket else ""
    if not facts.local:
        return
    if not Path(path).exists():
        yield f"docker.socket: there is no {path!r}{own}"
    elif not Path(path).is_socket():
        yield f"docker.socket: {path!r} is no socket{own}"
    elif os.access(path, os.W_OK) and not (facts.socket and Path(path).samefile(facts.socket)):
        number = _read_engine_id(path)
        if number is None:
            yield f"docker.socket: no engine answers at {path!r}{own}"
        elif number != facts.number:
            yield f"docker.socket: another engine answers at {path!r} than at docker.host or DOCKER_HOST{own}"


def _read_engine_id(path: str) -> str | None:
    """The ID of the engine that answers at a socket; None where none does."""
    try:
        client = docker.DockerClient(base_url=f"unix://{path}", timeout=_SECONDS)
        try:
            return str(client.info().get("ID", ""))
        finally:
            client.close()
    except (DockerException, OSError):
        return None


def _check_networks(settings: DockerSettings, facts: EngineFacts) -> Iterator[str]:
    joinable = [name for name, why in facts.networks.items() if not why]
    for name in settings.external_networks:
        if name not in facts.networks:
            yield f"docker.externalNetworks: the engine has no network {name!r}; {suggest_name(name, joinable)}"
        elif why := facts.networks[name]:
            yield f"docker.externalNetworks: {name!r} {why}"


def _check_mirror(settings: DockerSettings, facts: EngineFacts) -> Iterator[str]:
    """A registry of this machine that speaks plain HTTP, which the engine would ask by HTTPS alone.

    Since 29.10 loopback is no exception where `insecure-registries` is set: https://github.com/moby/moby/pull/53868.
    """
    mirror = settings.registry_mirror
    if mirror and facts.local and not _is_trusted(mirror, facts.insecure) and _speaks_http(mirror):
        yield (
            f"docker.registryMirror: {mirror!r} speaks plain HTTP, and the engine asks it by HTTPS; add {mirror!r} to"
            ' "insecure-registries" in the engine\'s daemon.json and restart it'
        )


def _is_trusted(registry: str, insecure: tuple[str, ...]) -> bool:
    """Whether the engine asks a registry by plain HTTP: by its name, or as one of its addresses is in a range."""
    if registry in insecure:
        return True
    ranges = [ipaddress.ip_network(text, strict=False) for text in insecure if "/" in text]
    return any(address in each for address in _resolve_addresses(registry) for each in ranges)


def _resolve_addresses(registry: str) -> list[ipaddress.IPv4Address | ipaddress.IPv6Address]:
    host = registry.rpartition(":")[0] or registry
    try:
        addresses = {str(item[4][0]) for item in socket.getaddrinfo(host, None)}
    except OSError:
        return []
    return [ipaddress.ip_address(text.partition("%")[0]) for text in sorted(addresses)]


def _speaks_http(registry: str) -> bool:
    """Whether a registry answers plain HTTP as one does; a server for HTTPS answers 400 to it, or nothing."""
    connection = http.client.HTTPConnection(registry, timeout=_SECONDS)
    try:
        connection.request("GET", "/v2/")
        return connection.getresponse().status in (200, 401)
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
