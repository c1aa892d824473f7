"""Registers a stack on Kubernetes: a Workload becomes a StatefulSet, Deployment or DaemonSet and what is around it.

The objects are made by `targets.kubernetes.manifests`; here they are registered, in the order that keeps a bad
configuration away from what runs: first the ConfigMap, then the proof that the running processes took it, then what
replaces pods.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pulumi
from pulumi_kubernetes import Provider
from pulumi_kubernetes.apiextensions import CustomResource
from pulumi_kubernetes.apps import v1 as apps
from pulumi_kubernetes.core import v1 as core
from pulumi_kubernetes.networking import v1 as networking
from pulumi_kubernetes.policy import v1 as disruption
from pulumi_kubernetes.rbac import v1 as rbac

from model.errors import ConfigError, Problem
from model.extra_objects import SECRETS, ExtraObject
from model.images import Image
from model.naming import LABEL, derive_resource_name
from model.settings import KubernetesSettings
from model.workload import Workload
from targets.base import Deployment, mark_secrets
from targets.kubernetes import manifests, shared, sidecar, storage
from targets.kubernetes.check import build_address, check
from targets.kubernetes.delivery import Cluster
from targets.kubernetes.shared import ClusterScope, Object
from targets.kubernetes.storage import MARK

KINDS: Mapping[str, Callable[..., pulumi.CustomResource]] = {
    "Namespace": core.Namespace,
    "ConfigMap": core.ConfigMap,
    "Secret": core.Secret,
    "Service": core.Service,
    "ServiceAccount": core.ServiceAccount,
    "PersistentVolumeClaim": core.PersistentVolumeClaim,
    "StatefulSet": apps.StatefulSet,
    "Deployment": apps.Deployment,
    "DaemonSet": apps.DaemonSet,
    "NetworkPolicy": networking.NetworkPolicy,
    "Ingress": networking.Ingress,
    "PodDisruptionBudget": disruption.PodDisruptionBudget,
    "Role": rbac.Role,
    "RoleBinding": rbac.RoleBinding,
    "ClusterRole": rbac.ClusterRole,
    "ClusterRoleBinding": rbac.ClusterRoleBinding,
}
TIMEOUT = "5m"
"""How long pods may take to become ready, or to end, before a run fails."""
GONE = "1m"
"""How long the provider waits for news that an object without pods was deleted, before it looks for itself.

The news can be missed; the provider's own limit is ten minutes: https://github.com/pulumi/pulumi-kubernetes/issues/3317.
"""
ENDING = ("Namespace", "StatefulSet", "Deployment", "DaemonSet")
"""Kinds whose deletion goes on after it was asked for."""


class KubernetesTarget:
    """One cluster, and what all workloads of a stack share on it.

    Args:
        stack: the stack's name.
        settings: the cluster's kubeconfig, namespace and scheduling.
        images: image references by short name.
        secrets: values of the plan's secrets by name; those of workloads may be added until they are deployed.
        workloads: all that will be deployed: whether there are agents decides on their namespace.
        declared: objects that others read; they are registered here, as they need nothing but the namespace.
        neighbours: namespaces of these others.
        cluster: where deliveries are proven; tests pass one of their own.
        opts: options of the component that holds the shared resources.

    Raises:
        ConfigError: the cluster cannot be reached, or something in it stands in the way.
    """

    def __init__(
        self,
        stack: str,
        settings: KubernetesSettings,
        images: Mapping[str, Image],
        secrets: Mapping[str, pulumi.Output[str]],
        *,
        workloads: Sequence[Workload],
        extra_objects: Sequence[ExtraObject] = (),
        allowed_namespaces: tuple[str, ...] = (),
        retain: bool = True,
        cluster: Cluster | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        self._stack, self._settings, self._secrets = stack, settings, secrets
        self._scope = ClusterScope(stack=stack, settings=settings, images=images, allowed_namespaces=allowed_namespaces)
        self._cluster = cluster or Cluster(settings)
        if refused := self._cluster.check_preflight(self._scope, workloads, extra_objects):
            raise ConfigError(Problem("target kubernetes", text) for text in refused)
        self._host = pulumi.ComponentResource("observability:targets:KubernetesCluster", stack, {}, opts)
        self._provider = Provider(
            derive_resource_name(stack, "cluster"),
            kubeconfig=settings.kubeconfig,
            context=settings.context,
            enable_server_side_apply=True,
            enable_config_map_mutable=True,
            enable_secret_mutable=True,
            # what a removed stack keeps and a killed run left half made is written to again; that it is ours has just
            # been seen (targets.kubernetes.ownership): since 4.29 the provider refuses it otherwise
            upsert_existing_objects=True,
            opts=pulumi.ResourceOptions(parent=self._host),
        )
        self._namespaces: dict[str, list[pulumi.Resource]] = {}
        for item in manifests.build_stack_objects(self._scope, workloads):
            meta = item["metadata"]
            namespaces = self._namespaces.setdefault(meta.get("namespace", meta["name"]), [])
            # Its volumes go with a namespace, so it stays where they are to stay.
            stays = retain and item["kind"] == "Namespace" and meta["name"] == self._scope.namespace
            namespaces.append(
                self._register_object(item, self._host, depends_on=namespaces[:1], retain_on_delete=stays)
            )
        self._register_extra_objects(extra_objects)
        self._host.register_outputs({})

    # -- the protocol ------------------------------------------------------------------------------------------------

    def build_address(self, name: str, port: int) -> str:
        """See `targets.kubernetes.check.build_address`."""
        return build_address(self._stack, self._settings, name, port)

    def check(self, workloads: Sequence[Workload]) -> list[str]:
        """See `targets.kubernetes.check.check`."""
        return check(workloads)

    def deploy(
        self, workload: Workload, *, parent: pulumi.Resource, after: Sequence[pulumi.Resource] = ()
    ) -> Deployment:
        """Identity, volumes, secrets and documents, then the proof, then the pods; all children of `parent`."""
        scope, namespaces = self._scope, self._namespaces[self._scope.find_namespace(workload)]
        before: list[pulumi.Resource] = [*namespaces, *after]
        retained = {item["metadata"]["name"] for volume, item in storage.build_claims(scope, workload) if volume.retain}
        *around, pods = manifests.build_workload_objects(scope, workload)
        needed = [
            self._register_object(
                item, parent, depends_on=namespaces, retain_on_delete=item["metadata"]["name"] in retained
            )
            for item in around
        ]
        secret, mark = (
            self._register_secret(workload, parent, namespaces),
            self._register_reread_secret(workload, parent, namespaces),
        )
        proof = self._register_documents(workload, parent, namespaces, mark)
        self._fill_pods(pods, proof, {storage.name_secret(workload, again=False): secret})
        controller = self._register_object(
            pods,
            parent,
            depends_on=[*before, *needed],
            ignore_changes=["spec.volumeClaimTemplates"],
        )
        return Deployment(
            name=workload.name,
            ready=controller.id.apply(lambda _: True),
            address=self.build_address(workload.name, workload.ports[0].number if workload.ports else 0),
            resources=(controller,),
        )

    # -- parts -------------------------------------------------------------------------------------------------------

    def _register_object(self, item: Object, parent: pulumi.Resource, **options: Any) -> pulumi.CustomResource:
        """An object as a resource called `<kind>/<namespace>/<name>`: the same object is always the same resource."""
        meta = item["metadata"]
        name = "/".join(filter(None, [item["kind"].lower(), meta.get("namespace"), meta["name"]]))
        rest = {_convert_to_snake_case(key): value for key, value in item.items() if key not in ("apiVersion", "kind")}
        waits = _build_timeouts(item["kind"])
        opts = pulumi.ResourceOptions(parent=parent, provider=self._provider, custom_timeouts=waits, **options)
        named = derive_resource_name(self._stack, name)
        if item["kind"] not in KINDS:
            return CustomResource(named, api_version=item["apiVersion"], kind=item["kind"], opts=opts, **rest)
        return KINDS[item["kind"]](named, opts=opts, **rest)

    def _register_extra_objects(self, extra_objects: Sequence[ExtraObject]) -> None:
        """Objects that others read, after the Secret that they refer to."""
        namespaces = self._namespaces[self._scope.namespace]
        names = sorted({name for item in extra_objects for name in item.secrets})
        files = {name: self._secrets[name] for name in names}
        around = shared.build_metadata(self._scope, "", self._scope.namespace)
        name = self._register_immutable_secret(SECRETS, around, files, self._host, namespaces) if names else None
        for item in extra_objects:
            document = manifests.build_extra_object(self._scope, item)
            self._register_object(
                _rename_references(document, name) if item.secrets else document, self._host, depends_on=namespaces
            )

    def _register_secret(
        self, workload: Workload, parent: pulumi.Resource, namespaces: Sequence[pulumi.Resource]
    ) -> Any:
        """The name of the Secret with the files that only new pods take; None where there are none."""
        files = self._build_files(workload, again=False)
        if not files:
            return None
        name = storage.name_secret(workload, again=False)
        return self._register_immutable_secret(
            name, self._build_secret_metadata(workload, ""), files, parent, namespaces
        )

    def _register_reread_secret(
        self, workload: Workload, parent: pulumi.Resource, namespaces: Sequence[pulumi.Resource]
    ) -> pulumi.Output[str] | None:
        """The mark of the files that running pods read again, once their Secret has them; None where there are none."""
        files = self._build_files(workload, again=True)
        if not files:
            return None
        name = storage.name_secret(workload, again=True)
        mark = mark_secrets(derive_resource_name(self._stack, f"{workload.name}-reread-mark"), files, parent)
        # `data`, as what is gone from `stringData` stays in the object
        data = {key: text.apply(_encode_base64) for key, text in {**files, MARK: mark}.items()}
        item = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": self._build_secret_metadata(workload, name),
            "data": data,
        }
        secret = self._register_object(item, parent, depends_on=list(namespaces), additional_secret_outputs=["data"])
        return pulumi.Output.all(mark, secret.id).apply(lambda both: str(both[0]))

    def _build_files(self, workload: Workload, *, again: bool) -> dict[str, pulumi.Output[str]]:
        return {
            secret.path.rpartition("/")[2]: self._secrets[secret.secret].apply(secret.fill)
            for secret in workload.list_secrets_read(again=again)
        }

    def _build_secret_metadata(self, workload: Workload, name: str) -> Any:
        """The metadata of a workload's Secret."""
        scope = self._scope
        return shared.build_metadata(
            scope, name, scope.find_namespace(workload), **shared.build_selector(scope, workload.name)
        )

    def _register_immutable_secret(
        self,
        name: str,
        around: Object,
        files: Mapping[str, pulumi.Output[str]],
        parent: pulumi.Resource,
        namespaces: Sequence[pulumi.Resource],
    ) -> Any:
        """A Secret that never changes: new content is a new Secret, whose name makes those who read it look anew."""
        meta: Any = {key: value for key, value in around.items() if key != "name"}  # Pulumi's has a random end
        secret = core.Secret(
            derive_resource_name(self._stack, name),
            metadata=meta,
            string_data=files,
            immutable=True,
            opts=pulumi.ResourceOptions(
                parent=parent,
                provider=self._provider,
                depends_on=list(namespaces),
                additional_secret_outputs=["stringData", "data"],
                replace_on_changes=["stringData", "data"],
                custom_timeouts=_build_timeouts("Secret"),
            ),
        )
        return secret.metadata["name"]

    def _register_documents(
        self,
        workload: Workload,
        parent: pulumi.Resource,
        namespaces: Sequence[pulumi.Resource],
        mark: pulumi.Output[str] | None,
    ) -> pulumi.Output[str]:
        """The ConfigMap, and the digest of what replaces pods, given only once running processes took the documents.

        They took them with the secrets of this mark, where there are some that they read again.
        """
        digest = sidecar.compute_restart_digest(self._scope, workload)
        item = storage.build_config_map(self._scope, workload)
        if item is None or workload.config is None:
            return pulumi.Output.from_input(digest)
        config_map = self._register_object(item, parent, depends_on=list(namespaces))
        namespace, config = self._scope.find_namespace(workload), workload.config

        async def wait(known: Sequence[Any]) -> str:
            if not pulumi.runtime.is_dry_run():
                await self._cluster.wait_until_applied(self._stack, namespace, workload.name, config, known[1])
            return digest

        return pulumi.Output.all(config_map.id, mark or "").apply(wait)

    @staticmethod
    def _fill_pods(pods: Object, proof: pulumi.Output[str], names: Mapping[str, Any]) -> None:
        """Puts in what is known only while deploying: the proof, and the real names of Secrets."""
        template = pods["spec"]["template"]
        template["metadata"]["annotations"][f"{LABEL}/restart-digest"] = proof
        for volume in template["spec"].get("volumes", ()):
            for source in volume.get("projected", {}).get("sources", ()):
                source["secret"]["name"] = names.get(source["secret"]["name"], source["secret"]["name"])


def _rename_references(value: Any, name: Any) -> Any:
    """A copy in which every reference to the secrets' Secret has its real name."""
    if isinstance(value, Mapping):
        return {
            key: name if (key, item) == ("name", SECRETS) else _rename_references(item, name)
            for key, item in value.items()
        }
    return [_rename_references(item, name) for item in value] if isinstance(value, (list, tuple)) else value


def _encode_base64(text: str) -> str:
    return b64encode(text.encode()).decode()


def _build_timeouts(kind: str) -> pulumi.CustomTimeouts:
    return pulumi.CustomTimeouts(create=TIMEOUT, update=TIMEOUT, delete=TIMEOUT if kind in ENDING else GONE)


def _convert_to_snake_case(key: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in key)
