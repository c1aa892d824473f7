"""Discovery of targets by the platform, and what Prometheus may ask for."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from components.discovery import (
    build_discovery_job,
    build_port_relabelling,
    build_probe_relabelling,
    find_scrape_timeout,
    list_access,
)
from model.telemetry import Discovery, ScrapeJob
from model.workload import Access
from stack.assemble import ConfigValue
from tests.support.systems import plan_shop

PODS = Discovery(namespaces=("shop",), selector={"app": "api"}, port=8080, labels={"service": "api"})
NODES = Discovery(role="node", labels={"service": "kubelet"})


def test_pods_are_found_by_their_labels() -> None:
    """Only the pods of the namespace with these labels, at the port, with the labels that every series carries."""
    found = build_discovery_job(ScrapeJob(name="api", discovery=PODS, path="/m"), PODS, "15s")
    assert found["kubernetes_sd_configs"] == [
        {"role": "pod", "namespaces": {"names": ["shop"]}, "selectors": [{"role": "pod", "label": "app=api"}]}
    ]
    rules = found["relabel_configs"]
    assert not [rule for rule in rules if rule.get("action") == "keep"]
    assert {"target_label": "service", "replacement": "api"} in rules
    assert {rule.get("target_label") for rule in rules} >= {"namespace", "pod", "node", "job"}
    assert (found["metrics_path"], found["scrape_interval"], found["scrape_timeout"]) == ("/m", "15s", "10s")


@pytest.mark.parametrize(("ip", "address"), [("10.244.0.7", "10.244.0.7:8080"), ("fd00::7", "[fd00::7]:8080")])
def test_a_pod_is_asked_at_the_port(ip: str, address: str) -> None:
    """Whatever ports its containers declare, and whether they declare any: each pod has one address."""
    found = "10.244.0.7"
    for rule in build_port_relabelling("ip", 8080):
        assert rule["source_labels"] == ["ip"] and rule["target_label"] == "__address__"
        if match := re.fullmatch(rule["regex"], ip):
            found = match.expand(rule["replacement"].replace("$1", r"\1"))
    assert found == address


def test_a_prober_is_asked_about_each_pod() -> None:
    """By the pod's address and the path; a dollar sign in the path is none of relabelling's."""
    (asked, *_) = build_probe_relabelling(
        ScrapeJob(name="blackbox.api", discovery=PODS, prober="b:9115", http_path="/health$")
    )
    assert asked == {
        "source_labels": ["__address__"], "target_label": "__param_target", "replacement": "http://$1/health$$",
    }  # fmt: skip


def test_nodes_are_found_everywhere() -> None:
    """Nodes have no namespace; their name is a label."""
    found = build_discovery_job(ScrapeJob(name="kubelet", discovery=NODES, interval="5s"), NODES, "15s")
    assert found["kubernetes_sd_configs"] == [{"role": "node"}]
    assert {"source_labels": ["__meta_kubernetes_node_name"], "target_label": "node"} in found["relabel_configs"]
    assert found["scrape_timeout"] == "5s"


def test_no_more_is_asked_for_than_needed() -> None:
    """Pods in the namespaces that are searched; nodes only where they are scraped; nothing without a discovery."""
    pods, nodes = ScrapeJob(name="api", discovery=PODS), ScrapeJob(name="kubelet", discovery=NODES)
    assert list_access([ScrapeJob(name="static")]) == ()
    assert list_access([pods]) == (Access(resources=("pods",), namespaces=("shop",)),)
    assert Access(resources=("nodes/metrics",), verbs=("get",)) in list_access([pods, nodes])


@pytest.mark.parametrize(("interval", "timeout"), [("15s", "10s"), ("10s", "10s"), ("5s", "5s"), ("500ms", "500ms")])
def test_a_timeout_is_never_longer_than_its_interval(interval: str, timeout: str) -> None:
    """Prometheus refuses a configuration in which it is."""
    assert find_scrape_timeout(interval) == timeout


def test_a_prober_is_asked_about_the_targets() -> None:
    """The target becomes a parameter and the instance, and the prober's address is the one that is connected to."""
    rules = build_probe_relabelling(ScrapeJob(name="blackbox", prober="blackbox:9115"))
    assert [rule["target_label"] for rule in rules] == ["__param_target", "instance", "__address__"]
    assert rules[-1] == {"target_label": "__address__", "replacement": "blackbox:9115"}
    assert build_probe_relabelling(ScrapeJob(name="api")) == []


def test_a_pods_instance_may_be_its_host_alone(tmp_path: Path) -> None:
    """A service whose instances are told apart by their hosts has the pod's address without its port."""
    pods = {"namespace": "2048-game", "selector": {"app": "api"}}
    for instance, wanted in (("host", "10.244.0.7"), ("address", None)):
        plan = plan_shop(
            tmp_path,
            {"services.api.kubernetes": pods, "services.api.instance": instance},
            settings={"target": ConfigValue("kubernetes"), "demo": ConfigValue("false")},
        )
        (job,) = [job for job in plan.telemetry.scrape if job.name == "api"]
        found = [rule for rule in job.relabel if rule["target_label"] == "instance"]
        seen = [re.fullmatch(rule["regex"], "10.244.0.7:8080") for rule in found]
        assert [match and match[1] for match in seen] == ([wanted] if wanted else [])
        assert not job.discovery or job.discovery.namespaces == ("2048-game",)
