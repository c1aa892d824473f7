"""A stack on a Docker engine as plain data: its network, its volumes and the container of each workload.

Pure functions: nothing here talks to an engine or knows of Pulumi, so the same inputs can be written to files, compared
and registered. One-shot containers that deliver documents and secrets are made by `targets.docker.delivery`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from model.images import HELPER
from model.naming import LABEL, derive_resource_name
from model.workload import MIB, Exemption, HostMount, HttpProbe, Workload, compute_digest
from targets.docker.shared import (
    SOCKET,
    TOOLS,
    Inputs,
    Late,
    Scope,
    build_bind_mount,
    build_data_mounts,
    build_mount,
    build_secret_mounts,
    drop_absent,
    qualify_name,
)

# -- all of a stack --------------------------------------------------------------------------------------------------


def build_network(scope: Scope) -> Inputs:
    """The stack's own network."""
    return {"name": scope.network, "driver": "bridge", "labels": {f"{LABEL}.stack": scope.stack}}


def build_volume(scope: Scope, name: str) -> Inputs:
    """A volume by its name in the stack."""
    return {"name": scope.name_resource(name), "driver": "local", "labels": {f"{LABEL}.stack": scope.stack}}


def build_tools(scope: Scope) -> Inputs:
    """The one-shot that puts a static busybox on a volume, and reports the group that owns the engine's socket."""
    copy = f"cp /bin/busybox {TOOLS}/busybox.next && mv {TOOLS}/busybox.next {TOOLS}/busybox"
    return {
        "name": scope.name_resource("tools"),
        "image": Late("image", HELPER),
        "entrypoints": ["/bin/busybox", "sh", "-ec", f"{copy} && stat -c %g {SOCKET}"],
        "user": "0:0",
        "read_only": True,
        "network_mode": "none",
        # the volume belongs to the root of containers, who is another one than the host's where users are mapped
        "capabilities": {
            **({"adds": ["CAP_DAC_OVERRIDE"]} if scope.settings.user_namespaces else {}),
            "drops": ["ALL"],
        },
        **scope.build_confinement(32, sees_host=True),
        "volumes": [{"volume_name": Late("volume", scope.name_resource("tools")), "container_path": TOOLS}],
        "mounts": [build_bind_mount(scope.settings.engine_socket, SOCKET)],
        "labels": scope.build_labels(
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


def build_container(scope: Scope, workload: Workload) -> Inputs:
    """The container that runs a workload's process."""
    return drop_absent(
        {
            "name": scope.name_resource(workload.name),
            "hostname": name_host(scope, workload),
            "image": Late("image", workload.image),
            "entrypoints": list(workload.entrypoint) or None,
            "command": list(workload.args) or None,
            "envs": [f"{key}={value}" for key, value in sorted(workload.env.items())] or None,
            **_build_rights(scope, workload),
            **_build_limits(scope, workload),
            "restart": "unless-stopped",
            "must_run": True,
            "destroy_grace_seconds": workload.stop_seconds,
            # no networkMode: an engine takes no aliases in the network that it names; the default one is left again
            "networks_advanced": build_networks(scope, workload),
            "ports": _build_ports(workload) or None,
            "hosts": _build_hosts(workload),
            "volumes": build_mounts(scope, workload),
            "mounts": _build_existing_mounts(workload) or None,
            "healthcheck": build_healthcheck(workload),
            "labels": {
                **scope.build_labels(
                    workload.name,
                    role="service",
                    **{"restart-digest": compute_restart_digest(scope, workload)},
                    **_build_about_labels(workload),
                ),
                **build_restart_labels(scope, workload),
            },
        }
    )


def _build_rights(scope: Scope, workload: Workload) -> Inputs:
    """Whom the process runs as, and what it may do."""
    owner = scope.find_owner(workload)
    adds = [f"CAP_{capability}" for capability in workload.list_capabilities()]
    return {
        "user": f"{owner}:{owner}",
        "group_adds": list_groups(workload) or None,
        "read_only": not workload.is_exempt("writable-root"),
        "capabilities": {**({"adds": adds} if adds else {}), "drops": ["ALL"]},
    }


def _build_limits(scope: Scope, workload: Workload) -> Inputs:
    """How much of the host the process may use."""
    limits = workload.limits
    return {
        **scope.build_confinement(limits.memory // MIB, sees_host=workload.sees_host),
        "cpus": str(limits.cpus),
        "ulimits": [{"name": "nproc", "soft": limits.pids, "hard": limits.pids}],
        "tmpfs": {path: "rw,noexec,nosuid,nodev,size=64m" for path in sorted(workload.tmpfs)} or None,
    }


def compute_restart_digest(scope: Scope, workload: Workload) -> str:
    """Digest of everything whose change starts a new process anyway, so that the old one need not reload.

    Mounts and tmpfs are in it as the provider (5.2.0) calls another one of them an update, and does nothing then:
    with another label it replaces the container.
    """
    config = workload.config
    process = [scope.build_reference(workload.image), workload.args, workload.entrypoint, dict(workload.env)]
    mounts = [sorted(map(_describe_host_mount, workload.host_mounts)), sorted(workload.tmpfs)]
    return compute_digest([*process, *mounts, config.compute_restart_digest() if config else ""])


def _describe_host_mount(item: HostMount) -> tuple[str, ...]:
    return (item.path, item.source, *(("writable",) if item.writable else ()))


def find_process_name(scope: Scope, workload: Workload) -> str | Late:
    """The name in the network of a process that a workload's documents are for.

    While a container is still to be replaced, as after a run that was killed, its process has another one: it is
    not asked to load what its successor will read. Nor is one with other secrets than its successor's: it would
    refuse a login with the new ones.
    """
    name = f"{workload.name}-{compute_restart_digest(scope, workload)}"
    fixed = workload.list_secrets_read(again=False)
    return Late("mark", "secrets", f"{name}-{{}}") if fixed else name


def build_restart_labels(scope: Scope, workload: Workload) -> dict[str, Late]:
    """Labels that change where a container must start anew although its own description is the same."""
    ids = {f"started-with.{other}": Late("container", other) for other in sorted(workload.restart_with)}
    # the engine takes a container's network away without a word when that is removed by force
    ids["network"] = Late("network-id", scope.network)
    if workload.list_secrets_read(again=False):  # it must reach its reader
        ids["secrets"] = Late("mark", "secrets")
    return {f"{LABEL}.{key}": value for key, value in ids.items()}


def list_groups(workload: Workload) -> list[str | Late]:
    """The groups of the host that a workload is in, by number: names are not known inside of a container."""
    socket = [Late("socket-group", "engine")] if workload.is_exempt("docker-socket") else []
    return [*socket, *(str(number) for number in sorted(set(workload.groups)))]


def build_networks(scope: Scope, workload: Workload) -> list[Inputs]:
    """The stack's own network under the workload's names, and those of others for whoever connects to them.

    In these it has no alias: `prometheus` or `api` may be the name of one of theirs.
    """
    names: set[str | Late] = {qualify_name(name, scope.network_suffix) for name in (workload.name, *workload.aliases)}
    if workload.config and workload.config.reload:
        names.add(find_process_name(scope, workload))
    own = {"name": Late("network", scope.network), "aliases": sorted(names, key=str)}
    if workload.egress == "stack":
        return [own]
    return [own, *({"name": name} for name in sorted(scope.settings.external_networks))]


def name_host(scope: Scope, workload: Workload) -> str:
    """The workload's name; that of the container among others, as engines from 25 on answer to it in each network.

    Linux takes 64 characters; nobody is asked for by a name that was cut.
    """
    return derive_resource_name(scope.stack, workload.name)[:63].rstrip("-") if scope.network_suffix else workload.name


def build_mounts(scope: Scope, workload: Workload) -> list[Inputs]:
    """Every volume in a workload's container, by path."""
    mounts = [build_mount(Late("volume", scope.name_resource("tools")), TOOLS)]
    if workload.config:
        mounts.append(build_mount(scope.name_resource(f"{workload.name}-config"), workload.config.path))
    mounts += build_data_mounts(scope, workload) + build_secret_mounts(scope, workload)
    mounts += [build_mount(scope.name_resource(other.name), other.path) for other in workload.shared_volumes]
    mounts += [
        {"host_path": item.source, "container_path": item.path, "read_only": not item.writable}
        for item in workload.host_mounts
        if item.create
    ]
    return sorted(mounts, key=lambda item: str(item["container_path"]))


def _build_existing_mounts(workload: Workload) -> list[Inputs]:
    ordered = sorted(workload.host_mounts, key=lambda item: item.path)
    return [
        build_bind_mount(item.source, item.path, read_only=not item.writable) for item in ordered if not item.create
    ]


def _build_ports(workload: Workload) -> list[Inputs]:
    return [
        {"internal": port.number, "external": port.publish, "ip": port.bind, "protocol": "tcp"}
        for port in workload.ports
        if port.publish is not None
    ]


def _build_hosts(workload: Workload) -> list[Inputs] | None:
    gateway = [{"host": "host.docker.internal", "ip": "host-gateway"}]
    return gateway if workload.is_exempt("host-gateway") else None


def _build_about_labels(workload: Workload) -> dict[str, str]:
    """Labels for whoever inspects the container: every declared exception, and the port that people open.

    The port is said only where several are published: the engine lists them in an order of its own.
    """
    published = [port.number for port in workload.ports if port.publish is not None]
    return {**({"port": str(published[0])} if len(published) > 1 else {}), **dict(_list_reasons(workload.exemptions))}


def _list_reasons(exemptions: Sequence[Exemption]) -> Iterator[tuple[str, str]]:
    for item in exemptions:
        yield f"exempt.{item.rule}" + (f".{item.value.lower()}" if item.value else ""), item.reason


def build_healthcheck(workload: Workload) -> Inputs | None:
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
        "interval": format_go_duration(probe.interval),
        "timeout": format_go_duration(probe.timeout),
        "retries": probe.retries,
        "start_period": format_go_duration(probe.start_period),
    }


def format_go_duration(seconds: int) -> str:
    """Whole seconds as the engine writes them back, so that reading them shows no difference: 90 is `1m30s`."""
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return (f"{hours}h" if hours else "") + (f"{minutes}m" if hours or minutes else "") + f"{rest}s"
