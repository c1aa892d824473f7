"""A stack as a plain Compose file, for people without Pulumi: made of what the Docker target asks of an engine.

Documents are directories beside the file, secrets are files in `secrets/` that people write. What only a deployment
does is missing: no document is validated or reloaded, so `docker compose restart <service>` takes a change.
Format: https://github.com/compose-spec/compose-spec/blob/main/spec.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from model.base import escape_dollars
from model.workload import SECRETS_DIR, Workload
from targets.docker import containers
from targets.docker.shared import Inputs, Late, Scope, drop_absent, format_inputs

DONE = {"condition": "service_completed_successfully"}
GROUP = "${DOCKER_GROUP:?the number of the group that owns the socket of the engine: stat -c %g /var/run/docker.sock}"
_TOOLS = "tools"


def build_compose_file(scope: Scope, workloads: Sequence[Workload]) -> dict[str, Any]:
    """The Compose file of a stack; `x-secrets` says what each file of a secret holds."""
    services = {_TOOLS: _build_service(scope, containers.build_tools(scope))}
    for workload in workloads:
        if workload.volumes:
            services[f"{workload.name}-volumes"] = _build_owner_service(scope, workload)
        services[workload.name] = _build_process(scope, workload)
    volumes = [_TOOLS, *(volume.name for workload in workloads for volume in workload.volumes)]
    files = {
        _describe_secret(workload, path): text
        for workload in workloads
        for path, text in _list_secrets(workload).items()
    }
    joined = scope.settings.external_networks if any(w.egress == "anywhere" for w in workloads) else ()
    return {
        "name": scope.stack,
        "services": services,
        "networks": {
            scope.network: {"name": scope.network, "driver": "bridge"},
            **{name: {"external": True} for name in sorted(joined)},
        },
        "volumes": {scope.name_resource(name): {"name": scope.name_resource(name)} for name in volumes},
        **({"secrets": {name: {"file": f"./secrets/{name}"} for name in files}, "x-secrets": files} if files else {}),
    }


def _build_process(scope: Scope, workload: Workload) -> Inputs:
    """The service of a workload's own process."""
    service = _build_service(scope, containers.build_container(scope, workload))
    process = str(containers.find_process_name(scope, workload))
    own = service["networks"][scope.network]
    own["aliases"] = [alias for alias in own["aliases"] if alias != process]
    service["volumes"] = list(_list_mounts(scope, workload, service["volumes"]))
    if workload.config:
        service["volumes"].append(_build_bind_mount(f"./{workload.name}", workload.config.path, create=False))
    secrets = [{"source": _describe_secret(workload, path), "target": path} for path in _list_secrets(workload)]
    return {**service, **({"secrets": secrets} if secrets else {}), "depends_on": _build_depends_on(workload)}


def _list_mounts(scope: Scope, workload: Workload, mounts: Sequence[Inputs]) -> Iterator[Inputs]:
    """A container's mounts without those of volumes that only a delivery fills."""
    delivered = {scope.name_resource(f"{workload.name}-{kind}") for kind in ("config", "secrets")}
    return (item for item in mounts if item["source"] not in delivered)


def _build_depends_on(workload: Workload) -> dict[str, Any]:
    started = {name: {"condition": "service_started"} for name in workload.after}
    anew = {name: {"condition": "service_started", "restart": True} for name in workload.restart_with}
    owned = {f"{workload.name}-volumes": DONE} if workload.volumes else {}
    return {_TOOLS: DONE, **owned, **started, **anew}


def _build_owner_service(scope: Scope, workload: Workload) -> Inputs:
    """The one-shot that gives data volumes to the user of their process, which a new volume does not belong to."""
    owner = scope.find_owner(workload)
    return {
        "image": scope.build_reference("busybox"),
        "entrypoint": ["/bin/busybox", "chown", f"{owner}:{owner}", *(volume.path for volume in workload.volumes)],
        "user": "0:0",
        "network_mode": "none",
        "cap_add": ["CAP_CHOWN"],
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges:true"],
        "volumes": [_build_volume_mount(scope.name_resource(volume.name), volume.path) for volume in workload.volumes],
    }


def _list_secrets(workload: Workload) -> dict[str, str]:
    """What is in each secret file, by its path: the name of the secret, and the text around it."""
    return {file.path: escape_dollars(file.fill(f"<{file.secret}>")) for file in workload.secrets}


def _describe_secret(workload: Workload, path: str) -> str:
    return f"{workload.name}-{path.removeprefix(SECRETS_DIR).strip('/')}"


def _build_service(scope: Scope, inputs: Inputs) -> Inputs:
    """A container as Compose writes it."""
    image = scope.build_reference(inputs["image"].name)
    labels = {key: value for key, value in inputs["labels"].items() if not isinstance(value, Late)}
    groups = [GROUP if isinstance(group, Late) else group for group in inputs.get("group_adds", ())]
    known = escape_dollars(format_inputs({**inputs, "labels": labels}))
    return drop_absent(
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
            **_build_limits(known),
            **_build_surroundings(known),
        }
    )


def _build_limits(known: Inputs) -> Inputs:
    """What a container may do and use."""
    memory, swap = known["memory"], known["memory_swap"]
    seconds = known.get("destroy_grace_seconds")
    return {
        "read_only": known["read_only"],
        "cap_add": known["capabilities"].get("adds"),
        "cap_drop": known["capabilities"]["drops"],
        "security_opt": known["security_opts"],
        "userns_mode": known.get("userns_mode"),
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


def _build_surroundings(known: Inputs) -> Inputs:
    """What a container sees beside itself: networks, ports, volumes, and how it is probed."""
    probe = known.get("healthcheck")
    joined = {
        item["name"]: drop_absent({"aliases": item.get("aliases")}) for item in known.get("networks_advanced", ())
    }
    volumes = [
        _build_bind_mount(item["host_path"], item["container_path"], create=True, read_only=item["read_only"])
        if "host_path" in item
        else _build_volume_mount(item["volume_name"], item["container_path"], read_only=item.get("read_only", False))
        for item in known["volumes"]
    ]
    return {
        "network_mode": known.get("network_mode"),
        "networks": joined or None,
        "ports": [_build_port(item) for item in known.get("ports", ())] or None,
        "extra_hosts": [f"{item['host']}:{item['ip']}" for item in known.get("hosts", ())] or None,
        "volumes": volumes
        + [
            _build_bind_mount(item["source"], item["target"], create=False, read_only=item["read_only"])
            for item in known.get("mounts", ())
        ],
        "healthcheck": {"test" if key == "tests" else key: value for key, value in probe.items()} if probe else None,
    }


def _build_port(item: Inputs) -> Inputs:
    published = {"target": item["internal"], "published": str(item["external"])}
    return {**published, "host_ip": item["ip"], "protocol": item["protocol"]}


def _build_volume_mount(source: str, target: str, *, read_only: bool = False) -> Inputs:
    return {"type": "volume", "source": source, "target": target, "read_only": read_only}


def _build_bind_mount(source: str, target: str, *, create: bool, read_only: bool = True) -> Inputs:
    folder = {"create_host_path": create}
    return {"type": "bind", "source": source, "target": target, "read_only": read_only, "bind": folder}
