"""The properties of a container that are compared: how each is declared, and how the engine says it.

Both sides have one form: the engine's defaults, orders and units are no difference. Where nothing is declared, what the
image gives counts. Texts that are known only while deploying have UNKNOWN in them, which stands for anything.
Answers: https://docs.docker.com/reference/api/engine/version/v1.41/#tag/Container/operation/ContainerInspect.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from model.base import parse_duration
from model.naming import LABEL
from model.workload import MIB
from targets.docker.reading import Answer

UNKNOWN = "\0"
"""In a declared text: a part that only the deployment knows."""
_SECOND = 1_000_000_000
"""Nanoseconds, in which the engine has durations."""

Read = Callable[[Mapping[str, Any], Answer], Any]
"""A value, of declared inputs or of the engine's answer, and of what the image gives."""


@dataclass(frozen=True)
class Property:
    """A property of a container, on both sides as a text, a truth, a set of texts or a mapping of them.

    None on the declared side: whatever runs is right. Where `open_ended`, a mapping may have more than is declared.
    What is `of_image` cannot be judged where nobody knows what the image gives.
    """

    name: str
    declared: Read
    running: Read
    open_ended: bool = False
    of_image: bool = False


def _list(value: Any) -> list[str]:
    return [str(item) for item in value or ()]


def _host(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    host: Mapping[str, Any] = answer["HostConfig"]
    return host


# -- what the process is -----------------------------------------------------------------------------------------------


def _declare_command(inputs: Mapping[str, Any], image: Answer) -> list[str]:
    """Entry point and arguments as one: the image's arguments do not count behind another entry point."""
    entry, command = inputs.get("entrypoints"), inputs.get("command")
    if entry is None:
        command = _list(image.get("Cmd")) if command is None else command
    return [*_list(image.get("Entrypoint") if entry is None else entry), *_list(command)]


def _parse_environment(texts: Any) -> dict[str, str]:
    return dict(text.partition("=")[::2] for text in _list(texts))


def _declare_check(inputs: Mapping[str, Any], image: Answer) -> dict[str, str]:
    declared = inputs.get("healthcheck")
    if declared is None:
        return _read_check(image.get("Healthcheck"))
    times = {key: f"{parse_duration(declared[key]):g} s" for key in ("interval", "timeout", "start_period")}
    return {"test": " ".join(declared["tests"]), **times, "retries": str(declared["retries"])}


def _read_check(answer: Any) -> dict[str, str]:
    if not answer:
        return {}
    names = {"interval": "Interval", "timeout": "Timeout", "start_period": "StartPeriod"}
    times = {key: f"{(answer.get(name) or 0) / _SECOND:g} s" for key, name in names.items()}
    return {"test": " ".join(_list(answer.get("Test"))), **times, "retries": str(answer.get("Retries") or 0)}


# -- what it may do ----------------------------------------------------------------------------------------------------


def _normalise_capabilities(names: Any) -> frozenset[str]:
    return frozenset(name.upper().removeprefix("CAP_") for name in _list(names))


def _normalise_options(options: Any) -> frozenset[str]:
    """Security options; engines write `:` or `=`, and `no-new-privileges` with or without `true`."""
    texts = (text.replace(":", "=", 1) for text in _list(options))
    return frozenset("no-new-privileges=true" if text == "no-new-privileges" else text for text in texts)


def _read_devices(answer: Mapping[str, Any], _: Answer) -> frozenset[str]:
    host = _host(answer)
    requested = [item for key in ("DeviceRequests", "DeviceCgroupRules") for item in host.get(key) or ()]
    return frozenset([*(str(item.get("PathOnHost")) for item in host.get("Devices") or ()), *map(str, requested)])


# -- how much it may use -----------------------------------------------------------------------------------------------


def _format_memory(size: int) -> str:
    return "no limit" if size <= 0 else f"{size / MIB:g} MiB"


def _format_cpus(cores: float) -> str:
    return f"{cores:g}" if cores else "no limit"


def _read_cpus(host: Mapping[str, Any]) -> float:
    if host.get("NanoCpus"):
        return float(host["NanoCpus"]) / _SECOND
    return float(host.get("CpuQuota") or 0) / (host.get("CpuPeriod") or 100_000)


def _read_processes(host: Mapping[str, Any]) -> str:
    number = host.get("PidsLimit") or 0
    return str(number) if number > 0 else "no limit"


# -- what it sees ------------------------------------------------------------------------------------------------------


def _format_mount(kind: str, source: Any, *, writable: bool) -> str:
    return f"{kind} {source}{'' if writable else ', read-only'}"


def _declare_mounts(inputs: Mapping[str, Any], _: Answer) -> dict[str, str]:
    made = {}
    for item in inputs.get("volumes") or ():
        kind, source = ("bind", item["host_path"]) if "host_path" in item else ("volume", item["volume_name"])
        made[str(item["container_path"])] = _format_mount(kind, source, writable=not item.get("read_only"))
    for item in inputs.get("mounts") or ():
        made[str(item["target"])] = _format_mount(item["type"], item["source"], writable=not item.get("read_only"))
    return made


def _read_mounts(answer: Mapping[str, Any], image: Answer) -> dict[str, str]:
    """Without the nameless volumes that the engine makes where an image asks for one and nothing is mounted."""
    requested = (image.get("Volumes") or {}).keys()
    made = {}
    for item in answer.get("Mounts") or ():
        nameless = item.get("Type") == "volume" and re.fullmatch(r"[0-9a-f]{64}", str(item.get("Name")))
        if not (nameless and item["Destination"] in requested):
            source = item.get("Name") if item.get("Type") == "volume" else item.get("Source")
            made[str(item["Destination"])] = _format_mount(item.get("Type", ""), source, writable=bool(item.get("RW")))
    return made


def _read_networks(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    """Places in networks by the network's name; one that never ran may have no place yet."""
    networks = answer["NetworkSettings"].get("Networks") or {}
    mode = str(_host(answer).get("NetworkMode"))
    return networks or ({mode: {}} if mode in ("none", "host") else {})


def _declare_networks(inputs: Mapping[str, Any], _: Answer) -> frozenset[str]:
    joined = [str(item["name"]) for item in inputs.get("networks_advanced") or ()]
    return frozenset(joined or [str(inputs.get("network_mode", "bridge"))])


def _declare_aliases(inputs: Mapping[str, Any], _: Answer) -> dict[str, frozenset[str]]:
    """Without the container's own name: engines answer to it in every network, whether it is declared or not."""
    joined, own = inputs.get("networks_advanced") or (), {str(inputs.get("hostname"))}
    return {str(item["name"]): frozenset(_list(item.get("aliases"))) - own for item in joined}


def _read_aliases(answer: Mapping[str, Any], _: Answer) -> dict[str, frozenset[str]]:
    """Without the container's own name and short ID, which engines before 25 add to the aliases in every network."""
    own = {str(answer["Id"])[:12], str(answer["Config"].get("Hostname"))}
    return {
        name: frozenset(_list((place or {}).get("Aliases"))) - own for name, place in _read_networks(answer).items()
    }


def _declare_ports(inputs: Mapping[str, Any], _: Answer) -> frozenset[str]:
    ports = inputs.get("ports") or ()
    return frozenset(f"{p['ip']}:{p['external']}->{p['internal']}/{p.get('protocol', 'tcp')}" for p in ports)


def _read_ports(answer: Mapping[str, Any], _: Answer) -> frozenset[str]:
    bindings = _host(answer).get("PortBindings") or {}
    return frozenset(
        f"{item.get('HostIp') or '0.0.0.0'}:{item.get('HostPort')}->{port}"  # noqa: S104 - what an empty address means
        for port, items in bindings.items()
        for item in items or ()
    )


def _declare_labels(inputs: Mapping[str, Any], _: Answer) -> dict[str, str]:
    return {key: str(value) for key, value in inputs.get("labels", {}).items()}


def _read_labels(answer: Mapping[str, Any], _: Answer) -> dict[str, str]:
    """Those of this program: images and desktops have others."""
    labels = answer["Config"].get("Labels") or {}
    return {key: str(value) for key, value in labels.items() if key.startswith(f"{LABEL}.")}


def _read_limits(items: Iterable[Mapping[str, Any]], keys: tuple[str, str, str]) -> dict[str, str]:
    name, soft, hard = keys
    return {str(item[name]): f"{item[soft]}:{item[hard]}" for item in items}


def _read_memory(key: str) -> Read:
    return lambda answer, _: _format_memory(int(_host(answer).get(key) or 0))


def _declare_memory(key: str) -> Read:
    return lambda inputs, _: _format_memory(inputs[key] * MIB) if key in inputs else None


def _undeclared(default: Any) -> Read:
    return lambda inputs, image: default


PROPERTIES: tuple[Property, ...] = (
    Property(
        "command",
        _declare_command,
        lambda a, _: [*_list(a["Config"].get("Entrypoint")), *_list(a["Config"].get("Cmd"))],
        of_image=True,
    ),
    Property(
        "environment",
        lambda i, image: {**_parse_environment(image.get("Env")), **_parse_environment(i.get("envs"))},
        lambda a, _: _parse_environment(a["Config"].get("Env")),
        of_image=True,
    ),
    Property("host name", lambda i, _: i.get("hostname"), lambda a, _: a["Config"].get("Hostname") or ""),
    Property("health check", _declare_check, lambda a, _: _read_check(a["Config"].get("Healthcheck")), of_image=True),
    Property(
        "user",
        lambda i, image: i.get("user") or image.get("User") or "",
        lambda a, _: a["Config"].get("User") or "",
        of_image=True,
    ),
    Property(
        "groups",
        lambda i, _: frozenset(_list(i.get("group_adds"))),
        lambda a, _: frozenset(_list(_host(a).get("GroupAdd"))),
    ),
    Property(
        "read-only root", lambda i, _: bool(i.get("read_only")), lambda a, _: bool(_host(a).get("ReadonlyRootfs"))
    ),
    Property(
        "capabilities added",
        lambda i, _: _normalise_capabilities(i.get("capabilities", {}).get("adds")),
        lambda a, _: _normalise_capabilities(_host(a).get("CapAdd")),
    ),
    Property(
        "capabilities dropped",
        lambda i, _: _normalise_capabilities(i.get("capabilities", {}).get("drops")),
        lambda a, _: _normalise_capabilities(_host(a).get("CapDrop")),
    ),
    Property("privileged", _undeclared(False), lambda a, _: bool(_host(a).get("Privileged"))),
    Property("devices", _undeclared(frozenset()), _read_devices),
    Property("process namespace", _undeclared(""), lambda a, _: _host(a).get("PidMode") or ""),
    Property("user namespace", lambda i, _: i.get("userns_mode", ""), lambda a, _: _host(a).get("UsernsMode") or ""),
    Property(
        "security options",
        lambda i, _: _normalise_options(i.get("security_opts")),
        lambda a, _: _normalise_options(_host(a).get("SecurityOpt")),
    ),
    Property("memory limit", _declare_memory("memory"), _read_memory("Memory")),
    Property("memory and swap limit", _declare_memory("memory_swap"), _read_memory("MemorySwap")),
    Property(
        "CPU limit", lambda i, _: _format_cpus(float(i.get("cpus", 0))), lambda a, _: _format_cpus(_read_cpus(_host(a)))
    ),
    Property("process limit", _undeclared("no limit"), lambda a, _: _read_processes(_host(a))),
    Property(
        "resource limits",
        lambda i, _: _read_limits(i.get("ulimits") or (), ("name", "soft", "hard")),
        lambda a, _: _read_limits(_host(a).get("Ulimits") or (), ("Name", "Soft", "Hard")),
        open_ended=True,  # the engine's daemon.json may have more
    ),
    Property(
        "temporary directories", lambda i, _: dict(i.get("tmpfs") or {}), lambda a, _: dict(_host(a).get("Tmpfs") or {})
    ),
    Property(
        "restart policy",
        lambda i, _: i.get("restart", "no"),
        lambda a, _: _host(a)["RestartPolicy"].get("Name") or "no",
    ),
    Property("log driver", lambda i, _: i.get("log_driver"), lambda a, _: _host(a)["LogConfig"].get("Type") or ""),
    Property(
        "log options",
        lambda i, _: dict(i.get("log_opts") or {}),
        lambda a, _: dict(_host(a)["LogConfig"].get("Config") or {}),
        open_ended=True,  # as above
    ),
    Property("networks", _declare_networks, lambda a, _: frozenset(_read_networks(a))),
    Property("names in the network", _declare_aliases, _read_aliases, open_ended=True),
    Property("published ports", _declare_ports, _read_ports),
    Property(
        "hosts",
        lambda i, _: frozenset(f"{item['host']}:{item['ip']}" for item in i.get("hosts") or ()),
        lambda a, _: frozenset(_list(_host(a).get("ExtraHosts"))),
    ),
    Property("mounts", _declare_mounts, _read_mounts, of_image=True),
    Property("labels", _declare_labels, _read_labels),
)
"""Everything of a container that is compared, but for its image and whether it runs."""


def matches(declared: Any, running: Any) -> bool:
    """Whether two values are the same, where UNKNOWN stands for anything."""
    if isinstance(declared, str) and isinstance(running, str):
        parts = map(re.escape, declared.split(UNKNOWN))
        return declared == running or (UNKNOWN in declared and bool(re.fullmatch(".*".join(parts), running, re.DOTALL)))
    if isinstance(declared, frozenset) and isinstance(running, frozenset):
        every = [(one, other) for one in declared for other in running if matches(one, other)]
        return {one for one, _ in every} == declared and {other for _, other in every} == running
    if isinstance(declared, list) and isinstance(running, list):
        return len(declared) == len(running) and all(map(matches, declared, running))
    return bool(declared == running)
