"""What a Docker engine answers about a stack that was deployed as declared: of version 20.10, and of 29."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any

from cli.render import plan_file
from model.naming import LABEL
from model.plan import Plan
from model.workload import MIB
from targets.docker.drift import Declared, declare_stack
from targets.docker.properties import UNKNOWN
from targets.docker.reading import Reading
from targets.docker.shared import Scope
from tests.support.systems import ROOT

OLD, NEW = "20.10", "29"
IMAGE: dict[str, Any] = {
    "Entrypoint": ["/bin/program"],
    "Cmd": ["serve"],
    "Env": ["PATH=/bin", "GF_PATHS_DATA=/data"],
    "User": "nobody",
    "Volumes": {"/data": {}},
    "Labels": {"org.opencontainers.image.title": "program"},
    "Healthcheck": {"Test": ["NONE"]},
}
"""What every image gives to its containers here."""


def plan_dev() -> Plan:
    """The plan of the stack `dev`."""
    return plan_file(ROOT / "Pulumi.dev.yaml", "dev")


def build_scope(plan: Plan) -> Scope:
    """Where its containers go."""
    return Scope(stack=plan.stack, settings=plan.settings.docker, images=plan.images)


def number_of(text: str) -> str:
    """An ID of 64 hexadecimal digits."""
    return hashlib.sha256(text.encode()).hexdigest()


def declare(plan: Plan, reading: Reading) -> Declared:
    """What an engine is asked for."""
    return declare_stack(build_scope(plan), plan.list_workloads(), reading)


def read_as_declared(plan: Plan, version: str = OLD) -> Reading:
    """An engine that has all of a plan."""
    reading = Reading(engine="e")
    for _ in range(2):  # some labels have the IDs of what the first round makes
        declared = declare(plan, reading)
        reading = Reading(
            engine="e",
            containers={
                name: build_container(inputs, f"sha256:{number_of(declared.references[name])}", version)
                for name, inputs in declared.containers.items()
            },
            networks={name: {**_build_basics(item), "Id": number_of(name)} for name, item in declared.networks.items()},
            volumes={name: {**_build_basics(item), "Options": None} for name, item in declared.volumes.items()},
            images={name: f"sha256:{number_of(name)}" for name in declared.references.values()},
        )
    return reading


def read_image_settings(reading: Reading) -> dict[str, Mapping[str, Any]]:
    """What the images of its containers give to them."""
    return {str(answer["Image"]): IMAGE for answer in reading.containers.values()}


def _build_basics(inputs: Mapping[str, Any]) -> dict[str, Any]:
    return {"Name": inputs["name"], "Driver": inputs["driver"], "Labels": dict(inputs["labels"]), "Internal": False}


def _known(text: Any) -> str:
    return str(text).replace(UNKNOWN, "0c1d")


def build_container(inputs: Mapping[str, Any], image: str, version: str) -> dict[str, Any]:
    """The answer about one container."""
    number, name = number_of(inputs["name"]), inputs["name"]
    started = "state" if inputs.get("must_run") else "one-shot"
    status = "running" if started == "state" else "created" if inputs.get("start") is False else "exited"
    return {
        "Id": number,
        "Name": f"/{name}",
        "Image": image,
        "State": {"Status": status, "Running": status == "running", "Paused": False, "ExitCode": 0},
        "Config": _build_config(inputs, image, number),
        "HostConfig": _build_host(inputs, version),
        "Mounts": _build_mounts(inputs),
        "NetworkSettings": {"Networks": _build_networks(inputs, number, version), "Ports": {}},
    }


def _build_config(inputs: Mapping[str, Any], image: str, number: str) -> dict[str, Any]:
    entry = inputs.get("entrypoints")
    command = inputs.get("command", IMAGE["Cmd"] if entry is None else None)
    env = [_known(text) for text in inputs.get("envs") or ()]
    own = {text.partition("=")[0] for text in env}
    check = inputs.get("healthcheck")
    return {
        "Image": image,
        "Hostname": inputs.get("hostname", number[:12]),
        "Entrypoint": IMAGE["Entrypoint"] if entry is None else entry,
        "Cmd": command or None,
        "Env": [*reversed(env), *(text for text in IMAGE["Env"] if text.partition("=")[0] not in own)],
        "User": inputs.get("user") or IMAGE["User"],
        "Labels": {**IMAGE["Labels"], **{key: _known(value) for key, value in inputs["labels"].items()}},
        "Healthcheck": _build_check(check) if check else IMAGE["Healthcheck"],
    }


def _build_check(check: Mapping[str, Any]) -> dict[str, Any]:
    def nanoseconds(text: str) -> int:
        factors = {"h": 3600, "m": 60, "s": 1}
        return sum(int(count) * factors[unit] for count, unit in re.findall(r"(\d+)([hms])", text)) * 10**9

    return {
        "Test": check["tests"],
        "Interval": nanoseconds(check["interval"]),
        "Timeout": nanoseconds(check["timeout"]),
        "StartPeriod": nanoseconds(check["start_period"]),
        "Retries": check["retries"],
    }


def _build_host(inputs: Mapping[str, Any], version: str) -> dict[str, Any]:
    new = version == NEW
    capabilities = inputs["capabilities"]
    names = [name.removeprefix("CAP_") for name in capabilities.get("adds", ())]
    swap = inputs["memory_swap"]
    return {
        "GroupAdd": [_known(text) for text in inputs.get("group_adds") or ()] or None,
        "ReadonlyRootfs": bool(inputs.get("read_only")),
        "CapAdd": [f"CAP_{name}" for name in reversed(names)] if new else names or None,
        "CapDrop": capabilities["drops"],
        "Privileged": False,
        "SecurityOpt": ["no-new-privileges" if new else text for text in inputs["security_opts"]],
        "Memory": inputs["memory"] * MIB,
        "MemorySwap": swap * MIB if swap > 0 else swap,
        "NanoCpus": int(float(inputs.get("cpus", 0)) * 10**9),
        "PidsLimit": None if new else 0,
        "Ulimits": [{"Name": u["name"], "Soft": u["soft"], "Hard": u["hard"]} for u in inputs.get("ulimits") or ()]
        or None,
        "Tmpfs": inputs.get("tmpfs"),
        "RestartPolicy": {"Name": inputs["restart"], "MaximumRetryCount": 0},
        "LogConfig": {"Type": inputs["log_driver"], "Config": {**inputs["log_opts"], "labels": "from daemon.json"}},
        "NetworkMode": inputs.get("network_mode", "default" if not new else "bridge"),
        "PortBindings": {
            f"{p['internal']}/tcp": [{"HostIp": p["ip"], "HostPort": str(p["external"])}]
            for p in inputs.get("ports") or ()
        },
        "ExtraHosts": [f"{item['host']}:{item['ip']}" for item in inputs.get("hosts") or ()] or None,
        "PidMode": "",
        "UsernsMode": "",
        "Devices": None if new else [],
    }


def _build_mounts(inputs: Mapping[str, Any]) -> list[dict[str, Any]]:
    made = [
        {
            "Type": "bind" if "host_path" in item else "volume",
            "Name": item.get("volume_name"),
            "Source": item.get("host_path") or f"/var/lib/docker/volumes/{item['volume_name']}/_data",
            "Destination": item["container_path"],
            "RW": not item.get("read_only"),
        }
        for item in inputs.get("volumes") or ()
    ]
    made += [
        {"Type": "bind", "Source": item["source"], "Destination": item["target"], "RW": not item["read_only"]}
        for item in inputs.get("mounts") or ()
    ]
    if not any(item["Destination"] == "/data" for item in made):
        made.append({"Type": "volume", "Name": number_of("x"), "Source": "", "Destination": "/data", "RW": True})
    return made[::-1]


def _build_networks(inputs: Mapping[str, Any], number: str, version: str) -> dict[str, Any]:
    joined = inputs.get("networks_advanced") or ()
    if not joined:
        mode = inputs.get("network_mode", "bridge")
        return {} if inputs.get("start") is False else {mode: {"Aliases": None}}
    # moby 20.10, daemon/container_operations.go: the short ID and the host name are aliases in every network
    own = [] if version == NEW else [number[:12], str(inputs.get("hostname", number[:12]))]
    names = {item["name"]: [*map(_known, item.get("aliases") or ())] for item in joined}
    return {
        name: {"Aliases": [*given, *(each for each in own if each not in given)] or None, "NetworkID": LABEL}
        for name, given in names.items()
    }
