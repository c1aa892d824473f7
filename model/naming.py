"""Names that several parts must agree on."""

from __future__ import annotations

import zlib
from typing import Any

from model.base import fold_key
from model.component import Planning
from model.settings import KubernetesSettings
from model.telemetry import Discovery, ScrapeTarget

LABEL = "io.observability"
"""Prefix of the labels that every resource of ours carries on its platform."""


def derive_resource_name(stack: str, name: str) -> str:
    """Name of a resource of a stack, such as `dev-prometheus`."""
    return f"{stack}-{name}"


def derive_host(context: Planning, key: str) -> str:
    """The name by which a service is reached that says no address: its key, as Docker and compose have it.

    Names of a cluster's objects have no underscores, so there it is with dashes.
    Source: https://kubernetes.io/docs/concepts/overview/working-with-objects/names/#dns-label-names
    """
    return fold_key(key) if context.settings.target == "kubernetes" else key


def derive_user_id(stack: str, workload: str) -> int:
    """Numeric user of a workload, 20000 to 59999: one of its own, the same on every run.

    A user that no other container has makes process limits count that container alone, and keeps files apart. What
    stands beside a workload has that one's.
    """
    return 20000 + zlib.crc32(f"{stack}/{workload}".encode()) % 40000


def build_identity_labels(context: Planning, service: str) -> dict[str, str]:
    """The labels that every scrape target carries: which service, of which system, in which environment."""
    return {"service": service, "system": context.system.name, "environment": context.settings.environment}


def derive_namespace(stack: str, settings: KubernetesSettings) -> str:
    """The stack's own namespace."""
    return settings.namespace or f"monitoring-{stack}"


def derive_agent_namespace(own: str) -> str:
    """The namespace of node-level agents, which may see the node's files, beside the stack's own one."""
    return f"{own}-agents"


def build_scrape_targets(
    context: Planning,
    name: str,
    port: int,
    *,
    agent: bool = False,
    replicas: int = 1,
    exposed: bool = False,
    **labels: str,
) -> dict[str, Any]:
    """The `targets` or the `discovery` of the scrape job of a component: pods are found where there may be several, and
    those of the `exposed`, whose Service opens no other port than that for people.
    """
    series = {**build_identity_labels(context, name), **labels}
    if context.settings.target == "kubernetes" and (agent or exposed or replicas > 1):
        selector = {f"{LABEL}.stack": context.stack, f"{LABEL}.workload": name}
        cluster = context.settings.kubernetes
        own = derive_namespace(context.stack, cluster)
        pod_namespace, count = (derive_agent_namespace(own), cluster.expected_nodes) if agent else (own, replicas)
        return {
            "discovery": Discovery(
                namespaces=(pod_namespace,), selector=selector, port=port, labels=series, expected=count
            )
        }
    return {"targets": (ScrapeTarget(address=context.address(name, port), labels=series),)}


def can_share_files(context: Planning) -> bool:
    """Whether one workload can see the files of another, so that stand-ins can write what would be files of a host."""
    return context.settings.target == "docker"


def can_publish_ports(context: Planning) -> bool:
    """Whether ports of a workload are opened on its host; on a cluster Services and an ingress stand for that."""
    return context.settings.target == "docker"


def derive_demo_log_volume(service: str) -> str:
    """The volume to which the stand-in of a service writes its log files, and from which they are collected."""
    return f"{service}-logs"
