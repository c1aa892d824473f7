"""Discovery of targets by the platform, and what Prometheus may ask for."""

from __future__ import annotations

import pytest

from components.discovery import access, discovered, probed, scrape_timeout
from model.telemetry import Discovery, ScrapeJob
from model.workload import Access

PODS = Discovery(namespaces=("shop",), selector={"app": "api"}, port=8080, labels={"service": "api"})
NODES = Discovery(role="node", labels={"service": "kubelet"})


def test_pods_are_found_by_their_labels() -> None:
    """Only the pods of the namespace with these labels, at the port, with the labels that every series carries."""
    found = discovered(ScrapeJob(name="api", discovery=PODS, path="/m"), PODS, "15s")
    assert found["kubernetes_sd_configs"] == [
        {"role": "pod", "namespaces": {"names": ["shop"]}, "selectors": [{"role": "pod", "label": "app=api"}]}
    ]
    rules = found["relabel_configs"]
    assert {
        "source_labels": ["__meta_kubernetes_pod_container_port_number"],
        "regex": "8080",
        "action": "keep",
    } in rules
    assert {"target_label": "service", "replacement": "api"} in rules
    assert {rule.get("target_label") for rule in rules} >= {"namespace", "pod", "node", "job"}
    assert (found["metrics_path"], found["scrape_interval"], found["scrape_timeout"]) == ("/m", "15s", "10s")


def test_nodes_are_found_everywhere() -> None:
    """Nodes have no namespace; their name is a label."""
    found = discovered(ScrapeJob(name="kubelet", discovery=NODES, interval="5s"), NODES, "15s")
    assert found["kubernetes_sd_configs"] == [{"role": "node"}]
    assert {"source_labels": ["__meta_kubernetes_node_name"], "target_label": "node"} in found["relabel_configs"]
    assert found["scrape_timeout"] == "5s"


def test_no_more_is_asked_for_than_needed() -> None:
    """Pods in the namespaces that are searched; nodes only where they are scraped; nothing without a discovery."""
    pods, nodes = ScrapeJob(name="api", discovery=PODS), ScrapeJob(name="kubelet", discovery=NODES)
    assert access([ScrapeJob(name="static")]) == ()
    assert access([pods]) == (Access(resources=("pods",), namespaces=("shop",)),)
    assert Access(resources=("nodes/metrics",), verbs=("get",)) in access([pods, nodes])


@pytest.mark.parametrize(("interval", "timeout"), [("15s", "10s"), ("10s", "10s"), ("5s", "5s"), ("500ms", "500ms")])
def test_a_timeout_is_never_longer_than_its_interval(interval: str, timeout: str) -> None:
    """Prometheus refuses a configuration in which it is."""
    assert scrape_timeout(interval) == timeout


def test_a_prober_is_asked_about_the_targets() -> None:
    """The target becomes a parameter and the instance, and the prober's address is the one that is connected to."""
    rules = probed(ScrapeJob(name="blackbox", prober="blackbox:9115"))
    assert [rule["target_label"] for rule in rules] == ["__param_target", "instance", "__address__"]
    assert rules[-1] == {"target_label": "__address__", "replacement": "blackbox:9115"}
    assert probed(ScrapeJob(name="api")) == []
