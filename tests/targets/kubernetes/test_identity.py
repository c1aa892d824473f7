"""What a workload may ask the API for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from model.settings import KubernetesSettings
from model.workload import Access, Workload
from targets.kubernetes import identity, manifests
from targets.kubernetes.shared import ClusterScope
from tests.support.workloads import IMAGES, PLAIN

PLACE = ClusterScope(stack="dev", settings=KubernetesSettings(), images=IMAGES)


def pod(workload: Workload, scope: ClusterScope = PLACE) -> dict[str, Any]:
    """The pod's specification."""
    return dict(manifests.build_controller(scope, workload)["spec"]["template"]["spec"])


def test_a_token_is_there_only_for_those_who_ask() -> None:
    """Without declared access there is no role and no token; with it, rules in each scope and nothing more."""
    assert pod(PLAIN)["automountServiceAccountToken"] is False
    assert list(identity.build_roles(PLACE, PLAIN)) == []
    access = (Access(resources=("pods",), namespaces=("a", "b")), Access(resources=("nodes",), verbs=("get",)))
    asking = replace(PLAIN, access=access)
    assert pod(asking)["automountServiceAccountToken"] is True
    kinds = [(item["kind"], item["metadata"].get("namespace")) for item in identity.build_roles(PLACE, asking)]
    assert kinds == [
        ("Role", "a"), ("RoleBinding", "a"), ("Role", "b"), ("RoleBinding", "b"),
        ("ClusterRole", None), ("ClusterRoleBinding", None),
    ]  # fmt: skip
