"""A stack as a plain Compose file, for people without Pulumi: made of what the Docker target asks of an engine.

Documents are directories beside the file, secrets are files in `secrets/` that people write. What only a deployment
does is missing: no document is validated or reloaded, so `docker compose restart <service>` takes a change.
Format: https://github.com/compose-spec/compose-spec/blob/main/spec.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from model.naming import derive_user_id
from model.workload import SECRETS_DIR, Workload
from targets.docker import containers
from targets.docker.shared import Inputs, Late, Scope, present, show

DONE = {"condition": "service_completed_successfully"}
GROUP = "${DOCKER_GROUP:?the number of the group that owns the socket of the engine: stat -c %g /var/run/docker.sock}"
_TOOLS = "tools"


def compose(scope: Scope, workloads: Sequence[Workload]) -> dict[str, Any]:
    """The Compose file of a stack; `x-secrets` says what each file of a secret holds."""
    services = {_TOOLS: _service(scope, containers.tools(scope))}
    for workload in workloads:
        if workload.volumes:
            services[f"{workload.name}-volumes"] = _owned(scope, workload)
        services[workload.name] = _process(scope, workload)
    volumes = [_TOOLS, *(volume.name for workload in workloads for volume in workload.volumes)]
    files = {_secret(workload, path): text for workload in workloads for path, text in _secrets(workload).items()}
    joined = scope.settings.external_networks if any(w.egress == "anywhere" for w in workloads) else ()
    return {
        "name": scope.stack,
        "services": services,
        "networks": {
            scope.network: {"name": scope.network, "driver": "bridge"},
            **{name: {"external": True} for name in sorted(joined)},
        },
        "volumes": {scope.named(name): {"name": scope.named(name)} for name in volumes},
        **({"secrets": {name: {"file": f"./secrets/{name}"} for name in files}, "x-secrets": files} if files else {}),
    }


def _process(scope: Scope, workload: Workload) -> Inputs:
    """The service of a workload's own process."""
    made = _service(scope, containers.container(scope, workload))
    process = str(containers.process_name(scope, workload))
    own = made["networks"][scope.network]
    own["aliases"] = [alias for alias in own["aliases"] if alias != process]
    made["volumes"] = list(_mounts(scope, workload, made["volumes"]))
    if workload.config:
        made["volumes"].append(_bind(f"./{workload.name}", workload.config.path, create=False))
    secrets = [{"source": _secret(workload, path), "target": path} for path in _secrets(workload)]
    return {**made, **({"secrets": secrets} if secrets else {}), "depends_on": _depends_on(workload)}


def _mounts(scope: Scope, workload: Workload, given: Sequence[Inputs]) -> Iterator[Inputs]:
    """A container's mounts without those of volumes that only a delivery fills."""
    delivered = {scope.named(f"{workload.name}-{kind}") for kind in ("config", "secrets")}
    return (item for item in given if item["source"] not in delivered)


def _depends_on(workload: Workload) -> dict[str, Any]:
    started = {name: {"condition": "service_started"} for name in workload.after}
    anew = {name: {"condition": "service_started", "restart": True} for name in workload.restart_with}
    owned = {f"{workload.name}-volumes": DONE} if workload.volumes else {}
    return {_TOOLS: DONE, **owned, **started, **anew}


def _owned(scope: Scope, workload: Workload) -> Inputs:
    """The one-shot that gives data volumes to the user of their process, which a new volume does not belong to."""
    owner = derive_user_id(scope.stack, workload.name)
    return {
        "image": scope.reference("busybox"),
        "entrypoint": ["/bin/busybox", "chown", f"{owner}:{owner}", *(volume.path for volume in workload.volumes)],
        "user": "0:0",
        "network_mode": "none",
        "cap_add": ["CAP_CHOWN"],
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges:true"],
        "volumes": [_volume(scope.named(volume.name), volume.path) for volume in workload.volumes],
    }


def _secrets(workload: Workload) -> dict[str, str]:
    """What is in each secret file, by its path: the name of the secret, and the text around it."""
    return {file.path: _escaped(file.fill(f"<{file.secret}>")) for file in workload.secrets}


def _secret(workload: Workload, path: str) -> str:
    return f"{workload.name}-{path.removeprefix(SECRETS_DIR).strip('/')}"


def _service(scope: Scope, inputs: Inputs) -> Inputs:
    """A container as Compose writes it."""
    image = scope.reference(inputs["image"].name)
    labels = {key: value for key, value in inputs["labels"].items() if not isinstance(value, Late)}
    groups = [GROUP if isinstance(group, Late) else group for group in inputs.get("group_adds", ())]
    known = _escaped(show({**inputs, "labels": labels}))
    return present(
        {
            "image": image,
            "container_name": known["name"],
            "hostname": known.get("hostname"),
            "entrypoint": known.get("entrypoints"),
            "command": known.get("command"),
            "environment": known.get("envs"),
            "user": known["user"],
            "group_add": groups or None,
            "labels": known["labels"],
            **_limits(known),
            **_surroundings(known),
        }
    )


def _limits(known: Inputs) -> Inputs:
    """What a container may do and use."""
    memory, swap = known["memory"], known["memory_swap"]
    seconds = known.get("destroy_grace_seconds")
    return {
        "read_only": known["read_only"],
        "cap_add": known["capabilities"].get("adds"),
        "cap_drop": known["capabilities"]["drops"],
        "security_opt": known["security_opts"],
        "mem_limit": f"{memory}m",
        "memswap_limit": swap if swap < 0 else f"{swap}m",
        "cpus": float(known["cpus"]) if "cpus" in known else None,
        "ulimits": {item["name"]: {"soft": item["soft"], "hard": item["hard"]} for item in known.get("ulimits", ())}
        or None,
        "tmpfs": [f"{path}:{options}" for path, options in known.get("tmpfs", {}).items()] or None,
        "restart": known["restart"],
        "stop_grace_period": f"{seconds}s" if seconds else None,
        "logging": {"driver": known["log_driver"], "options": known["log_opts"]},
    }


def _surroundings(known: Inputs) -> Inputs:
    """What a container sees beside itself: networks, ports, volumes, and how it is probed."""
    probe = known.get("healthcheck")
    joined = {item["name"]: present({"aliases": item.get("aliases")}) for item in known.get("networks_advanced", ())}
    volumes = [
        _bind(item["host_path"], item["container_path"], create=True)
        if "host_path" in item
        else _volume(item["volume_name"], item["container_path"], read_only=item.get("read_only", False))
        for item in known["volumes"]
    ]
    return {
        "network_mode": known.get("network_mode"),
        "networks": joined or None,
        "ports": [_port(item) for item in known.get("ports", ())] or None,
        "extra_hosts": [f"{item['host']}:{item['ip']}" for item in known.get("hosts", ())] or None,
        "volumes": volumes + [_bind(item["source"], item["target"], create=False) for item in known.get("mounts", ())],
        "healthcheck": {"test" if key == "tests" else key: value for key, value in probe.items()} if probe else None,
    }


def _port(item: Inputs) -> Inputs:
    published = {"target": item["internal"], "published": str(item["external"])}
    return {**published, "host_ip": item["ip"], "protocol": item["protocol"]}


def _volume(source: str, target: str, *, read_only: bool = False) -> Inputs:
    return {"type": "volume", "source": source, "target": target, "read_only": read_only}


def _bind(source: str, target: str, *, create: bool) -> Inputs:
    folder = {"create_host_path": create}
    return {"type": "bind", "source": source, "target": target, "read_only": True, "bind": folder}


def _escaped(value: Any) -> Any:
    """Texts whose dollar signs Compose does not take for variables.

    Source: https://github.com/compose-spec/compose-spec/blob/main/12-interpolation.md
    """
    if isinstance(value, str):
        return value.replace("$", "$$")
    if isinstance(value, Mapping):
        return {key: _escaped(inner) for key, inner in value.items()}
    return [_escaped(inner) for inner in value] if isinstance(value, list) else value
