"""Kubelets: they are found, asked with Prometheus' own identity, and their containers have the names of Docker's."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from components.exporters import kubelet
from tests.support.planned import document, explained, job
from tests.support.systems import plan_cluster, plan_shop

JOBS = {"kubelet": "/metrics", "cadvisor": "/metrics/cadvisor"}
"""Jobs by name, and the path that each of them asks."""


def relabelled(series: dict[str, str], rules: Any) -> dict[str, str] | None:
    """A series after relabelling by the actions that are used here; None when it is dropped."""
    for rule in rules:
        action, source = rule.get("action", "replace"), rule.get("source_labels", ())
        text = rule.get("separator", ";").join(series.get(name, "") for name in source)
        found = re.fullmatch(rule["regex"], text)
        if action == "drop" and found:
            return None
        if action == "labeldrop":
            series = {name: value for name, value in series.items() if not re.fullmatch(rule["regex"], name)}
        if action == "replace" and found:
            series = {**series, rule["target_label"]: found.expand(rule["replacement"].replace("$1", r"\1"))}
    return series


@pytest.mark.parametrize(("name", "path"), JOBS.items())
def test_every_node_is_scraped(tmp_path: Path, name: str, path: str) -> None:
    """The platform tells the nodes; Prometheus shows its own identity and says service, system and environment."""
    plan = plan_cluster(tmp_path)
    found = job(plan, name)
    assert (found.scheme, found.platform_login, found.path) == ("https", True, path)
    assert found.discovery is not None and found.discovery.role == "node"
    assert found.discovery.labels["service"] == kubelet.NAME
    assert {"service", "system", "environment"} <= found.discovery.labels.keys()
    (entry,) = (
        entry for entry in document(plan, "prometheus", "prometheus.yml")["scrape_configs"] if entry["job_name"] == name
    )
    assert entry["metrics_path"] == path
    assert entry["authorization"]["credentials_file"].startswith("/var/run/secrets/")


def test_labels_of_its_series_are_not_hidden(tmp_path: Path) -> None:
    """A volume's namespace and claim are its own: no label of the target has their names."""
    (entry,) = (
        entry
        for entry in document(plan_cluster(tmp_path), "prometheus", "prometheus.yml")["scrape_configs"]
        if entry["job_name"] == kubelet.NAME
    )
    set_by_target = {rule.get("target_label") for rule in entry["relabel_configs"]}
    assert not set_by_target & {"namespace", "pod", "container", "persistentvolumeclaim"}


def test_containers_are_named_as_everywhere(tmp_path: Path) -> None:
    """A container is called <pod>/<container>; groups of containers are dropped, and labels that nobody reads too."""
    rules = job(plan_cluster(tmp_path), "cadvisor").metric_relabel
    series = {"__name__": "container_memory_rss", "pod": "api-1", "container": "api", "id": "/x", "image": "y"}
    assert relabelled(series, rules) == {
        "__name__": "container_memory_rss", "pod": "api-1", "container": "api", "name": "api-1/api",
    }  # fmt: skip
    assert relabelled({"__name__": "container_memory_rss", "id": "/kubepods"}, rules) is None
    machine = {"__name__": "machine_cpu_cores"}
    assert relabelled(machine, rules) == machine


@pytest.mark.parametrize(
    ("name", "stored"),
    [
        ("kubelet_certificate_manager_client_ttl_seconds", True),
        ("kubelet_certificate_manager_client_expiration_renew_errors", True),
        ("kubelet_certificate_manager_server_ttl_seconds", True),
        ("kubelet_server_expiration_renew_errors", True),
        ("kubelet_volume_stats_inodes_free", True),
        ("kubelet_certificate_manager_server_rotation_seconds_bucket", False),
        ("kubelet_http_requests_duration_seconds_bucket", False),
    ],
)
def test_what_alerts_ask_for_is_stored(tmp_path: Path, name: str, stored: bool) -> None:
    """Of a kubelet's two thousand series those are stored that an alert or a panel asks for."""
    (rule,) = job(plan_cluster(tmp_path), kubelet.NAME).metric_relabel
    assert (rule["action"], bool(re.fullmatch(rule["regex"], name))) == ("keep", stored)


def test_what_it_sees_has_alerts_and_a_board(tmp_path: Path) -> None:
    """Containers have the alerts and the board that they have on a Docker engine."""
    plan = plan_cluster(tmp_path)
    explained(plan, "containers")
    assert "containers" in {board.uid for board in plan.telemetry.dashboards}


def test_one_crash_is_told_once(tmp_path: Path) -> None:
    """Restarts and kills are told by the cluster's API: its kubelets do not tell them again, nor a health they lack."""
    plan = plan_cluster(tmp_path)
    names = {group.name: {alert.name for alert in group.alerts} for group in plan.telemetry.rules}
    assert not names["containers"] & {"ContainerRestarting", "ContainerUnhealthy"}
    assert {"ContainerMemoryNearLimit", "CPUThrottlingHigh", "ContainerMetricsMissing"} <= names["containers"]
    assert {"KubePodCrashLooping", "KubeContainerOOMKilled"} <= names["cluster"]
    engine = plan_shop(tmp_path / "engine")
    assert {"ContainerRestarting", "ContainerUnhealthy"} <= {
        alert.name for group in engine.telemetry.rules for alert in group.alerts
    }


def test_nothing_is_deployed_for_it(tmp_path: Path) -> None:
    """The kubelets are there already; on a Docker engine nobody asks for them."""
    assert kubelet.NAME not in plan_cluster(tmp_path / "cluster").workloads
    assert kubelet.NAME not in {item.name for item in plan_shop(tmp_path / "engine").telemetry.scrape}
