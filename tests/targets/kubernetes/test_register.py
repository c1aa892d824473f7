"""The Kubernetes target, by what it registers with a strict stand-in of the engine."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pulumi
import pytest

from model.errors import ConfigError
from model.extra_objects import SECRETS, ExtraObject
from model.settings import KubernetesSettings
from model.workload import Access, ConfigDir, SecretFile, Workload
from targets.kubernetes.delivery import Cluster
from targets.kubernetes.register import KubernetesTarget
from targets.kubernetes.shared import ClusterScope
from tests.support.mocks import RecordedResource, run_program
from tests.support.workloads import AGENT, IMAGES, PLAIN, SERVER

CANARY = "canary-hunter2"
WORKLOADS = (
    replace(SERVER, access=(Access(resources=("pods",)),), replicas=2),
    PLAIN,
    replace(AGENT, placement="node-agent", exemptions=()),
)


class Untouched(Cluster):
    """A cluster that nothing is asked of: it lets everything pass, or refuses it."""

    def __init__(self, *preflight_errors: str) -> None:
        super().__init__(KubernetesSettings())
        self._said = list(preflight_errors)
        self.proven: list[tuple[str, str]] = []
        self.marks: list[str] = []

    def check_preflight(
        self, scope: ClusterScope, workloads: Sequence[Workload], extra_objects: Sequence[ExtraObject] = ()
    ) -> list[str]:
        """What the test wants."""
        return self._said

    async def wait_until_applied(
        self, stack: str, namespace: str, workload: str, config: ConfigDir, mark: str = ""
    ) -> None:
        """Remembers."""
        self.proven.append((namespace, workload))
        self.marks.append(mark)


def deploy(cluster: Cluster, *workloads: Workload, extra_objects: Sequence[ExtraObject] = ()) -> list[RecordedResource]:
    """Everything that is registered for the workloads, and for objects that others read."""

    def program() -> pulumi.Output[Any]:
        secrets = {"password": pulumi.Output.secret(CANARY)}
        settings = KubernetesSettings()
        target = KubernetesTarget(
            "dev", settings, IMAGES, secrets, workloads=workloads, extra_objects=extra_objects, cluster=cluster
        )
        parent = pulumi.ComponentResource("observability:components:Test", "test")
        return pulumi.Output.all(*(target.deploy(workload, parent=parent).ready for workload in workloads))

    return run_program(program)


@pytest.fixture(scope="module")
def cluster() -> Untouched:
    """A cluster that takes everything."""
    return Untouched()


@pytest.fixture(scope="module")
def everything(cluster: Untouched) -> list[RecordedResource]:
    """A service that uses all there is, a plain one and an agent; their inputs fit the SDK's own types."""
    return deploy(cluster, *WORKLOADS)


def of_kind(resources: list[RecordedResource], kind: str) -> list[RecordedResource]:
    """All resources of a kind."""
    return [resource for resource in resources if resource.type.endswith(f":{kind}")]


def test_every_object_stands_in_a_namespace_of_ours(everything: list[RecordedResource]) -> None:
    """Only namespaces themselves and cluster-wide roles have none."""
    homes = {resource.inputs["metadata"]["name"] for resource in of_kind(everything, "Namespace")}
    assert homes == {"monitoring-dev", "monitoring-dev-agents"}
    free = ("Namespace", "ClusterRole", "ClusterRoleBinding")
    for resource in everything:
        if resource.type.startswith("kubernetes:") and resource.type.rpartition(":")[2] not in free:
            assert resource.inputs["metadata"]["namespace"] in homes, resource.name


def test_a_secret_is_in_its_secret_alone(everything: list[RecordedResource]) -> None:
    """It is marked as one, in an object that never changes and is made anew for new content."""
    (secret,) = of_kind(everything, "Secret")
    assert secret.inputs["immutable"] is True and "stringData" in secret.replace_on_changes
    assert any(path.startswith("stringData") for path in secret.secrets)
    for resource in everything:
        if resource is not secret:
            assert CANARY not in str(resource.inputs), resource.name


def test_a_secret_that_is_read_again_changes_in_place() -> None:
    """In a Secret of its own, whose name and pods stay; pods must have taken the mark of what is in it."""
    cluster = Untouched()
    again = SecretFile(path="/run/secrets/users", secret="password", reread=True)
    both = replace(SERVER, secrets=(*SERVER.secrets, again))
    made = deploy(cluster, both)
    fixed, changing = of_kind(made, "Secret")
    assert fixed.inputs["immutable"] is True and set(fixed.inputs["stringData"]) == {"password"}
    assert "immutable" not in changing.inputs and set(changing.inputs["data"]) == {"users", ".mark"}
    assert changing.inputs["metadata"]["name"] == "server-reread" and not changing.replace_on_changes
    assert any(path.startswith("data") for path in changing.secrets)
    assert b64decode(changing.inputs["data"]["users"]).decode() == CANARY
    mark = b64decode(changing.inputs["data"][".mark"]).decode()
    assert cluster.marks == [mark] and CANARY not in mark
    (pods,) = of_kind(made, "StatefulSet")
    volumes = pods.inputs["spec"]["template"]["spec"]["volumes"]
    (sources,) = [volume["projected"]["sources"] for volume in volumes if volume["name"] == "secrets"]
    names = [source["secret"]["name"] for source in sources]
    assert names[1] == "server-reread" and names[0] not in ("server-reread", "server-secrets")
    assert mark not in str(pods.inputs)


def test_pods_wait_for_the_proof(everything: list[RecordedResource], cluster: Untouched) -> None:
    """Every workload with documents was proven before its pods were registered."""
    assert cluster.proven == [("monitoring-dev", "server")]
    order = [resource.name for resource in everything]
    assert order.index("dev-configmap/monitoring-dev/server-config") < order.index(
        "dev-statefulset/monitoring-dev/server"
    )


def test_data_stays(everything: list[RecordedResource]) -> None:
    """Claims that are to stay outlive the stack, and so does the namespace around them; others go."""
    kept = {resource.name: resource.retain_on_delete for resource in of_kind(everything, "PersistentVolumeClaim")}
    assert kept["dev-persistentvolumeclaim/monitoring-dev/server-data-server-0"] is True
    assert kept["dev-persistentvolumeclaim/monitoring-dev/cache-server-1"] is False
    spaces = {
        resource.inputs["metadata"]["name"]: resource.retain_on_delete for resource in of_kind(everything, "Namespace")
    }
    assert spaces == {"monitoring-dev": True, "monitoring-dev-agents": False}


def test_a_missed_deletion_is_noticed_soon(everything: list[RecordedResource]) -> None:
    """The provider looks for itself after a minute, where an object is gone at once; pods get longer to end."""
    waits = {item.type.rpartition(":")[2]: item.delete_timeout for item in everything if ":core" not in item.type}
    assert {waits[kind] for kind in ("ClusterRole", "NetworkPolicy", "PodDisruptionBudget")} == {"1m"}
    assert waits["StatefulSet"] == "5m"


def test_what_is_there_already_is_written_to(everything: list[RecordedResource]) -> None:
    """The provider takes what `down` keeps and what a killed run left; that it is ours was asked before."""
    (provider,) = [resource for resource in everything if resource.type == "pulumi:providers:kubernetes"]
    assert provider.inputs["upsertExistingObjects"] == "true"
    assert provider.inputs["enableServerSideApply"] == "true"
    named = [item for item in everything if item.type.startswith("kubernetes:") and "name" in item.inputs["metadata"]]
    assert named and all(item.inputs["metadata"]["labels"]["io.observability.stack"] == "dev" for item in named)


def test_a_cluster_that_refuses_is_left_alone() -> None:
    """Nothing is registered, and everything that stands in the way is told."""
    with pytest.raises(ConfigError, match=r"one thing[\s\S]*another thing"):
        deploy(Untouched("one thing", "another thing"), PLAIN)


def test_objects_of_others_are_registered_as_they_are(cluster: Untouched) -> None:
    """Each in the stack's namespace, after it; a reference to a secret gets the name of the Secret that holds it."""
    selector = {"name": SECRETS, "key": "password"}
    objects = (
        ExtraObject(api="monitoring.coreos.com/v1", kind="Probe", name="a", labels={"r": "k"}, body={"spec": {"x": 1}}),
        ExtraObject(
            api="monitoring.coreos.com/v1alpha1", kind="AlertmanagerConfig", name="b", secrets=("password",),
            body={"spec": {"receivers": [{"name": "b", "slackConfigs": [{"apiURL": selector}]}]}},
        ),
        ExtraObject(api="v1", kind="ConfigMap", name="c", annotations={"folder": "F"}, body={"data": {"c.json": "{}"}}),
    )  # fmt: skip
    made = deploy(cluster, PLAIN, extra_objects=objects)
    (probe,), (config,) = of_kind(made, "Probe"), of_kind(made, "AlertmanagerConfig")
    assert probe.inputs["spec"] == {"x": 1} and probe.inputs["apiVersion"] == "monitoring.coreos.com/v1"
    assert probe.inputs["metadata"]["namespace"] == "monitoring-dev" and probe.inputs["metadata"]["labels"]["r"] == "k"
    (secret,) = of_kind(made, "Secret")
    named = config.inputs["spec"]["receivers"][0]["slackConfigs"][0]["apiURL"]
    assert named["key"] == "password" and named["name"] not in (SECRETS, "")
    assert CANARY not in str(config.inputs) and secret.inputs["immutable"] is True
    (board,) = [item for item in of_kind(made, "ConfigMap") if item.inputs["metadata"]["name"] == "c"]
    assert board.inputs["metadata"]["annotations"]["folder"] == "F"
