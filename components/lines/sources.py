"""Whose a line is: rules by which lines have the label `service` that the metrics of their service have.

Source: https://grafana.com/docs/loki/latest/send-data/promtail/configuration/#relabel_configs
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

from model.base import derive_label_name, fold_key
from model.logs import CONTAINERS
from model.naming import LABEL
from model.service import Service

Rule = dict[str, Any]
CONTAINER = "__meta_docker_container_"
COMPOSE = f"{CONTAINER}label_com_docker_compose_"
DISCOVERY = f"{CONTAINER}label_{LABEL.replace('.', '_')}"
DISCOVERY_WORKLOAD = f"{DISCOVERY}_workload"
POD = "__meta_kubernetes_pod_"
_NAME = re.compile(r"[A-Za-z][\w-]*")
_JOINT = re.compile(r"\\?[-_]")
CALLED = "__tmp_called"
"""Label that holds what a container is called while rules are applied: none may see what another one wrote."""


def build_docker_rules(services: Mapping[str, Service]) -> list[Rule]:
    """All rules for the containers of an engine: their job, their name, and whose they are."""
    return [
        {"target_label": "job", "replacement": CONTAINERS},
        {"source_labels": [f"{CONTAINER}name"], "regex": "/(.*)", "target_label": "container"},
        {"source_labels": ["container"], "target_label": "service"},
        build_copy_rule(f"{COMPOSE}service", "service"),
        *build_container_rules(services),
        build_copy_rule(DISCOVERY_WORKLOAD, "service"),
    ]


def build_cluster_rules(services: Mapping[str, Service]) -> list[Rule]:
    """All rules for the pods of a cluster: their job, what they are called, and whose they are."""
    return [
        {"target_label": "job", "replacement": CONTAINERS},
        {"source_labels": ["__meta_kubernetes_namespace"], "target_label": "namespace"},
        {"source_labels": [f"{POD}name"], "target_label": "pod"},
        {"source_labels": [f"{POD}container_name"], "target_label": "container"},
        {"source_labels": [f"{POD}container_name"], "target_label": "service"},
        build_copy_rule(f"{POD}label_app", "app"),
        build_copy_rule(f"{POD}label_app_kubernetes_io_name", "app"),
        build_copy_rule("app", "service"),
        *build_key_rules(services),
        *build_pod_rules(services),
    ]


def build_copy_rule(source: str, target: str) -> Rule:
    """A rule that copies a label where it has a value."""
    return {"source_labels": [source], "regex": "(.+)", "target_label": target}


def build_container_rules(services: Mapping[str, Service]) -> list[Rule]:
    """Rules for the containers of an engine.

    A container is called as its service says, like its address, or like the service itself: compose services may have
    underscores where a key has dashes. A host that several services name is nobody's name. What services say comes
    last, the service of one project after that of any, so that it holds.
    """
    hosts_by_service = {key: _list_hosts(service) for key, service in services.items()}
    shared = Counter(host for hosts in hosts_by_service.values() for host in hosts)
    keys = {fold_key(key) for key in services}
    usual: list[Rule] = []
    said: list[Rule] = []
    within: list[Rule] = []
    for key, service in services.items():
        if service.logs.container:
            said.append(_build_service_rule([CALLED], _match_name(service.logs.container), key))
            said.append(_build_service_rule(["container"], _match_name(service.logs.container), key))
        elif service.logs.compose:
            project, slash, name = service.logs.compose.rpartition("/")
            chosen = [f"{COMPOSE}project"] if slash else []
            pattern = ";".join(map(re.escape, (project, name) if slash else (name,)))
            (within if slash else said).append(_build_service_rule([*chosen, f"{COMPOSE}service"], pattern, key))
        else:
            own = sorted(hosts_by_service[key])
            derived = [host for host in own if shared[host] == 1 and fold_key(host) not in keys]
            usual.append(_build_service_rule([CALLED], _match_name(key, *derived), key))
    return [{"source_labels": ["service"], "target_label": CALLED}, *usual, *said, *within]


def _match_name(*names: str) -> str:
    """An expression for names of containers: compose joins with dashes what its first version joined by underscores."""
    return "(?i)" + "|".join([_JOINT.sub("[-_]", re.escape(name)) for name in names])


def build_key_rules(services: Mapping[str, Service]) -> list[Rule]:
    """Rules by which the label `service` is the key of a service whose objects a cluster has with dashes."""
    return [_build_service_rule(["service"], fold_key(key), key) for key in services if key != fold_key(key)]


def _list_hosts(service: Service) -> set[str]:
    """The hosts of a service's addresses that may be names of containers."""
    hosts = {address.rpartition(":")[0] for address in (*service.addresses, service.address) if address}
    return {host for host in hosts if _NAME.fullmatch(host)}


def build_pod_rules(services: Mapping[str, Service]) -> list[Rule]:
    """Rules for the pods of a cluster: a service has the lines of those that it names, or is scraped from."""
    usual: list[Rule] = []
    said: list[Rule] = []
    for key, service in services.items():
        if pods := service.logs.selector:
            said.append(_build_selector_rule(pods.namespace, pods.labels, key))
        elif scraped := service.kubernetes:
            usual.append(_build_selector_rule(scraped.namespace, scraped.selector, key))
    return [*usual, *said]


def _build_selector_rule(namespace: str, labels: Mapping[str, str], service: str) -> Rule:
    chosen = sorted(labels.items())
    pattern = ";".join(re.escape(value) for value in (namespace, *(value for _, value in chosen)))
    sources = ["__meta_kubernetes_namespace", *(derive_label_name(f"{POD}label_{name}") for name, _ in chosen)]
    return _build_service_rule(sources, pattern, service)


def _build_service_rule(sources: list[str], pattern: str, service: str) -> Rule:
    return {"source_labels": sources, "regex": pattern, "target_label": "service", "replacement": service}
