"""How much memory and disk a stack will need."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from cli.render import plan_file
from model.capacity import (
    SCRAPE_META,
    choose_limit_mib,
    count_job_series,
    count_metric_series,
    count_series,
    count_service_series,
    estimate_capacity,
)
from model.service import Metric
from model.settings import KubernetesSettings
from model.telemetry import UNCOUNTED, ScrapeJob, ScrapeTarget, SeriesCount
from model.workload import MIB
from tests.support.systems import ROOT, plan_shop


def test_series_are_counted_by_labels_and_buckets() -> None:
    """A counter has one series for each combination of labels; a histogram has its buckets, +Inf, sum and count."""
    labels = {"a": ("1", "2"), "b": ("1", "2", "3")}
    assert count_metric_series(Metric(type="counter", labels=labels)) == 6
    assert count_metric_series(Metric(type="histogram", labels={"a": ("1", "2")}, buckets=(1.0, 2.0))) == 2 * 5
    assert count_metric_series(Metric(type="gauge")) == 1


def test_a_stack_is_estimated(tmp_path: Path) -> None:
    """Disk follows retention and scrape interval, memory follows series, logs follow what the system says."""
    plan, cluster = plan_shop(tmp_path), KubernetesSettings()

    def at(interval: str, kept: str, logs: str) -> tuple[int, int, int]:
        result = estimate_capacity(
            plan.system, plan.telemetry, cluster, scrape_interval=interval, metric_retention=kept, log_retention=logs
        )
        assert result.series > count_service_series(plan.system.services["api"]) > SCRAPE_META
        return result.prometheus_disk, result.prometheus_memory, result.loki_disk

    disk, memory, logs = at("15s", "10d", "10d")
    assert at("30s", "10d", "10d")[0] * 2 - disk in (-1, 0, 1)
    assert at("15s", "20d", "20d") == (disk * 2, memory, logs * 2) or abs(at("15s", "20d", "20d")[0] - 2 * disk) <= 1
    assert memory > 96 * MIB


def _cluster(nodes: int, pods: int) -> KubernetesSettings:
    return KubernetesSettings.model_validate({"expectedNodes": nodes, "expectedPods": pods})


def test_a_larger_cluster_needs_more() -> None:
    """On Kubernetes every expected node, every expected pod and every expected instance of a service counts."""
    plan = plan_file(ROOT / "Pulumi.agenttrace-kubernetes.yaml", "agenttrace-kubernetes")

    def at(nodes: int, pods: int) -> int:
        return count_series(plan.system, plan.telemetry, _cluster(nodes, pods))

    few, more = at(1, 20), at(1, 120)
    counts = [job.series for job in plan.telemetry.scrape]
    assert more - few == 100 * sum(each.pod for each in counts) > 0
    assert at(2, 20) - few == sum(each.node for each in counts) > 0
    jobs = [
        replace(job, discovery=replace(job.discovery, expected=3)) for job in plan.telemetry.scrape if job.discovery
    ]
    assert jobs and all(job.expected == 3 for job in jobs)
    assert count_series(plan.system, replace(plan.telemetry, scrape=tuple(jobs)), _cluster(1, 20)) > count_series(
        plan.system,
        replace(plan.telemetry, scrape=tuple(j for j in plan.telemetry.scrape if j.discovery)),
        _cluster(1, 20),
    )


def test_each_job_is_counted_by_what_it_says() -> None:
    """A job has series for its targets, for nodes and pods of a cluster, and for the containers of a host."""
    targets = tuple(ScrapeTarget(address=f"a:{port}") for port in (1, 2))
    job = ScrapeJob(name="a", targets=targets, series=SeriesCount(target=100, node=10, pod=3, container=7))
    assert count_job_series(job, 5, _cluster(2, 20)) == 2 * 100 + 2 * 10 + 20 * 3 + 5 * 7
    assert count_job_series(ScrapeJob(name="b", targets=targets), 5, _cluster(2, 20)) == 2 * UNCOUNTED.target


def test_limits_leave_room() -> None:
    """A limit is the least, doubled until it is twice what is expected."""
    assert choose_limit_mib(100 * MIB, 1024) == 1024
    assert choose_limit_mib(1000 * MIB, 1024) == 2048
