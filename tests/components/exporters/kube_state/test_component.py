"""kube-state-metrics: what it may read, and whose labels its series carry."""

from __future__ import annotations

import re
from pathlib import Path

from components.exporters.kube_state import component as kube_state
from model.settings import KubernetesSettings
from tests.support.planned import document, explained, job, scraped_as, workload
from tests.support.systems import plan_cluster, plan_shop


def test_it_watches_and_is_watched(tmp_path: Path) -> None:
    """kube-state-metrics is scraped, what it sees has alerts, and these lead to its board."""
    plan = plan_cluster(tmp_path)
    scraped_as(plan, kube_state.NAME)
    explained(plan, "cluster")
    assert "cluster" in {board.uid for board in plan.telemetry.dashboards}
    (group,) = (group for group in plan.telemetry.rules if group.name == "cluster")
    assert {alert.annotations["dashboard_url"].rpartition("/")[2] for alert in group.alerts} == {"cluster"}


def test_series_carry_the_labels_of_their_objects(tmp_path: Path) -> None:
    """A series says which namespace, pod and container it is about, and not which one the exporter is."""
    plan = plan_cluster(tmp_path)
    assert job(plan, kube_state.NAME).honor_labels
    entries = document(plan, "prometheus", "prometheus.yml")["scrape_configs"]
    assert [entry["job_name"] for entry in entries if entry.get("honor_labels")] == [kube_state.NAME]


def test_it_tells_whether_it_could_read_them(tmp_path: Path) -> None:
    """Its own port is scraped too, for what it lists and watches and no more: its errors are alerts of the cluster."""
    own = job(plan_cluster(tmp_path), kube_state.ITSELF)
    (target,) = own.targets
    assert target.address.endswith(f":{kube_state.SELF_PORT}") and target.labels["service"] == kube_state.NAME
    (kept,) = own.metric_relabel
    wanted = ("kube_state_metrics_list_total", "kube_state_metrics_watch_total", "http_request_duration_seconds_bucket")
    assert [bool(re.fullmatch(kept["regex"], name)) for name in wanted] == [True, True, False]


def test_it_may_list_what_it_counts_and_no_more(tmp_path: Path) -> None:
    """It reads no Secret and no ConfigMap, changes nothing, and each kind that it may read is one that it counts."""
    found = workload(plan_cluster(tmp_path), kube_state.NAME)
    kinds = {kind for access in found.access for kind in access.resources}
    assert not kinds & {"secrets", "configmaps", "*"}
    assert {verb for access in found.access for verb in access.verbs} == {"list", "watch"}
    (asked,) = (argument for argument in found.args if argument.startswith("--resources="))
    assert set(asked.partition("=")[2].split(",")) == kinds


def test_it_needs_no_exemption(tmp_path: Path) -> None:
    """It is an ordinary user without a view of any node."""
    found = workload(plan_cluster(tmp_path), kube_state.NAME)
    assert not found.exemptions and not found.host_mounts and not found.list_capabilities()


def test_there_is_none_without_a_cluster(tmp_path: Path) -> None:
    """On a Docker engine there is nothing for it to ask."""
    plan = plan_shop(tmp_path)
    assert kube_state.NAME not in plan.workloads
    assert "cluster" not in {group.name for group in plan.telemetry.rules}


def test_its_memory_follows_the_pods() -> None:
    """The memory that it is given grows with the pods that the cluster is expected to have."""
    few, many = (KubernetesSettings.model_validate({"expectedPods": count}) for count in (20, 2000))
    assert kube_state.estimate_memory(many) - kube_state.estimate_memory(few) == 1980 * kube_state.MEMORY_PER_POD
    assert kube_state.estimate_memory(few) > kube_state.MEMORY
