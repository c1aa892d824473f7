"""How Prometheus finds targets that only the platform knows, and what it must be allowed for that."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from operator import attrgetter
from typing import Any

from model.base import parse_duration
from model.component import Planning
from model.naming import build_identity_labels, build_scrape_targets
from model.telemetry import Discovery, ScrapeJob, ScrapeTarget
from model.workload import Access

TOKENS = "/var/run/secrets/kubernetes.io/serviceaccount"
PLATFORM_LOGIN = {
    "authorization": {"credentials_file": f"{TOKENS}/token"},
    # Kubelets make their serving certificates themselves unless a cluster is told to sign them.
    "tls_config": {"ca_file": f"{TOKENS}/ca.crt", "insecure_skip_verify": True},
}
"""How Prometheus shows its own identity to the platform's nodes."""


def find_scrape_timeout(interval: str) -> str:
    """The longest usual time-out that is not longer than the interval: 10s, or the interval itself."""
    return min(interval, "10s", key=parse_duration)


def build_discovery_job(job: ScrapeJob, how: Discovery, usual: str) -> dict[str, Any]:
    """Targets that the platform's API tells, with the labels that static ones have and where they run.

    `usual` is the interval of jobs that say none.

    Source: https://prometheus.io/docs/prometheus/latest/configuration/configuration/#kubernetes_sd_config
    """
    meta = f"__meta_kubernetes_{how.role}_"
    selector = ",".join(f"{key}={value}" for key, value in sorted(how.selector.items()))
    discovery: dict[str, Any] = {"role": how.role}
    if how.namespaces:
        discovery["namespaces"] = {"names": list(how.namespaces)}
    if selector:
        discovery["selectors"] = [{"role": how.role, "label": selector}]
    rules: list[dict[str, Any]] = [
        {"target_label": label, "replacement": value}
        for label, value in sorted({"job": job.name, **how.labels}.items())
    ]
    if how.role == "node":
        rules.append({"source_labels": [f"{meta}name"], "target_label": "node"})
    else:
        rules = [
            {"source_labels": [f"{meta}phase"], "regex": "Succeeded|Failed", "action": "drop"},
            *build_port_relabelling(f"{meta}ip", how.port),
            *rules,
            {"source_labels": ["__meta_kubernetes_namespace"], "target_label": "namespace"},
            {"source_labels": [f"{meta}name"], "target_label": "pod"},
            {"source_labels": [f"{meta}node_name"], "target_label": "node"},
        ]
    interval = job.interval or usual
    return {
        "metrics_path": job.path,
        "scrape_interval": interval,
        "scrape_timeout": job.timeout or find_scrape_timeout(interval),
        "kubernetes_sd_configs": [discovery],
        "relabel_configs": rules,
    }


def build_port_relabelling(ip: str, port: int | None) -> list[dict[str, Any]]:
    """Relabelling that makes each pod one target at a port, by its label `ip`.

    Prometheus finds a pod once for each port that a container declares, and once for each container that declares none;
    with the same address and labels they are one target. A pod without an address yet is not found at all.
    """
    return [
        {"source_labels": [ip], "regex": "([^:]+)", "target_label": "__address__", "replacement": f"$1:{port}"},
        {"source_labels": [ip], "regex": "(.*:.*)", "target_label": "__address__", "replacement": f"[$1]:{port}"},
    ]


def build_instance_discovery(context: Planning, name: str, port: int, replicas: int) -> dict[str, Any]:
    """How the instances of Prometheus or Alertmanager are found: the stack's own, or those that an operator runs.

    An operator's have these labels: https://prometheus-operator.dev/docs/platform/troubleshooting/.
    """
    if context.operator is None:
        return build_scrape_targets(context, name, port, replicas=replicas)
    selector = {"app.kubernetes.io/name": name, "app.kubernetes.io/managed-by": "prometheus-operator"}
    namespaces, labels = (context.operator.namespace,), build_identity_labels(context, name)
    discovery = Discovery(
        namespaces=namespaces, selector=selector, port=port, labels=labels, expected=replicas, least=replicas
    )
    return {"discovery": discovery}


def group_targets(targets: Sequence[ScrapeTarget]) -> list[tuple[dict[str, str], list[str]]]:
    """The addresses of targets that have the same labels, each group with these."""
    groups: dict[tuple[tuple[str, str], ...], list[str]] = {}
    for labels, same in groupby(targets, key=attrgetter("labels")):  # mostly one mapping for all targets of a job
        groups.setdefault(tuple(sorted(labels.items())), []).extend(target.address for target in same)
    return [(dict(labels), addresses) for labels, addresses in groups.items()]


def build_target_groups(job: ScrapeJob, usual: str) -> list[dict[str, Any]]:
    """A file_sd document: targets grouped by their labels, with the job's name, path, interval and time-out.

    `usual` is the interval of jobs that say none.

    Source: https://prometheus.io/docs/prometheus/latest/configuration/configuration/#file_sd_config
    """
    interval = job.interval or usual
    own = {
        "job": job.name,
        "__metrics_path__": job.path,
        "__scrape_interval__": interval,
        "__scrape_timeout__": job.timeout or find_scrape_timeout(interval),
    }
    return [{"targets": addresses, "labels": {**labels, **own}} for labels, addresses in group_targets(job.targets)]


def build_probe_relabelling(job: ScrapeJob) -> list[dict[str, Any]]:
    """Relabelling that has the prober of a job asked about each of its targets; none where it has no prober.

    Source: https://prometheus.io/docs/guides/multi-target-exporter/
    """
    if job.prober is None:
        return []
    rule: dict[str, Any] = {"source_labels": ["__address__"], "target_label": "__param_target"}
    if job.discovery:
        rule["replacement"] = f"{job.http_scheme}://$1{(job.http_path or '').replace('$', '$$')}"
    return [
        rule,
        {"source_labels": ["__param_target"], "target_label": "instance"},
        {"target_label": "__address__", "replacement": job.prober},
    ]


def list_access(jobs: Sequence[ScrapeJob]) -> tuple[Access, ...]:
    """What the discoveries of `jobs` ask the platform's API for, and no more."""
    discoveries = [job.discovery for job in jobs if job.discovery]
    names = sorted({name for how in discoveries for name in how.namespaces if how.role == "pod"})
    pods = (Access(resources=("pods",), namespaces=tuple(names)),) if names else ()
    if not any(how.role == "node" for how in discoveries):
        return pods
    return (*pods, Access(resources=("nodes",)), Access(resources=("nodes/metrics",), verbs=("get",)))
