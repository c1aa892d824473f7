"""What a cluster has otherwise than declared is named, and what its server adds is not."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from kubernetes.client.exceptions import ApiException  # type: ignore[import-untyped]  # it publishes no types

from model.deviation import UP, Deviation, Drift
from model.settings import KubernetesSettings
from targets.kubernetes.drift import BY_HAND, compare_cluster, compare_object
from targets.kubernetes.manifests import build_stack_objects, build_workload_objects
from targets.kubernetes.ownership import get_reference
from targets.kubernetes.shared import ClusterScope
from targets.kubernetes.storage import build_config_map
from tests.support.workloads import IMAGES, PLAIN, SERVER

SCOPE = ClusterScope(stack="dev", settings=KubernetesSettings(), images=IMAGES)
WORKLOADS = (replace(SERVER, replicas=2), PLAIN)


def declare() -> list[dict[str, Any]]:
    """The objects of a stack."""
    made = [*build_stack_objects(SCOPE, WORKLOADS)]
    for workload in WORKLOADS:
        made += [*build_workload_objects(SCOPE, workload)]
        made += [item for item in (build_config_map(SCOPE, workload),) if item]
    return made


def accept(item: dict[str, Any]) -> dict[str, Any]:
    """An object as the server gives it back, with a few of its defaults."""
    made = json.loads(json.dumps(item))
    made["metadata"] |= {"uid": "u", "resourceVersion": "7", "managedFields": []}
    made["status"] = {"observedGeneration": 1}
    spec = made.get("spec", {})
    pod = spec.get("template", {}).get("spec")
    if pod:
        pod |= {"dnsPolicy": "ClusterFirst", "schedulerName": "default-scheduler"}
        for container in pod["containers"]:
            container |= {"imagePullPolicy": "IfNotPresent", "terminationMessagePath": "/dev/termination-log"}
            container["resources"]["limits"]["cpu"] = (
                "1000m" if container["resources"]["limits"]["cpu"] == "1" else (container["resources"]["limits"]["cpu"])
            )
    if made["kind"] == "Service":
        spec |= {"sessionAffinity": "None", "ipFamilies": ["IPv4"]}
    return dict(made)


class Api:
    """A cluster with objects by their path, or a status where it gives none."""

    def __init__(self, objects: list[dict[str, Any]]) -> None:
        self.objects: dict[str, Any] = {get_reference(item).path: item for item in objects}
        self.lists: dict[str, Any] = {}

    def call_api(self, path: str, method: str, **options: Any) -> Any:
        """A GET of an object, or of the objects with a label."""
        assert method == "GET"
        answer = self.lists.get(path, {"items": []}) if options["query_params"] else self.objects.get(path, 404)
        if isinstance(answer, int):
            raise ApiException(status=answer, reason="says the API")
        return SimpleNamespace(data=json.dumps(answer))


def test_a_stack_as_declared_is_silent() -> None:
    """Defaults, fields of the server and another way to write a quantity are no difference."""
    declared = declare()
    assert len(declared) > 10
    assert compare_cluster(Api([accept(item) for item in declared]), "dev", declared) == Drift()


Change = Callable[[dict[str, Any]], object]


def pod(item: dict[str, Any]) -> dict[str, Any]:
    """The pod's specification in a controller."""
    spec: dict[str, Any] = item["spec"]["template"]["spec"]
    return spec


CHANGES: dict[str, tuple[str, Change, str]] = {
    "kubectl scale": ("StatefulSet", lambda o: o["spec"].update(replicas=0), "spec.replicas"),
    "kubectl set image": (
        "StatefulSet", lambda o: pod(o)["containers"][0].update(image="busybox"), "spec.template.spec.containers[",
    ),
    "a limit": (
        "StatefulSet", lambda o: pod(o)["containers"][0]["resources"]["limits"].update(memory="1Ti"), "limits.memory",
    ),
    "no limit": (
        "StatefulSet", lambda o: pod(o)["containers"][0]["resources"]["limits"].clear(), "limits.memory",
    ),
    "rights": (
        "StatefulSet", lambda o: pod(o)["containers"][0]["securityContext"].update(readOnlyRootFilesystem=False),
        "readOnlyRootFilesystem",
    ),
    "a container more": (
        "StatefulSet", lambda o: pod(o)["containers"].append({"name": "x"}), "spec.template.spec.containers[x]",
    ),
    "a volume less": ("StatefulSet", lambda o: pod(o)["volumes"].pop(0), "spec.template.spec.volumes[tools]"),
    "an open policy": ("NetworkPolicy", lambda o: o["spec"].update(policyTypes=["Ingress"]), "spec.policyTypes"),
    "a document": ("ConfigMap", lambda o: o["data"].update({".revision": "x"}), "data..revision"),
    "a Service of others": ("Service", lambda o: o["spec"]["selector"].update(a="b", **{"io.observability.stack": "x"}),
                            "spec.selector.io.observability.stack"),
    "a label": ("Namespace", lambda o: o["metadata"]["labels"].clear(), "metadata.labels."),
    "going": ("Service", lambda o: o["metadata"].update(deletionTimestamp="now"), "presence"),
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGES)
def test_every_change_is_named(name: str) -> None:
    """By its field, with what is declared and what is there; make up puts it right."""
    kind, change, what = CHANGES[name]
    declared = next(item for item in declare() if item["kind"] == kind and (kind != "ConfigMap" or "data" in item))
    if name == "a document":
        declared = next(item for item in declare() if ".revision" in item.get("data", {}))
    answer = accept(declared)
    change(answer)
    said = [*compare_object(declared, answer)]
    assert said and all(item.kind == kind and item.repair == UP for item in said)
    assert any(what in item.what for item in said)


def manage(fields: dict[str, Any], manager: str = "kubectl-edit") -> list[dict[str, Any]]:
    """What the server records of one field manager."""
    return [{"manager": manager, "operation": "Update", "fieldsV1": fields}]


def test_fields_that_somebody_added_are_named_with_whom() -> None:
    """Neither what controllers add, nor a restart, nor what is declared; `make up` does not remove them."""
    declared = next(item for item in declare() if item["kind"] == "StatefulSet")
    name = pod(declared)["containers"][0]["name"]
    inner: dict[str, Any] = {
        "f:hostNetwork": {},
        "f:containers": {f'k:{{"name":"{name}"}}': {"f:env": {'k:{"name":"DEBUG"}': {".": {}}}}},
    }
    annotations: dict[str, Any] = {"f:annotations": {"f:kubectl.kubernetes.io/restartedAt": {}}}
    fields = {
        "f:spec": {"f:replicas": {}, "f:template": {"f:spec": inner, "f:metadata": annotations}},
        "f:status": {"f:x": {}},
    }
    answer = accept(declared)
    answer["metadata"]["managedFields"] = manage(fields) + manage(
        {"f:spec": {"f:paused": {}}}, "kube-controller-manager"
    )
    said = [*compare_object(declared, answer)]
    assert {(item.running, item.repair) for item in said} == {("there, by kubectl-edit", BY_HAND)}
    assert sorted(item.what.rpartition(".")[2] for item in said) == ['env[{"name":"DEBUG"}]', "hostNetwork"]


def test_what_is_missing_more_or_unreadable_is_named() -> None:
    """An object that is gone, one that nobody declares, a claim that is left, and what this user may not read."""
    declared = declare()
    cluster = Api([accept(item) for item in declared])
    gone, closed = (
        next(get_reference(i) for i in declared if i["kind"] == kind) for kind in ("Service", "NetworkPolicy")
    )
    del cluster.objects[gone.path]
    cluster.objects[closed.path] = 403
    labels = {"io.observability.stack": "dev"}
    meta = {"namespace": "monitoring-dev", "labels": labels}
    cluster.lists = {
        "/api/v1/namespaces/monitoring-dev/pods": {
            "items": [
                {"metadata": {**meta, "name": "shell"}},
                {"metadata": {**meta, "name": "api-1", "ownerReferences": [{"kind": "ReplicaSet"}]}},
            ]
        },
        "/api/v1/namespaces/monitoring-dev/persistentvolumeclaims": {"items": [{"metadata": {**meta, "name": "old"}}]},
        "/api/v1/namespaces/monitoring-dev/services": 403,
    }
    said = compare_cluster(cluster, "dev", copy.deepcopy(declared))
    assert [(item.kind, item.name, item.running) for item in said.deviations] == [
        ("Service", f"monitoring-dev/{gone.name}", "missing"),
        ("Pod", "monitoring-dev/shell", "there"),
    ]
    assert said.deviations[1] == Deviation(
        kind="Pod", name="monitoring-dev/shell", what="presence", declared="not declared", running="there",
        repair="delete it: kubectl delete pod",
    )  # fmt: skip
    assert len(said.unread) == 2 and "403 says the API" in said.unread[0] and "others of Service" in said.unread[1]
    assert len(said.notes) == 1 and "old" in said.notes[0]
