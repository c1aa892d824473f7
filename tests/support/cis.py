"""Section 5 of the CIS Docker Benchmark (v1.7) as questions to what the engine says of a container.

Each check gives what is wrong, or nothing. What the engine decides for all of its containers (AppArmor, SELinux) is
wrong where a container switches it off; 5.6 needs a program that no image of ours has.
Source: https://www.cisecurity.org/benchmark/docker
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from docker.models.containers import Container

EXEMPT = "io.observability.exempt."
Check = Callable[[Container], Iterable[str]]
SENSITIVE = ("/", "/boot", "/dev", "/etc", "/lib", "/proc", "/sys", "/usr", "/var/run/docker.sock", "/run/docker.sock")


def _host(container: Container) -> Mapping[str, Any]:
    return dict(container.attrs["HostConfig"])


def _service(container: Container) -> bool:
    return container.labels.get("io.observability.role") == "service"


def _reason(container: Container, rule: str) -> str | None:
    """The declared reason of an exception."""
    return next((text for key, text in container.labels.items() if key.startswith(f"{EXEMPT}{rule}")), None)


def capabilities(container: Container) -> Iterable[str]:
    """5.3: all are dropped, added ones are declared."""
    if _host(container)["CapDrop"] != ["ALL"]:
        yield "capabilities are not dropped"
    for name in _host(container)["CapAdd"] or []:
        declared = _reason(container, f"capability.{name.removeprefix('CAP_').lower()}")
        if _service(container) and not declared:
            yield f"{name} is added without a reason"


def privileged(container: Container) -> Iterable[str]:
    """5.4 and 5.22: not privileged."""
    if _host(container)["Privileged"]:
        yield "is privileged"


def directories(container: Container) -> Iterable[str]:
    """5.5, 5.19 and 5.31: host directories are read-only, declared, and shared in no way back to the host."""
    for mount in container.attrs["Mounts"]:
        if mount["Type"] != "bind":
            continue
        if mount["RW"]:
            yield f"writes {mount['Source']}"
        if mount.get("Propagation") in ("shared", "rshared"):
            yield f"shares mounts below {mount['Source']} with the host"
        reasons = ("host-mount", "docker-socket")
        if _service(container) and mount["Source"] in SENSITIVE and not any(_reason(container, r) for r in reasons):
            yield f"mounts {mount['Source']} without a reason"


def namespaces(container: Container) -> Iterable[str]:
    """5.9, 5.15, 5.16, 5.20 and 5.30: network, processes, IPC, host name and users are not those of the host."""
    host = _host(container)
    for key in ("NetworkMode", "PidMode", "IpcMode", "UTSMode", "UsernsMode"):
        if host[key] == "host":
            yield f"{key} is the host's"


def resources(container: Container) -> Iterable[str]:
    """5.10, 5.11, 5.18 and 5.28: memory, processor and processes are limited."""
    host = _host(container)
    if not host["Memory"]:
        yield "memory is not limited"
    if _service(container) and not (host["NanoCpus"] or host["CpuQuota"]):
        yield "the processor is not limited"
    limits = {limit["Name"] for limit in host["Ulimits"] or []}
    if _service(container) and not (host["PidsLimit"] or "nproc" in limits):
        yield "processes are not limited"


def read_only(container: Container) -> Iterable[str]:
    """5.12: the root file system is read-only."""
    if _service(container) and not _host(container)["ReadonlyRootfs"] and not _reason(container, "writable-root"):
        yield "its root file system can be written"


def interfaces(container: Container) -> Iterable[str]:
    """5.7, 5.8 and 5.13: ports are opened on a named address, not on every one."""
    for bindings in (_host(container)["PortBindings"] or {}).values():
        yield from (f"opens {b['HostPort']} on every address" for b in bindings if b["HostIp"] in ("", "::"))


def restarts(container: Container) -> Iterable[str]:
    """5.14: what monitors must come back after any failure, so services restart without a limit; nothing else does."""
    policy = _host(container)["RestartPolicy"]["Name"]
    if policy != ("unless-stopped" if _service(container) else "no"):
        yield f"restarts {policy}"


def devices(container: Container) -> Iterable[str]:
    """5.17: no device of the host."""
    yield from (f"has the device {device['PathOnHost']}" for device in _host(container)["Devices"] or [])


def profiles(container: Container) -> Iterable[str]:
    """5.1, 5.2, 5.21 and 5.25: the engine's profiles are on, and no process gains privileges."""
    options = _host(container)["SecurityOpt"] or []
    if "no-new-privileges:true" not in options:
        yield "may gain privileges"
    yield from (f"has {option}" for option in options if "unconfined" in option or option == "label=disable")


def health(container: Container) -> Iterable[str]:
    """5.26: its health is looked at."""
    if _service(container) and not container.attrs["Config"].get("Healthcheck"):
        yield "has no health check"


def image(container: Container) -> Iterable[str]:
    """5.27: the image is one that does not change under its name."""
    if re.search(r":latest$", container.attrs["Config"]["Image"]):
        yield "runs the tag latest"


def groups(container: Container) -> Iterable[str]:
    """5.24 and 5.29: control group and network are its own, not the engine's default ones."""
    if _host(container)["CgroupParent"]:
        yield f"has the control group {_host(container)['CgroupParent']}"
    if "bridge" in container.attrs["NetworkSettings"]["Networks"]:
        yield "is in the engine's default network"


def users(container: Container) -> Iterable[str]:
    """4.1: no service is root without a reason; one-shot containers say theirs."""
    if container.attrs["Config"]["User"].partition(":")[0] in ("", "0", "root"):
        said = _reason(container, "root-user") or container.labels.get("io.observability.reason")
        if not said:
            yield "is root without a reason"


CHECKS: tuple[Check, ...] = (
    capabilities, privileged, directories, namespaces, resources, read_only, interfaces, restarts, devices, profiles,
    health, image, groups, users,
)  # fmt: skip


def exceptions(container: Container) -> dict[str, str]:
    """The declared exceptions of a container, with their reasons."""
    found = {key.removeprefix(EXEMPT): text for key, text in container.labels.items() if key.startswith(EXEMPT)}
    one_shot = container.labels.get("io.observability.reason")
    return found | ({"one-shot": one_shot} if one_shot else {})
