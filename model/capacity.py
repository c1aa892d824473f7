"""How much memory and disk a stack will need, from what its system declares.

Formulas:
- series of a metric: one for each combination of its label values; a histogram has its buckets, `+Inf`, sum and count
  for each (https://prometheus.io/docs/concepts/metric_types/);
- series of a cluster: so many for each node, and for each pod with its containers, by the job that tells of them;
- disk of metrics: retention * samples per second * bytes per sample, one to two bytes each
  (https://prometheus.io/docs/prometheus/latest/storage/#operational-aspects);
- memory of Prometheus: a fixed part, and 8 KiB for each series of the last hours: index, open chunk, and as much again
  for queries and compaction;
- disk of logs: retention * bytes a day / compression; Loki's snappy or gzip chunks take a fifth to a tenth of the text
  (https://grafana.com/docs/loki/latest/operations/storage/).
The formula for series is compared with the running demo by the end-to-end suite, on Docker and on Kubernetes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from model.base import DAY, parse_duration
from model.service import Metric, Service
from model.settings import KubernetesSettings
from model.system import System
from model.telemetry import ScrapeJob, Telemetry
from model.workload import MIB

BYTES_PER_SAMPLE = 1.7
"""Between the one and two bytes that Prometheus' documentation gives: counters that grow irregularly compress less."""
BYTES_PER_SERIES = 8 * 1024
PROMETHEUS_BASE = 96 * MIB
"""What Prometheus takes with hardly any series."""
LOG_COMPRESSION = 5.0
LOKI_BASE = 256 * MIB
LOKI_PER_RATE = 64
"""Seconds of logs that Loki holds in memory at a time: open chunks and what is being flushed, several times over."""
UNSCRAPED = 3
"""Containers that are not scraped; there is about one container for each job beside them."""
SCRAPE_META = 5
"""up and the scrape_* series that Prometheus adds to each target."""


@dataclass(frozen=True, kw_only=True)
class Capacity:
    """What a stack will need: counts, rates per second, bytes."""

    targets: int
    series: int
    samples_per_second: float
    prometheus_memory: int
    prometheus_disk: int
    log_bytes_a_day: int
    loki_memory: int
    loki_disk: int


def count_metric_series(metric: Metric) -> int:
    """Series of one metric on one target."""
    combinations = math.prod(max(1, len(values)) for values in metric.labels.values())
    if metric.type == "histogram":
        return combinations * (len(metric.buckets or range(11)) + 3)
    return combinations * (6 if metric.type == "summary" else 1)


def count_service_series(service: Service) -> int:
    """Series of one target of a service."""
    return SCRAPE_META + sum(count_metric_series(metric) for metric in service.metrics.values())


def count_series(system: System, telemetry: Telemetry, cluster: KubernetesSettings) -> int:
    """All series that a stack's Prometheus holds: those scraped, sent and recorded. `cluster` counts on Kubernetes."""
    containers = len(telemetry.scrape) + UNSCRAPED
    scraped = sum(count_job_series(job, containers, cluster) for job in telemetry.scrape)
    pushed = sum(each.series.target for each in telemetry.pushed)
    objectives = max(1, len(system.objectives))
    recorded = sum(
        len(group.recordings) * (objectives if group.name.startswith(f"{system.name}-slo") else 1)
        for group in telemetry.rules
    )
    return scraped + pushed + recorded


def count_job_series(job: ScrapeJob, containers: int, cluster: KubernetesSettings) -> int:
    """Series of all targets of a job, where a host runs so many containers."""
    each = job.series
    of_cluster = each.node * cluster.expected_nodes + each.pod * cluster.expected_pods
    return job.expected * each.target + of_cluster + each.container * containers


def estimate_prometheus_memory(system: System, telemetry: Telemetry, cluster: KubernetesSettings) -> int:
    """Bytes of memory that Prometheus is expected to take."""
    return PROMETHEUS_BASE + count_series(system, telemetry, cluster) * BYTES_PER_SERIES


def estimate_loki_memory(system: System) -> int:
    """Bytes of memory that Loki is expected to take."""
    return LOKI_BASE + round(system.expected_log_bytes / DAY * LOKI_PER_RATE)


def estimate_loki_disk(system: System, retention: str) -> int:
    """Bytes of disk that lines are expected to take within a retention."""
    return round(parse_duration(retention) / DAY * system.expected_log_bytes / LOG_COMPRESSION)


def estimate_capacity(
    system: System,
    telemetry: Telemetry,
    cluster: KubernetesSettings,
    *,
    scrape_interval: str,
    metric_retention: str,
    log_retention: str,
) -> Capacity:
    """The plan for a stack.

    Args:
        system: what is watched.
        telemetry: every scrape job and rule, those of the stack itself included.
        cluster: how large it is, for a stack on Kubernetes.
        scrape_interval: how often targets are scraped unless they say otherwise.
        metric_retention: Prometheus' retention.
        log_retention: Loki's retention.
    """
    count = count_series(system, telemetry, cluster)
    rate = count / parse_duration(scrape_interval)
    return Capacity(
        targets=sum(job.expected for job in telemetry.scrape),
        series=count,
        samples_per_second=rate,
        prometheus_memory=estimate_prometheus_memory(system, telemetry, cluster),
        prometheus_disk=round(parse_duration(metric_retention) * rate * BYTES_PER_SAMPLE),
        log_bytes_a_day=system.expected_log_bytes,
        loki_memory=estimate_loki_memory(system),
        loki_disk=estimate_loki_disk(system, log_retention),
    )


def choose_volume_size(required: int) -> int:
    """Bytes of a data volume that holds `wanted` bytes: 10 GiB, doubled until a fifth of it stays free.

    What is deleted is gone only after what replaces it has been written, and log, index and head come on top.
    """
    size = 10 * 1024 * MIB
    while size * 0.8 < required:
        size *= 2
    return size


def choose_limit_mib(required: int, least: int) -> int:
    """A memory limit in MiB: `least`, doubled until it is twice the `wanted` bytes.

    So coarse that one more service hardly ever changes it: a changed limit is a new container.
    """
    limit = least
    while limit * MIB < 2 * required:
        limit *= 2
    return limit
