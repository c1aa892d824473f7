"""What a workload may ask the API for, as plain data.

Formats: https://kubernetes.io/docs/reference/kubernetes-api/authorization-resources/.
"""

from __future__ import annotations

from collections.abc import Iterator

from model.workload import Access, Workload
from targets.kubernetes.shared import ClusterScope, Object, build_metadata, build_selector, build_workload_metadata


def build_service_account(scope: ClusterScope, workload: Workload) -> Object:
    """An identity of its own; its token is in the pod only if it may ask the API for something."""
    return {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": build_workload_metadata(scope, workload),
        "automountServiceAccountToken": False,
    }


def build_roles(scope: ClusterScope, workload: Workload) -> Iterator[Object]:
    """A role and its binding for each scope: cluster-wide, and one for each namespace."""
    scopes: dict[str, list[Access]] = {}
    for access in workload.access:
        for where in access.namespaces or ("",):
            scopes.setdefault(where, []).append(access)
    for where, accesses in scopes.items():
        kind = "Role" if where else "ClusterRole"
        name = f"{scope.namespace}-{workload.name}"
        meta = build_metadata(scope, name, where or None, **build_selector(scope, workload.name))
        group = "rbac.authorization.k8s.io"
        rules = [
            {"apiGroups": list(a.groups), "resources": list(a.resources), "verbs": list(a.verbs)} for a in accesses
        ]
        yield {"apiVersion": f"{group}/v1", "kind": kind, "metadata": meta, "rules": rules}
        yield {
            "apiVersion": f"{group}/v1",
            "kind": f"{kind}Binding",
            "metadata": meta,
            "roleRef": {"apiGroup": group, "kind": kind, "name": name},
            "subjects": [
                {"kind": "ServiceAccount", "name": workload.name, "namespace": scope.find_namespace(workload)}
            ],
        }
