"""A stack on a Docker engine as plain data: its network, its volumes and the container of each workload.

Pure functions: nothing here talks to an engine or knows of Pulumi, so the same inputs can be written to files, compared
and registered. One-shot containers that deliver documents and secrets are made by `targets.docker.delivery`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from model.naming import LABEL, derive_resource_name, derive_user_id
from model.workload import MIB, Exemption, HttpProbe, Workload, compute_digest
from targets.docker.shared import (
    SOCKET,
    TOOLS,
    Inputs,
    Late,
    Scope,
    bind,
    data_mounts,
    mount,
    present,
    qualified,
    secret_mounts,
)

# -- all of a stack --------------------------------------------------------------------------------------------------


def network(scope: Scope) -> Inputs:
    """The stack's own network."""
    return {"name": scope.network, "driver": "bridge", "labels": {f"{LABEL}.stack": scope.stack}}


def volume(scope: Scope, name: str) -> Inputs:
    """A volume by its name in the stack."""
    return {"name": scope.named(name), "driver": "local", "labels": {f"{LABEL}.stack": scope.stack}}


def tools(scope: Scope) -> Inputs:
    """The one-shot that puts a static busybox on a volume, and reports the group that owns the engine's socket."""
    copy = f"cp /bin/busybox {TOOLS}/busybox.next && mv {TOOLS}/busybox.next {TOOLS}/busybox"
    return {
        "name": scope.named("tools"),
        "image": Late("image", "busybox"),
        "entrypoints": ["/bin/busybox", "sh", "-ec", f"{copy} && stat -c %g {SOCKET}"],
        "user": "0:0",
        "read_only": True,
        "network_mode": "none",
        "capabilities": {"drops": ["ALL"]},
        **scope.confined(32),
        "volumes": [{"volume_name": Late("volume", scope.named("tools")), "container_path": TOOLS}],
        "mounts": [bind(scope.settings.engine_socket, SOCKET)],
        "labels": scope.labels(
            "tools",
            reason="one-shot: root copies the health probe's client to a volume",
            socket=scope.settings.engine_socket,  # else another mount would be an update that does nothing
        ),
        "must_run": False,
        "attach": True,
        "logs": True,
        "restart": "no",
    }


# -- a workload's container ------------------------------------------------------------------------------------------


def container(scope: Scope, workload: Workload) -> Inputs:
    """The container that runs a workload's process."""
    return present(
        {
            "name": scope.named(workload.name),
            "hostname": hostname(scope, workload),
            "image": Late("image", workload.image),
            "entrypoints": list(workload.entrypoint) or None,
            "command": list(workload.args) or None,
            "envs": [f"{key}={value}" for key, value in sorted(workload.env.items())] or None,
            **_rights(scope, workload),
            **_bounds(scope, workload),
            "restart": "unless-stopped",
            "must_run": True,
            "destroy_grace_seconds": workload.stop_seconds,
            # no networkMode: an engine takes no aliases in the network that it names; the default one is left again
            "networks_advanced": networks(scope, workload),
            "ports": _ports(workload) or None,
            "hosts": _hosts(workload),
            "volumes": mounts(scope, workload),
            "mounts": _existing_mounts(workload) or None,
            "healthcheck": healthcheck(workload),
            "labels": {
                **scope.labels(
                    workload.name,
                    role="service",
                    **{"restart-digest": restart_digest(scope, workload)},
                    **_about(workload),
                ),
                **restart_labels(scope, workload),
            },
        }
    )


def _rights(scope: Scope, workload: Workload) -> Inputs:
    """Whom the process runs as, and what it may do."""
    owner = derive_user_id(scope.stack, workload.name)
    adds = [f"CAP_{capability}" for capability in workload.list_capabilities()]
    return {
        "user": "0:0" if workload.is_exempt("root-user") else f"{owner}:{owner}",
        "group_adds": groups(workload) or None,
        "read_only": not workload.is_exempt("writable-root"),
        "capabilities": {**({"adds": adds} if adds else {}), "drops": ["ALL"]},
    }


def _bounds(scope: Scope, workload: Workload) -> Inputs:
    """How much of the host the process may use."""
    limits = workload.limits
    return {
        **scope.confined(limits.memory // MIB),
        "cpus": str(limits.cpus),
        "ulimits": [{"name": "nproc", "soft": limits.pids, "hard": limits.pids}],
        "tmpfs": {path: "rw,noexec,nosuid,nodev,size=64m" for path in sorted(workload.tmpfs)} or None,
    }


def restart_digest(scope: Scope, workload: Workload) -> str:
    """Digest of everything whose change starts a new process anyway, so that the old one need not reload.

    Mounts and tmpfs are in it as the provider (5.2.0) calls another one of them an update, and does nothing then:
    with another label it replaces the container.
    """
    config = workload.config
    process = [scope.reference(workload.image), workload.args, workload.entrypoint, dict(workload.env)]
    places = [sorted((item.path, item.source) for item in workload.host_mounts), sorted(workload.tmpfs)]
    return compute_digest([*process, *places, config.compute_restart_digest() if config else ""])


def process_name(scope: Scope, workload: Workload) -> str | Late:
    """The name in the network of a process that a workload's documents are for.

    While a container is still to be replaced, as after a run that was killed, its process has another one: it is
    not asked to load what its successor will read. Nor is one with other secrets than its successor's: it would
    refuse a login with the new ones.
    """
    name = f"{workload.name}-{restart_digest(scope, workload)}"
    fixed = workload.list_secrets_read(again=False)
    return Late("mark", "secrets", f"{name}-{{}}") if fixed else name


def restart_labels(scope: Scope, workload: Workload) -> dict[str, Late]:
    """Labels that change where a container must start anew although its own description is the same."""
    ids = {f"started-with.{other}": Late("container", other) for other in sorted(workload.restart_with)}
    # the engine takes a container's network away without a word when that is removed by force
    ids["network"] = Late("network-id", scope.network)
    if workload.list_secrets_read(again=False):  # it must reach its reader
        ids["secrets"] = Late("mark", "secrets")
    return {f"{LABEL}.{key}": value for key, value in ids.items()}


def groups(workload: Workload) -> list[str | Late]:
    """The groups of the host that a workload is in, by number: names are not known inside of a container."""
    socket = [Late("socket-group", "engine")] if workload.is_exempt("docker-socket") else []
    return [*socket, *(str(number) for number in sorted(set(workload.groups)))]


def networks(scope: Scope, workload: Workload) -> list[Inputs]:
    """The stack's own network under the workload's names, and those of others for whoever connects to them.

    In these it has no alias: `prometheus` or `api` may be the name of one of theirs.
    """
    names: set[str | Late] = {qualified(name, scope.home) for name in (workload.name, *workload.aliases)}
    if workload.config and workload.config.reload:
        names.add(process_name(scope, workload))
    own = {"name": Late("network", scope.network), "aliases": sorted(names, key=str)}
    if workload.egress == "stack":
        return [own]
    return [own, *({"name": name} for name in sorted(scope.settings.external_networks))]


def hostname(scope: Scope, workload: Workload) -> str:
    """The workload's name; that of the container among others, as engines from 25 on answer to it in each network.

    Linux takes 64 characters; nobody is asked for by a name that was cut.
    """
    return derive_resource_name(scope.stack, workload.name)[:63].rstrip("-") if scope.home else workload.name


def mounts(scope: Scope, workload: Workload) -> list[Inputs]:
    """Every volume in a workload's container, by path."""
    made = [mount(Late("volume", scope.named("tools")), TOOLS)]
    if workload.config:
        made.append(mount(scope.named(f"{workload.name}-config"), workload.config.path))
    made += data_mounts(scope, workload) + secret_mounts(scope, workload)
    made += [mount(scope.named(other.name), other.path) for other in workload.shared_volumes]
    made += [
        {"host_path": item.source, "container_path": item.path, "read_only": True}
        for item in workload.host_mounts
        if item.create
    ]
    return sorted(made, key=lambda item: str(item["container_path"]))


def _existing_mounts(workload: Workload) -> list[Inputs]:
    ordered = sorted(workload.host_mounts, key=lambda item: item.path)
    return [bind(item.source, item.path) for item in ordered if not item.create]


def _ports(workload: Workload) -> list[Inputs]:
    return [
        {"internal": port.number, "external": port.publish, "ip": port.bind, "protocol": "tcp"}
        for port in workload.ports
        if port.publish is not None
    ]


def _hosts(workload: Workload) -> list[Inputs] | None:
    gateway = [{"host": "host.docker.internal", "ip": "host-gateway"}]
    return gateway if workload.is_exempt("host-gateway") else None


def _about(workload: Workload) -> dict[str, str]:
    """Labels for whoever inspects the container: every declared exception, and the port that people open.

    The port is said only where several are published: the engine lists them in an order of its own.
    """
    published = [port.number for port in workload.ports if port.publish is not None]
    return {**({"port": str(published[0])} if len(published) > 1 else {}), **dict(_reasons(workload.exemptions))}


def _reasons(exemptions: Sequence[Exemption]) -> Iterator[tuple[str, str]]:
    for item in exemptions:
        yield f"exempt.{item.rule}" + (f".{item.value.lower()}" if item.value else ""), item.reason


def healthcheck(workload: Workload) -> Inputs | None:
    """How the engine finds out whether the process is well; None where it is not probed."""
    probe = workload.probe
    if probe is None:
        return None
    if isinstance(probe, HttpProbe):
        url = f"http://127.0.0.1:{probe.port}{probe.path}"
        command: Sequence[str] = (f"{TOOLS}/busybox", "wget", "-q", "-O", "/dev/null", url)
    else:
        command = probe.command
    return {
        "tests": ["CMD", *command],
        "interval": go_duration(probe.interval),
        "timeout": go_duration(probe.timeout),
        "retries": probe.retries,
        "start_period": go_duration(probe.start_period),
    }


def go_duration(seconds: int) -> str:
    """Whole seconds as the engine writes them back, so that reading them shows no difference: 90 is `1m30s`."""
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return (f"{hours}h" if hours else "") + (f"{minutes}m" if hours or minutes else "") + f"{rest}s"
