"""Docker: a Workload becomes a container, its volumes, and one-shot containers that deliver documents and secrets.

Documents and secrets travel as uploads through the engine's API, so a remote engine needs nothing of the deployer's
disk. A change of a document replaces only the one-shot container `<name>-configure`, which proves that the running
process took it (targets/deliver.sh); the service's own container stays. See docs/adr for why.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

import pulumi
import pulumi_docker as docker

from model.images import Image
from model.naming import LABEL, resource_name, user_id
from model.settings import DockerSettings
from model.workload import MIB, SECRETS_DIR, ConfigDir, DataVolume, Exemption, HttpProbe, SecretFile, Workload, digest
from targets.base import Deployment, mark_secrets
from targets.environment import reload_environment

SCRIPT = Path(__file__).with_name("deliver.sh")
SOCKET = "/var/run/docker.sock"
TOOLS = "/tools"
_WORDS = 4000
"""Characters of a process's own words that an error repeats."""


class DeliveryError(pulumi.RunError):
    """A process refused its new configuration; the old one is in force. Ends the run without a stack trace."""


class DockerTarget:
    """One Docker engine, local or remote, and what all workloads of a stack share on it.

    Args:
        stack: prefix of every name on the engine.
        settings: the engine's address, registry and logs.
        images: image references by short name.
        secrets: values of the plan's secrets by name.
        opts: options of the component that holds the shared resources.
    """

    def __init__(
        self,
        stack: str,
        settings: DockerSettings,
        images: Mapping[str, Image],
        secrets: Mapping[str, pulumi.Output[str]],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        self._stack, self._settings, self._images, self._secrets = stack, settings, images, secrets
        self._host = pulumi.ComponentResource("observability:targets:DockerHost", stack, {}, opts)
        self._pulled: dict[str, docker.RemoteImage] = {}
        self._started: dict[str, pulumi.Output[str]] = {}
        self._marks: dict[str, pulumi.Output[str]] = {}
        self._provider = docker.Provider(
            resource_name(stack, "engine"),
            host=settings.host,
            cert_path=settings.cert_path,
            ssh_opts=list(settings.ssh_options) or None,
            registry_auth=[
                docker.ProviderRegistryAuthArgs(
                    address=login.address, username=login.username, password=secrets[login.password_secret]
                )
                for login in settings.registry_logins
            ]
            or None,
            opts=pulumi.ResourceOptions(parent=self._host),
        )
        self._network = docker.Network(
            resource_name(stack, "monitoring"),
            name=resource_name(stack, "monitoring"),
            driver="bridge",
            labels=self._network_labels(),
            opts=self._child(self._host),
        )
        self._tools = self._volume("tools", self._host, retain=False)
        self._fetch = self._fetch_tools()
        self._host.register_outputs({})

    # -- the protocol ------------------------------------------------------------------------------------------------

    def address(self, name: str, port: int) -> str:
        """See the module's `address`."""
        return address(name, port, shared_home(self._stack, self._settings))

    def check(self, workloads: Sequence[Workload]) -> list[str]:
        """What Docker cannot express: secrets outside their one directory, paths of the host that are not declared,
        and names that the target needs for its own containers and volumes.
        """
        return check(workloads)

    def deploy(
        self, workload: Workload, *, parent: pulumi.Resource, after: Sequence[pulumi.Resource] = ()
    ) -> Deployment:
        """Volumes, secrets, documents, then the container; its children are `parent`'s."""
        volumes = {v.name: self._data_volume(v, parent) for v in workload.volumes}
        secrets = self._deliver_secrets(workload, parent) if workload.secrets else None
        before: list[pulumi.Resource] = [self._fetch, *volumes.values(), *([secrets] if secrets else []), *after]
        configure = None
        if workload.config or workload.volumes:
            configure = self._configure(workload, parent, before)
            before.append(configure)
        container = self._container(workload, parent, before)
        self._started[workload.name] = container.id
        ready = _delivered(workload.name, configure) if configure else pulumi.Output.from_input(True)
        return Deployment(
            name=workload.name,
            ready=pulumi.Output.all(ready, container.id).apply(lambda _: True),
            address=self.address(workload.name, workload.ports[0].number if workload.ports else 0),
            ports={p.name: f"{p.bind}:{p.publish}" for p in workload.ports if p.publish is not None},
            resources=(container,),
        )

    # -- shared parts ------------------------------------------------------------------------------------------------

    def _child(self, parent: pulumi.Resource, **options: object) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(parent=parent, provider=self._provider, **options)  # type: ignore[arg-type]

    def _image(self, name: str) -> pulumi.Output[str]:
        if name not in self._pulled:
            reference = self._images[name].reference(self._settings.registry_mirror)
            self._pulled[name] = docker.RemoteImage(
                resource_name(self._stack, name),
                name=reference,
                keep_locally=True,
                opts=self._child(self._host),
            )
        return self._pulled[name].image_id

    def _labels(self, workload: str, **more: str) -> list[docker.ContainerLabelArgs]:
        values = {"stack": self._stack, "workload": workload, **more}
        return [docker.ContainerLabelArgs(label=f"{LABEL}.{key}", value=values[key]) for key in sorted(values)]

    def _network_labels(self) -> list[docker.NetworkLabelArgs]:
        return [docker.NetworkLabelArgs(label=f"{LABEL}.stack", value=self._stack)]

    def _volume(self, name: str, parent: pulumi.Resource, *, retain: bool) -> docker.Volume:
        full = resource_name(self._stack, name)
        return docker.Volume(
            full,
            name=full,
            driver="local",
            labels=[docker.VolumeLabelArgs(label=f"{LABEL}.stack", value=self._stack)],
            opts=self._child(parent, retain_on_delete=retain),
        )

    def _data_volume(self, volume: DataVolume, parent: pulumi.Resource) -> docker.Volume:
        return self._volume(volume.name, parent, retain=volume.retain)

    def _log_opts(self) -> dict[str, str]:
        """Options of the log driver in full, so that a default in the engine's daemon.json makes no difference."""
        return {"max-file": str(self._settings.log_max_files), "max-size": self._settings.log_max_size}

    def _fetch_tools(self) -> docker.Container:
        """Puts a static busybox on the tools volume, and reports the group that owns the engine's socket."""
        name = resource_name(self._stack, "tools")
        script = (
            f"cp /bin/busybox {TOOLS}/busybox.next && mv {TOOLS}/busybox.next {TOOLS}/busybox && stat -c %g {SOCKET}"
        )
        args = docker.ContainerArgs(
            name=name,
            image=self._image("busybox"),
            entrypoints=["/bin/busybox", "sh", "-ec", script],
            user="0:0",
            read_only=True,
            network_mode="none",
            capabilities=docker.ContainerCapabilitiesArgs(drops=["ALL"]),
            security_opts=["no-new-privileges:true"],
            memory=32,
            memory_swap=self._swap(32),
            volumes=[
                docker.ContainerVolumeArgs(volume_name=self._tools.name, container_path=TOOLS),
            ],
            mounts=[_existing(self._settings.engine_socket, SOCKET)],
            labels=self._labels(
                "tools",
                reason="one-shot: root copies the health probe's client to a volume",
                socket=self._settings.engine_socket,  # else another mount would be an update that does nothing
            ),
            must_run=False,
            attach=True,
            logs=True,
            restart="no",
            log_driver="json-file",
            log_opts=self._log_opts(),
        )
        return docker.Container(name, args, opts=self._child(self._host, delete_before_replace=True))

    # -- parts of a workload -----------------------------------------------------------------------------------------

    def _deliver_secrets(self, workload: Workload, parent: pulumi.Resource) -> docker.Container:
        """A container that never runs: its uploads land straight on the secrets volume, and nowhere else.

        It has no `user`, else the engine would give the files to that one instead of the owner named here.
        """
        name = resource_name(self._stack, f"{workload.name}-secrets")
        volume = self._volume(f"{workload.name}-secrets", parent, retain=False)
        args = docker.ContainerArgs(
            name=name,
            image=self._image("busybox"),
            command=["true"],
            start=False,
            must_run=False,
            restart="no",
            network_mode="none",
            capabilities=docker.ContainerCapabilitiesArgs(drops=["ALL"]),
            security_opts=["no-new-privileges:true"],
            memory=32,
            memory_swap=self._swap(32),
            volumes=[docker.ContainerVolumeArgs(volume_name=volume.name, container_path=SECRETS_DIR)],
            uploads=[self._secret_upload(workload, secret) for secret in workload.secrets],
            labels=self._labels(workload.name, role="secrets", reason="never started: carries files to a volume"),
            log_driver="json-file",
            log_opts=self._log_opts(),
        )
        return docker.Container(name, args, opts=self._child(parent, delete_before_replace=True))

    def _secret_upload(self, workload: Workload, secret: SecretFile) -> docker.ContainerUploadArgs:
        owner, value = str(user_id(self._stack, workload.name)), self._secret_text(secret)
        return docker.ContainerUploadArgs(file=secret.path, content=value, permissions="0400", owner=owner, group=owner)

    def _secret_text(self, secret: SecretFile) -> pulumi.Output[str]:
        return self._secrets[secret.secret].apply(lambda text: secret.template.replace("{}", text))

    def _secrets_mark(
        self, workload: Workload, secrets: Sequence[SecretFile], name: str, parent: pulumi.Resource
    ) -> pulumi.Output[str]:
        """See `targets.base.mark_secrets`.

        The container that carries them is no such mark: `docker container prune` takes it away, as it never runs.
        """
        full = resource_name(self._stack, f"{workload.name}-{name}-mark")
        if full not in self._marks:
            texts = {secret.path: self._secret_text(secret) for secret in secrets}
            self._marks[full] = mark_secrets(full, texts, parent)
        return self._marks[full]

    def _configure(
        self, workload: Workload, parent: pulumi.Resource, before: Sequence[pulumi.Resource]
    ) -> docker.Container:
        """The one-shot container that delivers documents and gives data directories to the service's user."""
        name = resource_name(self._stack, f"{workload.name}-configure")
        config = workload.config or ConfigDir(path="/none", files={})
        revision = config.revision()  # once: it digests every document
        volume = self._volume(f"{workload.name}-config", parent, retain=False)
        mounts = [
            docker.ContainerVolumeArgs(volume_name=self._tools.name, container_path=TOOLS, read_only=True),
            docker.ContainerVolumeArgs(volume_name=volume.name, container_path="/config"),
            *self._data_mounts(workload),
            *self._secret_mounts(workload),
        ]
        args = docker.ContainerArgs(
            name=name,
            image=self._image(workload.image),
            entrypoints=[f"{TOOLS}/busybox", "sh", "/deliver.sh"],
            command=[],
            user="0:0",
            network_mode=self._network.name,
            networks_advanced=[docker.ContainerNetworksAdvancedArgs(name=self._network.name)],
            capabilities=docker.ContainerCapabilitiesArgs(
                adds=["CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER"], drops=["ALL"]
            ),
            security_opts=["no-new-privileges:true"],
            memory=max(128, workload.limits.memory // MIB),
            memory_swap=self._swap(max(128, workload.limits.memory // MIB)),
            tmpfs={"/tmp": "rw,nosuid,nodev,size=64m"},  # noqa: S108 - inside the container
            envs=pulumi.Output.all(
                *(f"{key}={value}" for key, value in self._delivery(workload, config, revision).items()),
                *self._host_of_process(workload, parent),
                *self._reread(workload, parent),
            ).apply(sorted),
            volumes=mounts,
            uploads=[
                docker.ContainerUploadArgs(file="/deliver.sh", content=SCRIPT.read_text(encoding="utf-8")),
                *(
                    docker.ContainerUploadArgs(file=f"/config/.incoming-{revision}/{path}", content=text)
                    for path, text in sorted(config.files.items())
                ),
            ],
            labels=self._labels(
                workload.name, role="configure", reason="one-shot: root writes what the service may only read"
            ),
            must_run=False,
            attach=True,
            logs=True,
            restart="no",
            log_driver="json-file",
            log_opts=self._log_opts(),
        )
        return docker.Container(
            name, args, opts=self._child(parent, depends_on=list(before), delete_before_replace=True)
        )

    def _delivery(self, workload: Workload, config: ConfigDir, revision: str) -> dict[str, str]:
        """The environment of deliver.sh. It holds no secret."""
        values = {
            "NAME": workload.name,
            "OWNER": str(user_id(self._stack, workload.name)),
            "REVISION": revision,
            "DOCUMENTS": str(len(config.files)),
            "DATA_DIRS": " ".join(volume.path for volume in workload.volumes),
        }
        if config.validate:
            words = [part.replace("{dir}", f"/config/.rev-{revision}") for part in config.validate]
            values["VALIDATE"] = shlex.join(words)
            if config.validate_seconds:
                values["VALIDATE_SECONDS"] = str(config.validate_seconds)
                values["VALIDATE_MARKER"] = config.validate_marker
                values["VALIDATE_IGNORE"] = config.validate_ignore or ""
        if reload := config.reload:
            values |= reload_environment(reload)
        return values

    def _reread(self, workload: Workload, parent: pulumi.Resource) -> list[pulumi.Output[str]]:
        """A variable that changes with the secrets which the process reads again when its documents are delivered."""
        secrets = workload.secrets_read(again=True)
        if not secrets:
            return []
        return [pulumi.Output.concat("SECRETS=", self._secrets_mark(workload, secrets, "reread", parent))]

    def _host_of_process(self, workload: Workload, parent: pulumi.Resource) -> list[pulumi.Input[str]]:
        """The variable with the name that deliver.sh asks, where the process is asked at all."""
        if workload.config is None or workload.config.reload is None:
            return []
        return [pulumi.Output.concat("HOST=", self._process(workload, parent))]

    def _process(self, workload: Workload, parent: pulumi.Resource) -> pulumi.Input[str]:
        """The name in the network of a process that these documents are for.

        While a container is still to be replaced, as after a run that was killed, its process has another one: it is
        not asked to load what its successor will read. Nor is one with other secrets than its successor's: it would
        refuse a login with the new ones.
        """
        name = f"{workload.name}-{self._generation(workload)}"
        fixed = workload.secrets_read(again=False)
        return (
            pulumi.Output.concat(name, "-", self._secrets_mark(workload, fixed, "secrets", parent)) if fixed else name
        )

    def _generation(self, workload: Workload) -> str:
        """Digest of everything whose change starts a new process anyway, so that the old one need not reload.

        Mounts and tmpfs are in it as the provider (5.2.0) calls another one of them an update, and does nothing then:
        with another label it replaces the container.
        """
        config = workload.config
        image = self._images[workload.image].reference(self._settings.registry_mirror)
        process = [image, workload.args, workload.entrypoint, dict(workload.env)]
        places = [sorted((mount.path, mount.source) for mount in workload.host_mounts), sorted(workload.tmpfs)]
        return digest([*process, *places, config.restart_digest() if config else ""])

    def _container(
        self,
        workload: Workload,
        parent: pulumi.Resource,
        before: Sequence[pulumi.Resource],
    ) -> docker.Container:
        name = resource_name(self._stack, workload.name)
        owner = user_id(self._stack, workload.name)
        root = workload.exempt("root-user")
        memory = workload.limits.memory // MIB
        labels = self._labels(workload.name, role="service", generation=self._generation(workload), **_about(workload))
        labels += self._restart_labels(workload, parent)
        adds = [f"CAP_{capability}" for capability in workload.capabilities()]
        args = docker.ContainerArgs(
            name=name,
            hostname=self._hostname(workload),
            image=self._image(workload.image),
            entrypoints=list(workload.entrypoint) or None,
            command=list(workload.args) or None,
            envs=[f"{key}={value}" for key, value in sorted(workload.env.items())] or None,
            user="0:0" if root else f"{owner}:{owner}",
            group_adds=self._groups(workload) or None,
            read_only=not workload.exempt("writable-root"),
            capabilities=docker.ContainerCapabilitiesArgs(adds=adds or None, drops=["ALL"]),
            security_opts=["no-new-privileges:true"],
            memory=memory,
            memory_swap=self._swap(memory),
            cpus=str(workload.limits.cpus),
            ulimits=[
                docker.ContainerUlimitArgs(name="nproc", soft=workload.limits.pids, hard=workload.limits.pids),
            ],
            tmpfs={path: "rw,noexec,nosuid,nodev,size=64m" for path in sorted(workload.tmpfs)} or None,
            restart="unless-stopped",
            must_run=True,
            destroy_grace_seconds=workload.stop_seconds,
            # no networkMode: an engine takes no aliases in the network that it names; the default one is left again
            networks_advanced=self._networks(workload, parent),
            ports=[
                docker.ContainerPortArgs(internal=p.number, external=p.publish, ip=p.bind, protocol="tcp")
                for p in workload.ports
                if p.publish is not None
            ]
            or None,
            hosts=[docker.ContainerHostArgs(host="host.docker.internal", ip="host-gateway")]
            if workload.exempt("host-gateway")
            else None,
            volumes=self._mounts(workload),
            mounts=_existing_mounts(workload) or None,
            healthcheck=_healthcheck(workload),
            labels=labels,
            log_driver="json-file",
            log_opts=self._log_opts(),
        )
        return docker.Container(
            name, args, opts=self._child(parent, depends_on=list(before), delete_before_replace=True)
        )

    def _restart_labels(self, workload: Workload, parent: pulumi.Resource) -> list[docker.ContainerLabelArgs]:
        """Labels that change where a container must start anew although its own description is the same."""
        ids = {f"started-with.{other}": self._started[other] for other in sorted(workload.restart_with)}
        # the engine takes a container's network away without a word when that is removed by force
        ids["network"] = self._network.id
        if fixed := workload.secrets_read(again=False):  # it must reach its reader
            ids["secrets"] = self._secrets_mark(workload, fixed, "secrets", parent)
        return [docker.ContainerLabelArgs(label=f"{LABEL}.{key}", value=value) for key, value in ids.items()]

    def _swap(self, memory: int) -> int:
        """Memory and swap together, in MiB: no swap, or what an engine that cannot limit it says of every container."""
        return memory if self._settings.swap_limit else -1

    def _groups(self, workload: Workload) -> list[pulumi.Input[str]]:
        """The groups of the host that the workload is in, by number: names are not known inside of a container."""
        socket: list[pulumi.Input[str]] = [self._socket_group()] if workload.exempt("docker-socket") else []
        return [*socket, *(str(number) for number in sorted(set(workload.groups)))]

    def _socket_group(self) -> pulumi.Output[str]:
        return self._fetch.container_logs.apply(lambda text: (text or "").strip().splitlines()[-1] if text else "0")

    def _networks(self, workload: Workload, parent: pulumi.Resource) -> list[docker.ContainerNetworksAdvancedArgs]:
        """The stack's own network under the workload's names, and those of others for whoever connects to them.

        In these it has no alias: `prometheus` or `api` may be the name of one of theirs.
        """
        home = shared_home(self._stack, self._settings)
        names: set[str] = {qualified(name, home) for name in (workload.name, *workload.aliases)}
        reloaded = [self._process(workload, parent)] if workload.config and workload.config.reload else []
        aliases = pulumi.Output.all(*names, *reloaded).apply(sorted)
        own = docker.ContainerNetworksAdvancedArgs(name=self._network.name, aliases=aliases)
        if workload.egress == "stack":
            return [own]
        return [own, *(docker.ContainerNetworksAdvancedArgs(name=n) for n in sorted(self._settings.external_networks))]

    def _hostname(self, workload: Workload) -> str:
        """The workload's name; that of the container among others, as engines from 25 on answer to it in each network.

        Linux takes 64 characters; nobody is asked for by a name that was cut.
        """
        shared = shared_home(self._stack, self._settings)
        return resource_name(self._stack, workload.name)[:63].rstrip("-") if shared else workload.name

    def _mounts(self, workload: Workload) -> list[docker.ContainerVolumeArgs]:
        mounts = [docker.ContainerVolumeArgs(volume_name=self._tools.name, container_path=TOOLS, read_only=True)]
        if workload.config:
            volume = resource_name(self._stack, f"{workload.name}-config")
            mounts.append(
                docker.ContainerVolumeArgs(volume_name=volume, container_path=workload.config.path, read_only=True)
            )
        mounts += self._data_mounts(workload) + self._secret_mounts(workload)
        mounts += [
            docker.ContainerVolumeArgs(
                volume_name=resource_name(self._stack, b.name), container_path=b.path, read_only=True
            )
            for b in workload.borrowed
        ]
        mounts += [
            docker.ContainerVolumeArgs(host_path=m.source, container_path=m.path, read_only=True)
            for m in workload.host_mounts
            if m.create
        ]
        return sorted(mounts, key=lambda mount: str(mount.container_path))

    def _data_mounts(self, workload: Workload) -> list[docker.ContainerVolumeArgs]:
        return [
            docker.ContainerVolumeArgs(
                volume_name=resource_name(self._stack, v.name), container_path=v.path, read_only=False
            )
            for v in workload.volumes
        ]

    def _secret_mounts(self, workload: Workload) -> list[docker.ContainerVolumeArgs]:
        if not workload.secrets:
            return []
        volume = resource_name(self._stack, f"{workload.name}-secrets")
        return [docker.ContainerVolumeArgs(volume_name=volume, container_path=SECRETS_DIR, read_only=True)]


def _existing_mounts(workload: Workload) -> list[docker.ContainerMountArgs]:
    found = sorted(workload.host_mounts, key=lambda mount: mount.path)
    return [_existing(mount.source, mount.path) for mount in found if not mount.create]


def _existing(source: str, path: str) -> docker.ContainerMountArgs:
    """A read-only view of a path of the host. The engine refuses one that is not there, instead of making a folder."""
    return docker.ContainerMountArgs(type="bind", source=source, target=path, read_only=True)


def shared_home(stack: str, settings: DockerSettings) -> str:
    """The name of the stack's own network where its containers join others beside it; empty where they do not."""
    return resource_name(stack, "monitoring") if settings.external_networks else ""


def qualified(name: str, home: str) -> str:
    """A workload's name with its network, `loki.dev-monitoring`, where `loki` could be found in another network too."""
    return f"{name}.{home}" if home else name


def address(name: str, port: int, home: str = "") -> str:
    """`host:port` of a workload for others in the stack's own network; `home` is what `shared_home` says."""
    return f"{qualified(name, home)}:{port}"


def check(workloads: Sequence[Workload]) -> list[str]:
    """What Docker cannot express, without an engine: see `DockerTarget.check`."""
    found = _taken_names(workloads)
    for workload in workloads:
        if workload.replicas > 1:
            found.append(f"workload {workload.name!r}: {workload.replicas} replicas need a cluster; use one on Docker")
        for secret in workload.secrets:
            if Path(secret.path).parent != Path(SECRETS_DIR):
                found.append(f"workload {workload.name!r}: secret file {secret.path!r} must lie in {SECRETS_DIR}")
        if workload.access or workload.told:
            found.append(f"workload {workload.name!r}: asks a cluster for what only a cluster has")
        if not all((*workload.args, *workload.entrypoint)):
            found.append(f"workload {workload.name!r}: an argument is empty, which the Docker provider refuses")
        if workload.host_mounts and not (workload.exempt("host-mount") or workload.exempt("docker-socket")):
            found.append(f"workload {workload.name!r}: mounts paths of the host without declaring the exemption")
    return found


def _taken_names(workloads: Sequence[Workload]) -> list[str]:
    """Workloads and data volumes that are called like something this target makes beside them."""
    containers = {"tools": "the health probes' client"}
    volumes = dict(containers)
    for workload in workloads:
        if workload.config or workload.volumes:
            documents = f"the documents of workload {workload.name!r}"
            containers[f"{workload.name}-configure"] = volumes[f"{workload.name}-config"] = documents
        if workload.secrets:
            secrets = f"the secrets of workload {workload.name!r}"
            containers[f"{workload.name}-secrets"] = volumes[f"{workload.name}-secrets"] = secrets
    return [
        *(
            f"workload {workload.name!r}: the name is taken by the container for {containers[workload.name]}"
            for workload in workloads
            if workload.name in containers
        ),
        *(
            f"workload {workload.name!r}: the name of its volume {volume.name!r} is taken by the one for "
            f"{volumes[volume.name]}"
            for workload in workloads
            for volume in workload.volumes
            if volume.name in volumes
        ),
    ]


def _delivered(name: str, configure: docker.Container) -> pulumi.Output[bool]:
    def judge(result: Sequence[object]) -> bool:
        code, words, urn = result
        if code:
            raise DeliveryError(
                f"{name} did not take its new configuration (exit status {code}):\n"
                f"{str(words or '').strip()[-_WORDS:]}\n"
                f"The same configuration is tried again by `make up`, or by: pulumi up --replace '{urn}'"
            )
        return True

    return pulumi.Output.all(configure.exit_code, configure.container_logs, configure.urn).apply(judge)


def _about(workload: Workload) -> dict[str, str]:
    """Labels for whoever inspects the container: every declared exception, and the port that people open.

    The port is said only where several are published: the engine lists them in an order of its own.
    """
    published = [port.number for port in workload.ports if port.publish is not None]
    return {**({"port": str(published[0])} if len(published) > 1 else {}), **_reasons(workload)}


def _reasons(workload: Workload) -> dict[str, str]:
    """Every declared exception as a label, for whoever inspects the container."""

    def key(exemption: Exemption) -> str:
        return f"exempt.{exemption.rule}" + (f".{exemption.value.lower()}" if exemption.value else "")

    return {key(exemption): exemption.reason for exemption in workload.exemptions}


def _healthcheck(workload: Workload) -> docker.ContainerHealthcheckArgs | None:
    probe = workload.probe
    if probe is None:
        return None
    if isinstance(probe, HttpProbe):
        url = f"http://127.0.0.1:{probe.port}{probe.path}"
        command: Sequence[str] = (f"{TOOLS}/busybox", "wget", "-q", "-O", "/dev/null", url)
    else:
        command = probe.command
    return docker.ContainerHealthcheckArgs(
        tests=["CMD", *command],
        interval=go_duration(probe.interval),
        timeout=go_duration(probe.timeout),
        retries=probe.retries,
        start_period=go_duration(probe.start_period),
    )


def go_duration(seconds: int) -> str:
    """Whole seconds as the engine writes them back, so that reading them shows no difference: 90 is `1m30s`."""
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return (f"{hours}h" if hours else "") + (f"{minutes}m" if hours or minutes else "") + f"{rest}s"
