"""Scrape jobs as objects: who finds the targets, and with which labels their series come out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pytest

from components.prometheus import settings as prometheus
from components.prometheus.monitors import OperatorOptions, build_monitors, convert_rule
from model.component import Planned
from model.extra_objects import ExtraObject
from model.load import parse_model
from model.operator import Operator
from model.scraping import Scrape
from model.settings import Settings
from model.system import System
from model.telemetry import Discovery, ScrapeJob, ScrapeTarget, Telemetry
from targets.kubernetes.check import build_address
from tests.support.systems import SYSTEM

LABELS = {"service": "api", "system": "shop", "environment": "test"}
TERMS = OperatorOptions(Operator(namespace="watch", labels={"team": "ops"}), "15s", 50_000)
FOUND = {
    "__meta_kubernetes_service_name": "api", "__meta_kubernetes_pod_node_name": "n1", "namespace": "monitoring-dev",
    "service": "api-service", "job": "api-service", "pod": "api-0", "container": "api", "endpoint": "http",
    "node": "n1", "instance": "10.0.0.7:4000", "__address__": "10.0.0.7:4000", "__meta_kubernetes_pod_ip": "10.0.0.7",
}  # fmt: skip
"""A target as the operator hands it to the rules of a monitor."""


def made(job: ScrapeJob, terms: OperatorOptions = TERMS) -> list[ExtraObject]:
    """The objects of a job on a cluster."""
    settings = parse_model(Settings, {"system": "shop", "target": "kubernetes"}, "settings")
    context = Planned(
        stack="dev", settings=settings, system=parse_model(System, SYSTEM, "shop"),
        sections={"prometheus": prometheus.Settings(mode="operator")},
        address=lambda name, port: build_address("dev", settings.kubernetes, name, port),
        images={}, telemetry=Telemetry(scrape=(job,)),
    )  # fmt: skip
    return list(build_monitors(context, terms))


def relabelled(rules: list[Mapping[str, Any]], before: Mapping[str, str]) -> dict[str, str] | None:
    """The public labels that Prometheus would give a target; None when it is dropped."""
    labels = dict(before)
    for rule in rules:
        text = ";".join(labels.get(name, "") for name in rule.get("sourceLabels", ()))
        action, wanted = rule.get("action", "replace"), re.compile(f"(?:{rule.get('regex', '(.*)')})\\Z")
        if action == "keep" and not wanted.match(text):
            return None
        if action == "labeldrop":
            labels = {name: value for name, value in labels.items() if not wanted.match(name)}
        if action == "replace" and (match := wanted.match(text)):
            first = match[1] if match.lastindex else ""
            labels[rule["targetLabel"]] = rule.get("replacement", text).replace("$1", first).replace("$$", "$")
    return {name: value for name, value in labels.items() if not name.startswith("__")}


def test_a_service_of_the_stack_is_a_service_monitor() -> None:
    """Found by the stack's labels, asked as the job says, selected by the operator's label."""
    target = ScrapeTarget(address="api.monitoring-dev.svc:4000", labels=LABELS)
    job = ScrapeJob(
        name="api", targets=(target,), path="/m", interval="5s", sample_limit=7, honor_labels=True, params={"a": ("b",)}
    )
    (item,) = made(job)
    assert (item.api, item.kind, item.name) == ("monitoring.coreos.com/v1", "ServiceMonitor", "api")
    assert item.labels == {"team": "ops"}
    spec = item.body["spec"]
    assert spec["selector"]["matchLabels"] == {"io.observability.stack": "dev", "io.observability.workload": "api"}
    assert spec["sampleLimit"] == 7
    (endpoint,) = spec["endpoints"]
    assert endpoint.items() >= {
        "targetPort": 4000, "path": "/m", "interval": "5s", "scrapeTimeout": "5s", "honorLabels": True,
        "params": {"a": ["b"]},
    }.items()  # fmt: skip


def test_series_of_a_service_have_the_labels_of_our_own_prometheus() -> None:
    """Nothing of the operator's is left; an instance keeps its name when its pod is another one."""
    (item,) = made(ScrapeJob(name="api", targets=(ScrapeTarget(address="api.monitoring-dev.svc:4000", labels=LABELS),)))
    rules = item.body["spec"]["endpoints"][0]["relabelings"]
    assert relabelled(rules, FOUND) == {**LABELS, "job": "api", "instance": "api.monitoring-dev.svc:4000"}
    assert relabelled(rules, {**FOUND, "__meta_kubernetes_service_name": "api-pods"}) is None


def test_a_label_that_the_job_gives_is_not_taken_away() -> None:
    """Also when the operator would give one of that name; a dollar in its value stays one."""
    labels = {**LABELS, "namespace": "sh$op"}
    (item,) = made(ScrapeJob(name="api", targets=(ScrapeTarget(address="api.monitoring-dev.svc:4000", labels=labels),)))
    found = relabelled(item.body["spec"]["endpoints"][0]["relabelings"], FOUND)
    assert found is not None and found["namespace"] == "sh$op"


def test_several_services_are_several_monitors() -> None:
    """Each with the labels of its own target."""
    targets = tuple(
        ScrapeTarget(address=f"pg-{key}.monitoring-dev.svc:9187", labels={**LABELS, "database": key}) for key in "ab"
    )
    found = made(ScrapeJob(name="pg", targets=targets))
    assert [item.name for item in found] == ["pg-pg-a", "pg-pg-b"]
    labels = [relabelled(item.body["spec"]["endpoints"][0]["relabelings"][1:], FOUND) for item in found]
    assert [item["database"] for item in labels if item] == ["a", "b"]


def test_pods_are_a_pod_monitor() -> None:
    """In their own namespace; they keep the labels that tell where they are. No port is looked for, but asked."""
    how = Discovery(namespaces=("shop",), selector={"app": "api"}, port=8080, labels=LABELS)
    (item,) = made(ScrapeJob(name="api", discovery=how))
    spec = item.body["spec"]
    assert (item.kind, spec["namespaceSelector"]) == ("PodMonitor", {"matchNames": ["shop"]})
    assert spec["selector"] == {"matchLabels": {"app": "api"}}
    (endpoint,) = spec["podMetricsEndpoints"]
    assert not endpoint.keys() & {"port", "portNumber", "targetPort"}, "pods that declare none would be left out"
    assert endpoint["relabelings"][0]["replacement"] == "$1:8080"
    assert relabelled(endpoint["relabelings"], {**FOUND, "namespace": "shop", "node": ""}) == {
        **LABELS, "job": "api", "namespace": "shop", "pod": "api-0", "node": "n1", "instance": "10.0.0.7:4000",
    }  # fmt: skip


def test_objects_hold_for_both_roles_of_discovery() -> None:
    """A Prometheus that finds Services by their EndpointSlices has no labels of Endpoints, and the other way round.

    Source: https://prometheus-operator.dev/docs/api-reference/api/ (serviceDiscoveryRole)
    """
    nodes = Discovery(role="node", labels={**LABELS, "service": "kubelet"})
    own = ScrapeTarget(address="api.monitoring-dev.svc:4000", labels=LABELS)
    every = [*made(ScrapeJob(name="kubelet", discovery=nodes)), *made(ScrapeJob(name="api", targets=(own,)))]
    assert [item.kind for item in every] == ["ServiceMonitor", "ServiceMonitor"]
    assert "__meta_kubernetes_endpoint" not in str([item.body for item in every])


def test_a_service_monitor_says_by_which_objects_it_is_found() -> None:
    """Where the settings say so; pods are found by themselves, and an object for them has no such field."""
    operator = parse_model(Operator, {"serviceDiscoveryRole": "EndpointSlice"}, "operator")
    own = ScrapeTarget(address=build_address("dev", Settings(system="shop").kubernetes, "api", 4000), labels=LABELS)
    service, pods = (
        ScrapeJob(name="api", targets=(own,)),
        ScrapeJob(name="shop", discovery=Discovery(selector={"a": "b"})),
    )
    roles = [
        [item.body["spec"].get("serviceDiscoveryRole") for item in made(job, OperatorOptions(each, "15s", 1))]
        for each in (operator, Operator()) for job in (service, pods)
    ]  # fmt: skip
    assert roles == [["EndpointSlice"], [None], [None], [None]]


def test_pods_are_asked_by_a_prober() -> None:
    """Objects for a prober cannot select pods, so a monitor of pods has the prober asked about each."""
    how = Discovery(namespaces=("shop",), selector={"app": "api"}, port=8080, labels={**LABELS, "job": "blackbox"})
    params = {"module": ("http_2xx",)}
    (item,) = made(
        ScrapeJob(
            name="blackbox.api", discovery=how, prober="b.svc:9115", path="/probe", http_path="/health", params=params
        )
    )
    (endpoint,) = item.body["spec"]["podMetricsEndpoints"]
    assert (item.kind, endpoint["path"], endpoint["params"]) == ("PodMonitor", "/probe", {"module": ["http_2xx"]})
    labels = relabelled(endpoint["relabelings"], {**FOUND, "namespace": "shop", "node": ""})
    assert labels == {
        **LABELS, "job": "blackbox", "namespace": "shop", "pod": "api-0", "node": "n1",
        "instance": "http://10.0.0.7:8080/health",
    }  # fmt: skip
    assert endpoint["relabelings"][4] == {"targetLabel": "__address__", "replacement": "b.svc:9115"}


def test_nodes_are_the_service_that_the_operator_keeps() -> None:
    """Its Prometheus shows the kubelets its own identity; a series has its node and nothing of the Service."""
    how = Discovery(role="node", labels={**LABELS, "service": "kubelet"})
    (item,) = made(ScrapeJob(name="kubelet", discovery=how, platform_login=True, scheme="https"))
    spec = item.body["spec"]
    assert (item.kind, spec["namespaceSelector"]) == ("ServiceMonitor", {"matchNames": ["kube-system"]})
    assert spec["selector"] == {"matchLabels": {"k8s-app": "kubelet"}}
    (endpoint,) = spec["endpoints"]
    assert endpoint["bearerTokenFile"].endswith("/token") and endpoint["tlsConfig"] == {"insecureSkipVerify": True}
    found = relabelled(endpoint["relabelings"], FOUND)
    assert found == {**LABELS, "service": "kubelet", "job": "kubelet", "node": "n1", "instance": "10.0.0.7:4000"}


def test_a_prober_is_asked_by_probes() -> None:
    """One for each set of labels; the operator's namespace is not that of what is asked about."""
    targets = (
        ScrapeTarget(address="http://a/health", labels=LABELS),
        ScrapeTarget(address="http://a/ready", labels=LABELS),
        ScrapeTarget(address="http://b/health", labels={**LABELS, "service": "web"}),
    )
    first, second = made(
        ScrapeJob(name="blackbox", targets=targets, prober="bb:9115", path="/probe", params={"module": ("http_2xx",)})
    )
    assert (first.kind, first.name, second.name) == ("Probe", "blackbox-api", "blackbox-web")
    spec = first.body["spec"]
    assert spec["prober"] == {"url": "bb:9115", "scheme": "http", "path": "/probe"} and spec["module"] == "http_2xx"
    static = spec["targets"]["staticConfig"]
    assert (static["static"], static["labels"]) == (["http://a/health", "http://a/ready"], LABELS)
    assert relabelled(static["relabelingConfigs"], {**LABELS, "namespace": "x"}) == {**LABELS, "job": "blackbox"}


def test_addresses_elsewhere_are_a_scrape_config() -> None:
    """Nothing in the cluster stands for them, so they are listed."""
    job = ScrapeJob(name="db", targets=(ScrapeTarget(address="db.example.com:9187", labels=LABELS),), scheme="https")
    (item,) = made(job)
    assert (item.api, item.kind) == ("monitoring.coreos.com/v1alpha1", "ScrapeConfig")
    spec = item.body["spec"]
    assert spec["staticConfigs"] == [{"targets": ["db.example.com:9187"], "labels": {"job": "db", **LABELS}}]
    assert (spec["scheme"], spec["metricsPath"], spec["scrapeInterval"]) == ("HTTPS", "/metrics", "15s")


@pytest.mark.parametrize("kind", ["targets", "discovery", "prober"])
def test_what_becomes_of_series_is_carried_over(kind: str) -> None:
    """Metric relabelling and the limit of samples are part of every kind."""
    kinds: dict[str, dict[str, Any]] = {
        "targets": {"targets": (ScrapeTarget(address="x:1", labels=LABELS),)},
        "discovery": {"discovery": Discovery(namespaces=("a",), selector={"a": "b"}, port=1, labels=LABELS)},
        "prober": {"targets": (ScrapeTarget(address="x:1", labels=LABELS),), "prober": "bb:1"},
    }
    rule = {"source_labels": ["a"], "target_label": "b"}
    (item,) = made(ScrapeJob(name="x", metric_relabel=(rule,), **kinds[kind]))
    assert str(convert_rule(rule)) in str(item.body) and item.body["spec"]["sampleLimit"] == 50_000


def test_an_endpoint_says_how_a_service_is_asked() -> None:
    """By https, with what its certificate is for; an answer without a type is read as text."""
    how = Scrape.model_validate({"scheme": "https", "tls": {"serverName": "api.internal"}})
    open_ = Scrape.model_validate({"scheme": "https", "tls": {"unverifiedBecause": "it signs for itself"}})
    target = ScrapeTarget(address="api.x-dev.svc:4000", labels=LABELS)
    for scrape, expected in ((how, {"serverName": "api.internal"}), (open_, {"insecureSkipVerify": True})):
        pods = Discovery(namespaces=("shop",), selector={"app": "api"}, port=4000, labels=LABELS)
        (found,) = made(ScrapeJob(name="api", discovery=pods, scheme="https", scrape=scrape))
        (endpoint,) = found.body["spec"]["podMetricsEndpoints"]
        assert (endpoint["scheme"], endpoint["tlsConfig"]) == ("https", expected)
        assert found.body["spec"]["fallbackScrapeProtocol"] == "PrometheusText0.0.4"
    (plain,) = made(ScrapeJob(name="api", targets=(target,)))
    assert "tlsConfig" not in str(plain.body)
