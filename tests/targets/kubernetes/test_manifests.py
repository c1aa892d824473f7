"""All objects of a stack."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from model.extra_objects import ExtraObject
from model.settings import KubernetesSettings
from model.workload import Workload
from targets.kubernetes import identity, manifests
from targets.kubernetes.shared import ClusterScope
from tests.support.workloads import AGENT as ANYWHERE
from tests.support.workloads import IMAGES, PLAIN

AGENT = replace(ANYWHERE, placement="node-agent")
PLACE = ClusterScope(stack="dev", settings=KubernetesSettings(), images=IMAGES)


def pod(workload: Workload, scope: ClusterScope = PLACE) -> dict[str, Any]:
    """The pod's specification."""
    return dict(manifests.build_controller(scope, workload)["spec"]["template"]["spec"])


def test_agents_live_apart() -> None:
    """What sees files of nodes is in a namespace of its own; the stack's own one enforces the strictest level."""
    levels = {
        item["metadata"]["name"]: item["metadata"]["labels"]["pod-security.kubernetes.io/enforce"]
        for item in manifests.build_namespaces(PLACE, [PLAIN, AGENT])
    }
    assert levels == {"monitoring-dev": "restricted", "monitoring-dev-agents": "privileged"}
    assert [item["metadata"]["name"] for item in manifests.build_namespaces(PLACE, [PLAIN])] == ["monitoring-dev"]
    assert PLACE.find_namespace(AGENT) == "monitoring-dev-agents"


def test_several_instances_keep_apart() -> None:
    """They spread over nodes and zones, and at most one is taken away on purpose."""
    several = replace(PLAIN, replicas=3)
    spec = pod(several)
    assert {item["topologyKey"] for item in spec["topologySpreadConstraints"]} == {
        "kubernetes.io/hostname", "topology.kubernetes.io/zone"
    }  # fmt: skip
    budget = manifests.build_disruption_budget(PLACE, several)
    assert budget is not None and budget["spec"]["maxUnavailable"] == 1
    assert manifests.build_disruption_budget(PLACE, PLAIN) is None


def test_scheduling_settings_reach_every_pod() -> None:
    """Tolerations, priority, pull secrets, labels and annotations are on all; the node selector is not on agents."""
    settings = KubernetesSettings.model_validate(
        {
            "nodeSelector": {"pool": "monitoring"},
            "tolerations": [{"key": "dedicated", "value": "monitoring", "operator": "Equal"}],
            "priorityClass": "high",
            "imagePullSecrets": ("registry",),
            "labels": {"team": "platform"},
            "annotations": {"owner": "platform"},
        },
        strict=False,
    )
    scope = replace(PLACE, settings=settings)
    spec = pod(PLAIN, scope)
    assert spec["nodeSelector"] == {"pool": "monitoring"}
    assert spec["tolerations"] == [{"key": "dedicated", "value": "monitoring", "operator": "Equal"}]
    assert (spec["priorityClassName"], spec["imagePullSecrets"]) == ("high", [{"name": "registry"}])
    assert "nodeSelector" not in pod(AGENT, scope)
    item = identity.build_service_account(scope, PLAIN)["metadata"]
    assert item["labels"]["team"] == "platform" and item["annotations"]["owner"] == "platform"


def test_an_object_of_others_carries_our_labels_and_theirs() -> None:
    """Ours tell whose it is, theirs let it be found."""
    made = manifests.build_extra_object(
        PLACE, ExtraObject(api="v1", kind="ConfigMap", name="a", labels={"r": "k"}, body={"data": {}})
    )
    assert (made["apiVersion"], made["kind"], made["data"]) == ("v1", "ConfigMap", {})
    assert made["metadata"]["namespace"] == "monitoring-dev"
    assert made["metadata"]["labels"].items() >= {"r": "k", "io.observability.stack": "dev"}.items()
    assert made["metadata"]["annotations"]["pulumi.com/deletionPropagationPolicy"] == "background"
