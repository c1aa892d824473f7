"""The targets of a stack whose Prometheus is an operator's: asked of that Prometheus, through the API server."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import urlsplit

from model.operator import GROUP, Operator

POOLS = {
    ("v1", "servicemonitors"): "serviceMonitor/{}/{}/0",
    ("v1", "podmonitors"): "podMonitor/{}/{}/0",
    ("v1", "probes"): "probe/{}/{}",
    ("v1alpha1", "scrapeconfigs"): "scrapeConfig/{}/{}",
}
"""Resources that become scrape pools of Prometheus, and the names that the operator gives these."""
PODS = "app.kubernetes.io/name=prometheus,app.kubernetes.io/managed-by=prometheus-operator"
PORT = 9090
PATIENCE = 3.0
"""How much longer than our own Prometheus this one may take: its documents come when its kubelet next looks."""

Fetch = Callable[[Any, int, str], str]


def list_expected_pools(listed: Callable[[str, str, str], Iterable[Any]], namespace: str) -> list[str]:
    """The scrape pools that the stack's objects are to become; `listed` gives those of an API, version and resource."""
    return sorted(
        name.format(namespace, item["metadata"]["name"])
        for (version, resource), name in POOLS.items()
        for item in listed(GROUP, version, resource)
    )


def list_targets(
    operator: Operator, pods: Iterable[Any], fetch: Fetch, expected_pools: list[str]
) -> list[dict[str, Any]]:
    """The stack's active targets; a pool that no Prometheus has yet is listed as a target that is not up."""
    path = urlsplit(operator.prometheus).path
    targets_by_pool: dict[str, list[dict[str, Any]]] = {}
    why = f"no Prometheus of the operator in {operator.namespace} has it yet; look at the operator's log if none will"
    for pod in pods:
        try:
            pools = json.loads(fetch(pod, PORT, f"{path}/api/v1/scrape_pools"))["data"]["scrapePools"]
            active = json.loads(fetch(pod, PORT, f"{path}/api/v1/targets?state=active"))["data"]["activeTargets"]
        except RuntimeError as error:
            why = str(error)
            continue
        for pool in set(pools).intersection(expected_pools):
            targets_by_pool[pool] = [target for target in active if target["scrapePool"] == pool]
    absent = [
        {"health": "unknown", "labels": {"job": pool}, "scrapeUrl": pool, "lastError": why}
        for pool in expected_pools
        if pool not in targets_by_pool
    ]
    return [*(target for some in targets_by_pool.values() for target in some), *absent]
