"""Is every target found that should be? One that is in no list has no `up`, so TargetDown cannot say that it is away.

Where a condition is one of Prometheus' own mixin it has its name:
https://github.com/prometheus/prometheus/blob/main/documentation/prometheus-mixin/alerts.libsonnet
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from operator import attrgetter

from model.telemetry import AlertRule, Example, PushedMetrics, RecordingRule, RuleGroup, ScrapeJob
from packs.base import BY, build_flat_samples, build_growth_example, build_service_series

EXPECTED = "job:targets:expected"
"""Recorded for every job and service: how many targets it should have."""
KEYS = ("job", *BY.split(", "))
"""What tells the numbers of jobs apart."""
SELF = "prometheus"


def alerts(*, cluster: bool = False) -> tuple[AlertRule, ...]:
    """Alerts about lists of targets that cannot be read; a `cluster` is asked for its pods and nodes."""
    return (alert_on_sync_failed(), alert_on_refresh_failed(), *((alert_on_list_watch_failures(),) if cluster else ()))


# -- lists -----------------------------------------------------------------------------------------------------------


def alert_on_sync_failed() -> AlertRule:
    """A target whose labels or interval Prometheus does not take is in no list and has no `up`."""
    failed = build_service_series(SELF, "prometheus_target_sync_failed_total", scrape_job="services")
    return AlertRule(
        name="PrometheusTargetSyncFailure",
        expr="increase(prometheus_target_sync_failed_total[30m]) > 0",  # each one is a target that nobody watches
        for_="5m",  # the next refresh of its list tries again
        severity="critical",
        summary="{{ $value | humanize }} targets of {{ $labels.scrape_job }} were refused in 30 minutes",
        description="Prometheus refuses a target, so it is not scraped and none of its alerts can fire, TargetDown"
        " included.",
        steps=(
            'Read which and why: `{service="prometheus"} |= "Creating target failed"` in Explore.',
            "Correct its labels, interval or address in the system's file, and run `make up`.",
            "If you did not change it, see who else writes into the folder of targets.",
        ),
        example=build_growth_example(failed, 0, minutes=30),
    )


def alert_on_refresh_failed() -> AlertRule:
    """Lists of targets are files here; the old list stays in use when a file cannot be read."""
    files = build_service_series(SELF, "prometheus_sd_file_read_errors_total")
    return AlertRule(
        name="PrometheusSDRefreshFailure",
        expr="increase(prometheus_sd_refresh_failures_total[10m]) > 0"  # each one is a list that stays as it was
        " or increase(prometheus_sd_file_read_errors_total[10m]) > 0",
        for_="20m",  # as in the mixin: a list that is being written is read again every five minutes
        severity="warning",
        summary="{{ $value | humanize }} lists of targets could not be read in 10 minutes",
        description="Prometheus cannot read a list of targets and keeps the old one: new targets are not scraped, and"
        " ones that are gone stay down.",
        steps=(
            'Read which file and why: `{service="prometheus"} |= "Error reading file"` in Explore.',
            "Run `make up` again: it delivers all lists anew and checks them first.",
            "If an operator runs Prometheus, see the status of the ScrapeConfig that the log names.",
        ),
        example=build_growth_example(files, 0, minutes=10),
    )


def alert_on_list_watch_failures() -> AlertRule:
    """Prometheus asks the cluster's API for pods and nodes."""
    failed = build_service_series(SELF, "prometheus_sd_kubernetes_failures_total")
    return AlertRule(
        name="PrometheusKubernetesListWatchFailures",
        expr="increase(prometheus_sd_kubernetes_failures_total[5m]) > 0",  # each one is a list that stays as it was
        for_="15m",  # as in the mixin: an API server that is upgraded is back by then
        severity="warning",
        summary="{{ $value | humanize }} requests of Prometheus to the cluster's API failed in 5 minutes",
        description="Prometheus cannot ask the cluster for pods and nodes: new ones are not scraped, and ones that are"
        " gone stay down.",
        steps=(
            'Read why: `{service="prometheus"} |= "Failed to watch"` in Explore; `forbidden` is a right that is gone.',
            "Check its rights: `kubectl auth can-i list pods -n <namespace> --as"
            " system:serviceaccount:<namespace>:prometheus`; `make up` grants them again.",
            "If it is a time-out, ask the API server from there: a NetworkPolicy, or the control plane's load.",
        ),
        example=build_growth_example(failed, 0),
    )


# -- expected --------------------------------------------------------------------------------------------------------


def build_target_count_rules(jobs: Sequence[ScrapeJob], pushed: Sequence[PushedMetrics] = ()) -> tuple[RuleGroup, ...]:
    """How many targets each job should have, and alerts on jobs that have fewer or none; who sends counts as one."""
    return (
        RuleGroup(name="targets-expected", recordings=tuple(list_target_counts(jobs, pushed))),
        RuleGroup(name="targets", alerts=(alert_on_no_targets(), alert_on_fewer_than_expected())),
    )


def list_target_counts(jobs: Sequence[ScrapeJob], pushed: Sequence[PushedMetrics] = ()) -> Iterator[RecordingRule]:
    """What the alerts compare with: one number for each job and service."""
    counts: Counter[tuple[str, ...]] = Counter()
    for job in jobs:
        if job.discovery:
            counts[_build_key(job, job.discovery.labels)] += job.discovery.least
        for labels, same in groupby(job.targets, key=attrgetter("labels")):  # mostly one mapping for all of them
            counts[_build_key(job, labels)] += sum(1 for _ in same)
    for each in pushed:
        counts[tuple(each.labels[name] for name in KEYS)] += 1
    for key, count in counts.items():
        yield RecordingRule(record=EXPECTED, expr=f"vector({count})", labels=dict(zip(KEYS, key, strict=True)))


def _build_key(job: ScrapeJob, labels: Mapping[str, str]) -> tuple[str, ...]:
    own = {"job": job.name, **labels}
    return tuple(own[name] for name in KEYS)


def _build_missing_targets(up: int) -> dict[str, str]:
    """Two targets are expected, `up` of them are found from the first minute on."""
    job = build_service_series("api", EXPECTED, job="api")
    return {job: build_flat_samples(2)} | {
        build_service_series("api", "up", job="api", instance=f"api-{n}:4000"): build_flat_samples(0) for n in range(up)
    }


def alert_on_no_targets() -> AlertRule:
    """No `up` at all: nothing that looks at the job's series can fire."""
    return AlertRule(
        name="PrometheusTargetEmpty",
        expr=f"{EXPECTED} > 0 unless on({BY}, job) up",
        for_="10m",  # a deployment whose pods have yet to be created is done by then
        severity="critical",
        summary="No target of {{ $labels.job }} is known, {{ $value }} are expected",
        description="Prometheus knows no target of {{ $labels.job }} for {{ $labels.service }}: nothing of it is"
        " scraped, so none of its other alerts can fire and everything looks well.",
        steps=(
            "Open the page Service discovery of Prometheus: are targets found and dropped, or is none found?",
            "None found: does anything run with the labels that the system's file names (`kubernetes: {selector}`)?"
            " `kubectl -n <namespace> get pods --show-labels`.",
            "Found and dropped: the port in the file is not the container's.",
            'Refused: `{service="prometheus"} |= "Creating target failed"` in Explore says why.',
            "If the service is gone for good, take it out of the system's file.",
        ),
        example=Example(fires=_build_missing_targets(0), silent=_build_missing_targets(1)),
    )


def alert_on_fewer_than_expected() -> AlertRule:
    """Some are found; targets that are found and do not answer are other alerts'."""
    return AlertRule(
        name="TargetsFewerThanExpected",
        expr=f"{EXPECTED} - on({BY}, job) count by ({BY}, job) (up) > 0",  # each one is a part that nobody watches
        for_="15m",  # pods that are replaced one after the other are back by then
        severity="warning",
        summary="{{ $value }} targets of {{ $labels.job }} are not known to Prometheus",
        description="Fewer targets of {{ $labels.job }} are found for {{ $labels.service }} than the system's file says"
        " there are: what is not found is not watched.",
        steps=(
            "Open the page Target health of Prometheus: which one is not in the list at all?",
            "If it should be there, see why it is not found: page Service discovery; `kubectl -n <namespace> get pods"
            " --show-labels` on a cluster.",
            'If it was refused: `{service="prometheus"} |= "Creating target failed"` in Explore says why.',
            "If there are fewer on purpose, correct `expected` or `addresses` of the service in the system's file.",
        ),
        example=Example(fires=_build_missing_targets(1), silent=_build_missing_targets(2)),
    )
