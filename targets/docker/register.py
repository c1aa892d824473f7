"""Registers a stack on a Docker engine: what `containers` and `delivery` describe, with what is known only now.

A change of a document replaces only the one-shot container `<name>-configure`, which proves that the running process
took it (targets/deliver.sh); the service's own container stays. See docs/adr for why.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pulumi
import pulumi_docker as docker

from model.images import Image
from model.naming import derive_resource_name
from model.settings import DockerSettings
from model.workload import Workload
from targets.base import Deployment, mark_secrets
from targets.docker import containers, delivery, manifests
from targets.docker.check import check
from targets.docker.shared import Inputs, Late, Scope, build_address

_SHOWN = 4000
"""Characters of a process's own output that an error repeats."""


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
        self._scope, self._secrets = Scope(stack=stack, settings=settings, images=images), secrets
        self._host = pulumi.ComponentResource("observability:targets:DockerHost", stack, {}, opts)
        self._pulled: dict[str, docker.RemoteImage] = {}
        self._volumes: dict[str, docker.Volume] = {}
        self._started: dict[str, pulumi.Output[str]] = {}
        self._marks: dict[str, pulumi.Output[str]] = {}
        self._provider = self._register_provider()
        shared = manifests.build_stack_objects(self._scope)
        (network,), (tools,), (fetch,) = shared["networks"], shared["volumes"], shared["containers"]
        self._network = docker.Network(
            network["name"], opts=self._build_options(self._host), **_build_arguments(network)
        )
        self._register_volume(tools, self._host, retain=False)
        self._fetch = self._register_container(fetch, None, self._host)
        self._host.register_outputs({})

    # -- the protocol ------------------------------------------------------------------------------------------------

    def build_address(self, name: str, port: int) -> str:
        """See `targets.docker.shared.build_address`."""
        return build_address(name, port, self._scope.network_suffix)

    def check(self, workloads: Sequence[Workload]) -> list[str]:
        """See `targets.docker.check.check`."""
        return check(workloads)

    def deploy(
        self, workload: Workload, *, parent: pulumi.Resource, after: Sequence[pulumi.Resource] = ()
    ) -> Deployment:
        """Volumes, secrets, documents, then the container; its children are `parent`'s."""
        scope = self._scope
        volumes = [
            self._register_volume(inputs, parent, retain=retain)
            for inputs, retain in manifests.build_volumes(scope, workload)
        ]
        before: list[pulumi.Resource] = [self._fetch, *volumes[: len(workload.volumes)]]
        if workload.secrets:
            before.append(self._register_container(delivery.build_secrets(scope, workload), workload, parent))
        before += after
        ready = pulumi.Output.from_input(True)
        if delivery.needs_delivery(workload):
            configure = self._register_container(delivery.build_configure(scope, workload), workload, parent, before)
            before.append(configure)
            ready = _check_delivery(workload.name, configure)
        container = self._register_container(containers.build_container(scope, workload), workload, parent, before)
        self._started[workload.name] = container.id
        return Deployment(
            name=workload.name,
            ready=pulumi.Output.all(ready, container.id).apply(lambda _: True),
            address=self.build_address(workload.name, workload.ports[0].number if workload.ports else 0),
            ports={p.name: f"{p.bind}:{p.publish}" for p in workload.ports if p.publish is not None},
            resources=(container,),
        )

    # -- resources ---------------------------------------------------------------------------------------------------

    def _register_provider(self) -> docker.Provider:
        settings = self._scope.settings
        logins = [
            docker.ProviderRegistryAuthArgs(
                address=login.address, username=login.username, password=self._secrets[login.password_secret]
            )
            for login in settings.registry_logins
        ]
        return docker.Provider(
            self._scope.name_resource("engine"),
            host=settings.host,
            cert_path=settings.cert_path,
            ssh_opts=list(settings.ssh_options) or None,
            registry_auth=logins or None,
            opts=pulumi.ResourceOptions(parent=self._host),
        )

    def _build_options(self, parent: pulumi.Resource, **options: Any) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(parent=parent, provider=self._provider, **options)

    def _register_image(self, name: str) -> docker.RemoteImage:
        if name not in self._pulled:
            self._pulled[name] = docker.RemoteImage(
                self._scope.name_resource(name),
                name=self._scope.build_reference(name),
                keep_locally=True,
                opts=self._build_options(self._host),
            )
        return self._pulled[name]

    def _register_volume(self, inputs: Inputs, parent: pulumi.Resource, *, retain: bool) -> docker.Volume:
        opts = self._build_options(parent, retain_on_delete=retain)
        volume = docker.Volume(inputs["name"], opts=opts, **_build_arguments(inputs))
        self._volumes[inputs["name"]] = volume
        return volume

    def _register_container(
        self, inputs: Inputs, workload: Workload | None, parent: pulumi.Resource, after: Sequence[pulumi.Resource] = ()
    ) -> docker.Container:
        """A container; with a workload, marks are those of its secrets."""
        known = self._resolve_inputs(inputs, workload, parent)
        opts = self._build_options(parent, depends_on=list(after) or None, delete_before_replace=True)
        return docker.Container(inputs["name"], opts=opts, **_build_arguments(known))

    # -- what is known only while deploying --------------------------------------------------------------------------

    def _resolve_inputs(self, value: Any, workload: Workload | None, parent: pulumi.Resource) -> Any:
        """Inputs in which each `Late` is an Output."""
        if isinstance(value, Late):
            return _fill_late(value, self._resolve_late(value, workload, parent))
        if isinstance(value, dict):
            return {key: self._resolve_inputs(inner, workload, parent) for key, inner in value.items()}
        if isinstance(value, list):
            items = [self._resolve_inputs(inner, workload, parent) for inner in value]
            # all or nothing, so that a preview shows no half of a list that the engine compares as a whole
            return pulumi.Output.all(*items) if any(isinstance(inner, Late) for inner in value) else items
        return value

    def _resolve_late(self, late: Late, workload: Workload | None, parent: pulumi.Resource) -> pulumi.Output[str]:
        known: Mapping[str, Callable[[], pulumi.Output[str]]] = {
            "image": lambda: self._register_image(late.name).image_id,
            "volume": lambda: self._volumes[late.name].name,
            "network": lambda: self._network.name,
            "network-id": lambda: self._network.id,
            "container": lambda: self._started[late.name],
            "secret": lambda: self._secrets[late.name],
            "socket-group": lambda: self._fetch.container_logs.apply(read_group),
        }
        if late.kind in known:
            return known[late.kind]()
        if workload is None:
            raise ValueError(f"{late}: only a workload has secrets")
        return self._mark_secrets(workload, late.name, parent)

    def _mark_secrets(self, workload: Workload, name: str, parent: pulumi.Resource) -> pulumi.Output[str]:
        """See `targets.base.mark_secrets`.

        The container that carries them is no such mark: `docker container prune` takes it away, as it never runs.
        """
        full = derive_resource_name(self._scope.stack, f"{workload.name}-{name}-mark")
        if full not in self._marks:
            files = workload.list_secrets_read(again=name == "reread")
            texts = {
                file.path: _fill_late(Late("secret", "", file.template), self._secrets[file.secret]) for file in files
            }
            self._marks[full] = mark_secrets(full, texts, parent)
        return self._marks[full]


def _build_arguments(inputs: Inputs) -> dict[str, Any]:
    """Inputs as the provider's SDK takes them, which has labels as a list."""
    labels = [{"label": key, "value": value} for key, value in inputs.get("labels", {}).items()]
    return {**inputs, "labels": labels}


def _fill_late(late: Late, value: pulumi.Output[str]) -> pulumi.Output[str]:
    return value if late.template == "{}" else value.apply(late.fill)


def read_group(text: str | None) -> str:
    """The number of the group that owns the engine's socket, from what the one-shot that looked said last.

    Raises:
        DeliveryError: it said none. To take that for root's would have the proxy refused by the socket.
    """
    lines = (text or "").split()
    if not lines or not lines[-1].isdigit():
        raise DeliveryError(
            "the one-shot `tools` did not say which group owns the engine's socket, as its output did not arrive; run"
            " `make up` again, which makes it again"
        )
    return lines[-1]


def _check_delivery(name: str, configure: docker.Container) -> pulumi.Output[bool]:
    def judge(result: Sequence[object]) -> bool:
        code, output, urn = result
        if code:
            raise DeliveryError(
                f"{name} did not take its new configuration (exit status {code}):\n"
                f"{str(output or '').strip()[-_SHOWN:]}\n"
                f"The same configuration is tried again by `make up`, or by: pulumi up --replace '{urn}'"
            )
        return True

    return pulumi.Output.all(configure.exit_code, configure.container_logs, configure.urn).apply(judge)
