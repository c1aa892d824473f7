"""What is somebody else's on a cluster is found before it is written to."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from kubernetes.client.exceptions import ApiException  # type: ignore[import-untyped]  # it publishes no types

from model.extra_objects import ExtraObject
from model.settings import KubernetesSettings
from model.workload import Access, Workload
from targets.kubernetes.manifests import build_stack_objects, build_workload_objects
from targets.kubernetes.ownership import Reference, check_ownership, list_references, pluralize_kind
from targets.kubernetes.register import KINDS
from targets.kubernetes.shared import ClusterScope
from targets.kubernetes.storage import build_config_map
from tests.support.workloads import AGENT, IMAGES, PLAIN, SERVER

PLACE = ClusterScope(stack="dev", settings=KubernetesSettings(), images=IMAGES)
WORKLOADS = (
    replace(
        SERVER, access=(Access(resources=("pods",)), Access(resources=("pods",), namespaces=("shop",))), replicas=2
    ),
    replace(AGENT, placement="node-agent", exemptions=()),
)
MONITOR = ExtraObject(api="monitoring.coreos.com/v1", kind="Probe", name="api", body={"spec": {}})
OURS = {"labels": {"io.observability.stack": "dev"}}
HOMES: dict[str, Any] = {f"/api/v1/namespaces/{name}": OURS for name in ("monitoring-dev", "monitoring-dev-agents")}
SHOP: dict[str, Any] = {"/api/v1/namespaces/shop": {}}


class Api:
    """A cluster with the metadata of objects by their path, or a status where it gives none."""

    def __init__(self, objects: Mapping[str, Any]) -> None:
        self.objects, self.asked, self._lock = objects, list[str](), threading.Lock()

    def call_api(self, path: str, method: str, **options: Any) -> Any:
        """A GET of an object's metadata."""
        assert method == "GET" and "PartialObjectMetadata" in options["header_params"]["Accept"]
        with self._lock:
            self.asked.append(path)
        found = self.objects.get(path, 404)
        if isinstance(found, int):
            raise ApiException(status=found, reason="says the API")
        return SimpleNamespace(data=json.dumps({"metadata": found}))


def judge(objects: Mapping[str, Any], workloads: Sequence[Workload] = WORKLOADS) -> tuple[list[str], Api]:
    """What is said of a deployment to a cluster with these objects, and the cluster."""
    api = Api(objects)
    return check_ownership(api, PLACE, list_references(PLACE, workloads, [MONITOR])), api


def test_every_registered_kind_has_an_address() -> None:
    """As the API writes the plural of each."""
    assert {kind: pluralize_kind(kind) for kind in KINDS if pluralize_kind(kind) != f"{kind.lower()}s"} == {
        "Ingress": "ingresses",
        "NetworkPolicy": "networkpolicies",
    }
    assert Reference("networking.k8s.io/v1", "Ingress", "a", "b").path == (
        "/apis/networking.k8s.io/v1/namespaces/a/ingresses/b"
    )
    assert Reference("v1", "Namespace", "", "b").path == "/api/v1/namespaces/b"


def test_everything_with_a_name_is_looked_at() -> None:
    """Each object that is registered, those of other namespaces and cluster-wide ones included."""
    objects = [*build_stack_objects(PLACE, WORKLOADS), build_config_map(PLACE, SERVER)]
    objects += [item for workload in WORKLOADS for item in build_workload_objects(PLACE, workload)]
    assert {(item["kind"], item["metadata"]["name"]) for item in objects if item} | {("Probe", "api")} == {
        (item.kind, item.name) for item in list_references(PLACE, WORKLOADS, [MONITOR])
    }


def test_an_empty_cluster_is_asked_for_little() -> None:
    """Where there is no namespace there is nothing in it, so only what is elsewhere is looked for."""
    found, api = judge(SHOP)
    assert found == []
    assert not [path for path in api.asked if "/monitoring-dev/" in path or "/monitoring-dev-agents/" in path]
    assert "/apis/rbac.authorization.k8s.io/v1/clusterroles/monitoring-dev-server" in api.asked
    assert "/apis/rbac.authorization.k8s.io/v1/namespaces/shop/roles/monitoring-dev-server" in api.asked


def test_what_the_stack_left_behind_is_written_to() -> None:
    """All objects with the stack's label: after `down`, or after a run that was killed."""
    wanted = list_references(PLACE, WORKLOADS, [MONITOR])
    assert judge({**SHOP, **{item.path: OURS for item in wanted}})[0] == []


@pytest.mark.parametrize(
    "item", [item for item in list_references(PLACE, WORKLOADS, [MONITOR]) if item.kind != "Namespace"], ids=str
)
def test_any_object_of_somebody_else_is_refused(item: Reference) -> None:
    """Whatever its kind, and whether it has labels or none; that of another stack is named."""
    for labels, whose in (({}, "was not made by this program"), (None, "was not made by this program"),
                          ({"io.observability.stack": "prod"}, "belongs to the stack 'prod'")):  # fmt: skip
        (found,), _ = judge({**HOMES, **SHOP, item.path: {"labels": labels}})
        assert found == f"{item} exists and {whose}; remove it, or choose another namespace with kubernetes.namespace"


def test_a_namespace_of_somebody_else_is_refused_alone() -> None:
    """What is in it is no news."""
    found, api = judge({**HOMES, **SHOP, "/api/v1/namespaces/monitoring-dev": {"labels": {"a": "b"}}})
    assert found == [
        "Namespace monitoring-dev exists and was not made by this program; choose another namespace with"
        " kubernetes.namespace"
    ]
    assert len(api.asked) == 3


def test_a_namespace_on_its_way_out_is_refused() -> None:
    """Nothing can be made in it."""
    gone = {**OURS, "deletionTimestamp": "2026-01-01T00:00:00Z"}
    (found,), _ = judge({**HOMES, **SHOP, "/api/v1/namespaces/monitoring-dev": gone})
    assert found == "Namespace monitoring-dev is being deleted; try again once it is gone"


def test_a_watched_namespace_must_be_there() -> None:
    """A role in it could not be made, half-way through the run."""
    (found,), _ = judge(HOMES)
    assert found.startswith("namespace shop does not exist, and a service of the system is to be found in it")


def test_a_right_that_is_missing_is_no_owner() -> None:
    """What this user may not look at is told as a right, and not here; any other refusal is told."""
    path = "/api/v1/namespaces/monitoring-dev/services/server"
    assert judge({**HOMES, **SHOP, path: 403})[0] == [] == judge({**HOMES, "/api/v1/namespaces/shop": 403})[0]
    (found,), _ = judge({**HOMES, **SHOP, path: 500})
    assert found == "Service server in namespace monitoring-dev cannot be read: 500 says the API"


def test_a_plain_stack_looks_at_nothing_of_others() -> None:
    """Without access to another namespace no question leaves the stack's own ones."""
    _, api = judge(HOMES, [PLAIN])
    assert api.asked and {path.partition("/namespaces/")[2].split("/")[0] for path in api.asked} == {"monitoring-dev"}
