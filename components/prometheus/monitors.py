"""Scrape jobs as the objects by which an operator's Prometheus finds and asks their targets.

Every series gets the labels that our own Prometheus would give it, since rules and dashboards ask for those: what the
operator adds of its own accord is replaced or taken away.
Formats: https://prometheus-operator.dev/docs/api-reference/api/.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic.alias_generators import to_camel

from components.discovery import (
    TOKENS,
    build_port_relabelling,
    build_probe_relabelling,
    find_scrape_timeout,
    group_targets,
)
from model.base import fold_key
from model.component import Planned, Planning
from model.extra_objects import ExtraObject
from model.naming import LABEL
from model.operator import GROUP, Operator
from model.telemetry import Discovery, ScrapeJob, ScrapeTarget

ADDED = ("container", "endpoint", "namespace", "node", "pod")
"""Labels that the operator gives each target, beside `job` and `service`, which are ours."""
KUBELET = {"k8s-app": "kubelet"}
"""Label of the Service that the operator keeps for the kubelets, and the name of its port."""
KUBELET_PORT = "https-metrics"
Rule = dict[str, Any]


@dataclass(frozen=True)
class OperatorOptions:
    """What holds for every object: whose it is, how often rules are evaluated, how many samples a scrape may give."""

    operator: Operator
    evaluation_interval: str
    sample_limit: int


def build_monitors(context: Planned, options: OperatorOptions) -> Iterator[ExtraObject]:
    """The objects of every job: where its targets are decides on their kind."""
    for job in context.telemetry.scrape:
        if job.prober and not job.discovery:
            yield from build_probes(context, options, job, job.prober)
        elif job.discovery and job.discovery.role == "node":
            yield build_kubelet_monitor(context, options, job, job.discovery)
        elif job.discovery:
            yield build_pod_monitor(context, options, job, job.discovery)
        else:
            yield from build_static_monitors(context, options, job)


def build_static_monitors(context: Planning, options: OperatorOptions, job: ScrapeJob) -> Iterator[ExtraObject]:
    """A ServiceMonitor for each target that is a Service of the stack, one ScrapeConfig for all others."""
    named = [(find_service(context, target), target) for target in job.targets]
    own = [(service, target) for service, target in named if service]
    for service, target in own:
        name = job.name if len(own) == 1 else f"{job.name}-{service}"
        yield build_service_monitor(context, options, job, target, name)
    if others := [target for service, target in named if not service]:
        yield build_scrape_config(context, options, job, others)


def find_service(context: Planning, target: ScrapeTarget) -> str | None:
    """The Service of the stack that a target is; None where it is somewhere else."""
    host, _, port = target.address.rpartition(":")
    name = host.partition(".")[0]
    return name if port.isdigit() and context.address(name, int(port)) == target.address else None


# -- kinds -----------------------------------------------------------------------------------------------------------


def build_service_monitor(
    context: Planning, options: OperatorOptions, job: ScrapeJob, target: ScrapeTarget, name: str
) -> ExtraObject:
    """The pod behind one of the stack's Services, called by the Service's address, so a new pod is no new series."""
    service = target.address.partition(".")[0]
    labels = {f"{LABEL}.stack": context.stack, f"{LABEL}.workload": service}
    endpoint = {
        "targetPort": int(target.address.rpartition(":")[2]),
        **build_endpoint(context, job),
        "relabelings": [
            # instances have a headless Service with the same labels
            {"sourceLabels": ["__meta_kubernetes_service_name"], "regex": service, "action": "keep"},
            *build_relabelings(job, {"instance": target.address} | dict(target.labels), ADDED),
            *map(convert_rule, job.relabel),
        ],
    }
    spec = {"selector": {"matchLabels": labels}, "endpoints": [endpoint], **build_spec_options(options, job)}
    return _build_monitor("ServiceMonitor", name, options, spec)


def build_pod_monitor(context: Planning, options: OperatorOptions, job: ScrapeJob, how: Discovery) -> ExtraObject:
    """Pods that are found by their labels; they keep the namespace and the name that they are known by.

    No port is named, as pods that do not declare it would not be found.
    """
    node = {"sourceLabels": ["__meta_kubernetes_pod_node_name"], "targetLabel": "node"}
    where = map(
        convert_rule, [*build_port_relabelling("__meta_kubernetes_pod_ip", how.port), *build_probe_relabelling(job)]
    )
    endpoint = {
        **build_endpoint(context, job),
        "relabelings": [
            *where, *build_relabelings(job, how.labels, ("container", "endpoint")), node,
            *map(convert_rule, job.relabel),
        ],
    }  # fmt: skip
    spec = {
        "namespaceSelector": {"matchNames": list(how.namespaces)} if how.namespaces else {"any": True},
        "selector": {"matchLabels": dict(sorted(how.selector.items()))},
        "podMetricsEndpoints": [endpoint],
        **build_spec_options(options, job),
    }
    return _build_monitor("PodMonitor", job.name, options, spec)


def build_kubelet_monitor(context: Planning, options: OperatorOptions, job: ScrapeJob, how: Discovery) -> ExtraObject:
    """The nodes, by the Service that the operator keeps for their kubelets; its Prometheus shows its own identity."""
    endpoint = {
        "port": KUBELET_PORT,
        **build_endpoint(context, job),
        "relabelings": [
            *build_relabelings(job, how.labels, tuple(label for label in ADDED if label != "node")),
            *map(convert_rule, job.relabel)
        ],
        **({"bearerTokenFile": f"{TOKENS}/token"} if job.platform_login else {}),
        # Kubelets make their serving certificates themselves unless a cluster is told to sign them.
        **({"tlsConfig": {"insecureSkipVerify": True}} if job.scheme == "https" else {}),
    }  # fmt: skip
    spec = {
        "namespaceSelector": {"matchNames": [options.operator.kubelet_namespace]},
        "selector": {"matchLabels": KUBELET},
        "endpoints": [endpoint],
        **build_spec_options(options, job),
    }
    return _build_monitor("ServiceMonitor", job.name, options, spec)


def build_probes(context: Planning, options: OperatorOptions, job: ScrapeJob, prober: str) -> Iterator[ExtraObject]:
    """What a prober is asked about: a Probe for all addresses with the same labels, named after their service."""
    endpoint = build_endpoint(context, job)
    for labels, addresses in group_targets(job.targets):
        spec = {
            "prober": {"url": prober, "scheme": job.scheme, "path": job.path},
            **({"module": job.params["module"][0]} if "module" in job.params else {}),
            "interval": endpoint["interval"],
            "scrapeTimeout": endpoint["scrapeTimeout"],
            **_build_metric_rules(job),
            "targets": {
                "staticConfig": {
                    "static": addresses,
                    "labels": labels,
                    "relabelingConfigs": [*build_relabelings(job, {}, ("namespace",)), *map(convert_rule, job.relabel)],
                }
            },
            **build_spec_options(options, job),
        }
        yield _build_monitor("Probe", f"{job.name}-{labels.get('service', 'targets')}", options, spec)


def build_scrape_config(
    context: Planning, options: OperatorOptions, job: ScrapeJob, targets: list[ScrapeTarget]
) -> ExtraObject:
    """Addresses that no object of the cluster stands for."""
    endpoint = build_endpoint(context, job)
    groups: list[dict[str, Any]] = []
    for labels, addresses in group_targets(targets):
        groups.append({"targets": addresses, "labels": {"job": job.name, **labels}})
    spec: dict[str, Any] = {
        "staticConfigs": groups,
        "metricsPath": job.path,
        "scheme": job.scheme.upper(),
        "scrapeInterval": endpoint["interval"],
        "scrapeTimeout": endpoint["scrapeTimeout"],
        **{key: endpoint[key] for key in ("honorLabels", "params") if key in endpoint},
        **({"relabelings": [convert_rule(rule) for rule in job.relabel]} if job.relabel else {}),
        **_build_metric_rules(job),
        **build_spec_options(options, job),
    }
    return _build_monitor("ScrapeConfig", job.name, options, spec, version="v1alpha1")


# -- parts -----------------------------------------------------------------------------------------------------------


def build_endpoint(context: Planning, job: ScrapeJob) -> dict[str, Any]:
    """How a target is asked, in the words that endpoints of all kinds share."""
    interval = job.interval or context.settings.scrape_interval
    return {
        "path": job.path,
        "scheme": job.scheme,
        "interval": interval,
        "scrapeTimeout": job.timeout or find_scrape_timeout(interval),
        **({"honorLabels": True} if job.honor_labels else {}),
        **({"tlsConfig": convert_rule(job.scrape.tls.build_config(""))} if job.scrape.tls else {}),
        **({"params": {key: list(values) for key, values in job.params.items()}} if job.params else {}),
        **_build_metric_rules(job),
    }


def _build_metric_rules(job: ScrapeJob) -> dict[str, Any]:
    return {"metricRelabelings": [convert_rule(rule) for rule in job.metric_relabel]} if job.metric_relabel else {}


def build_spec_options(options: OperatorOptions, job: ScrapeJob) -> dict[str, Any]:
    """Samples after which a scrape is refused, and what an answer without a type is read as."""
    limit = job.sample_limit or options.sample_limit
    return {"sampleLimit": limit, "fallbackScrapeProtocol": job.scrape.fallback_scrape_protocol}


def build_relabelings(job: ScrapeJob, labels: Mapping[str, str], unwanted: tuple[str, ...]) -> list[Rule]:
    """Rules that give a target its job's name and its labels, and take away what the operator added to them."""
    target_labels: dict[str, str] = {"job": job.name, **labels}
    surplus = [label for label in unwanted if label not in target_labels]
    rules: list[Rule] = [
        {"targetLabel": label, "replacement": value.replace("$", "$$")}
        for label, value in sorted(target_labels.items())
    ]
    return [*rules, {"regex": "|".join(map(re.escape, surplus)), "action": "labeldrop"}] if surplus else rules


def convert_rule(rule: Mapping[str, Any]) -> Rule:
    """An entry of Prometheus' configuration, such as one of relabel_configs, as the operator's objects have it."""
    return {to_camel(key): value for key, value in rule.items()}


def _build_monitor(
    kind: str, name: str, options: OperatorOptions, spec: Mapping[str, Any], version: str = "v1"
) -> ExtraObject:
    role = options.operator.service_discovery_role if kind == "ServiceMonitor" else None
    written = {**spec, "serviceDiscoveryRole": role} if role else spec
    return ExtraObject(
        api=f"{GROUP}/{version}", kind=kind, name=fold_key(name), labels=options.operator.labels, body={"spec": written}
    )
