"""A worker: jobs processed, jobs that fail, queues that grow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from model.dashboard_spec import Panel
from model.limits import Count, Share
from model.service import Metric
from model.telemetry import AlertRule, Inhibition
from packs import outcome
from packs.base import (
    BAD,
    CHOSEN,
    SERVICE,
    Outcome,
    Rules,
    Subject,
    build_either_query,
    build_gauge_example,
    build_panel,
    build_share_example,
    build_thresholds,
    format_percent,
    list_metric_names,
)

BACKLOG = 10_000.0
"""Jobs waiting: beyond this a queue does not clear by itself within minutes."""
FILLING = 5_000.0
"""Half of that: time to look before it is late."""
FAILING = 0.05
"""One job in twenty."""

METRICS: Mapping[str, Metric] = {
    "worker_jobs_processed_total": Metric(
        type="counter",
        help="Jobs processed, by type and status.",
        role="jobs",
        labels={"type": ("ingest", "report"), "status": ("success", "failed")},
    ),
    "worker_job_duration_seconds": Metric(
        type="histogram",
        help="How long jobs take.",
        unit="seconds",
        role="job_duration",
        labels={"type": ("ingest", "report")},
        buckets=(0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0),
    ),
    "worker_queue_depth": Metric(
        type="gauge", help="Jobs waiting.", role="queue", labels={"queue": ("default",)}, baseline=20.0
    ),
    "worker_active_jobs": Metric(type="gauge", help="Jobs being worked on.", role="active", baseline=4.0),
}


def find_failed_matcher(metric: Metric) -> str | None:
    """The matcher of the jobs that failed: the label that has a value such as `failed`; None when there is none."""
    for label, values in metric.labels.items():
        if bad := [value for value in values if value in BAD]:
            return f'{label}="{bad[0]}"' if len(bad) == 1 else f'{label}=~"{"|".join(bad)}"'
    return None


# -- rules -----------------------------------------------------------------------------------------------------------


def rules(subject: Subject) -> Rules:
    """Alerts on queues that fill up and on jobs that fail."""
    alerts: list[AlertRule] = []
    outcomes: list[Outcome] = []
    if queue := subject.find_metric("queue"):
        alerts += [_alert_on_backlog(subject, queue[0]), _alert_on_filling_queue(subject, queue[0])]
    if (jobs := subject.find_metric("jobs")) and (matcher := find_failed_matcher(jobs[1])):
        label = matcher.partition("=")[0]
        outcomes.append(Outcome(jobs[0], failed=matcher, known=f'{label}=~".+"'))
        alerts.append(_alert_on_failures(subject, outcomes[0]))
    return Rules((), tuple(alerts), tuple(outcomes))


def _alert_on_backlog(subject: Subject, name: str) -> AlertRule:
    bound = subject.get_limit("QueueBacklog", BACKLOG)
    return AlertRule(
        name="QueueBacklog",
        expr=f"{name}{subject.build_selector()} > {bound:g}",
        for_="15m",  # a burst is over by then, or it is none
        severity="warning",
        limit=Count(bound),
        inhibits=(Inhibition(alerts=("QueueFilling",), on=_list_queue_labels(subject, name)),),
        summary=f"{subject.title}: {{{{ $value | humanize }}}} jobs are waiting",
        description=f"A queue of {subject.title} holds more than {bound:g} jobs: more come than are processed.",
        steps=_STEPS,
        example=build_gauge_example(subject.build_series(name, queue="default"), bound),
    )


def _list_queue_labels(subject: Subject, name: str) -> tuple[str, ...]:
    """The labels that tell a queue from every other one."""
    return (*SERVICE, *sorted(subject.service.metrics[name].labels))


def _alert_on_filling_queue(subject: Subject, name: str) -> AlertRule:
    bound = subject.get_limit("QueueFilling", FILLING)
    return AlertRule(
        name="QueueFilling",
        expr=f"{name}{subject.build_selector()} > {bound:g}",
        for_="30m",
        severity="info",
        limit=Count(bound),
        summary=f"{subject.title}: {{{{ $value | humanize }}}} jobs are waiting",
        description=f"A queue of {subject.title} has held more than {bound:g} jobs for long: its capacity is used up.",
        steps=_STEPS,
        example=build_gauge_example(subject.build_series(name, queue="default"), bound),
    )


def _alert_on_failures(subject: Subject, of: Outcome) -> AlertRule:
    bound, least = subject.get_limit("JobsFailing", FAILING), subject.get_min_failures("JobsFailing")
    label, _, value = of.failed.replace("=~", "=").partition("=")
    bad, good = value.strip('"').split("|")[0], "success"
    return AlertRule(
        name="JobsFailing",
        expr=outcome.build_failing_condition(subject, of, bound, least),
        for_="10m",  # retries of a dependency's restart are over by then
        severity="warning",
        limit=Share(bound),
        min_failures=least,
        summary=f"{subject.title}: {{{{ $value | humanizePercentage }}}} of the jobs fail",
        description=f"More than {format_percent(bound)} of the jobs of {subject.title} have failed for 10 minutes,"
        f" at least {least} within the hour.",
        steps=("Which type of job fails? See the worker's panels.", *_STEPS[1:]),
        example=build_share_example(
            subject.build_series(of.name, **{label: bad}), subject.build_series(of.name, **{label: good}), bound
        ),
    )


_STEPS = (
    "Open the worker's panels: does it still work off jobs, and how long does one take?",
    'Read its error lines: `{service="<service>"} |= "error"`.',
    "Look at what it depends on: database, storage, upstream services.",
    "Add workers when all is well and there is simply more to do.",
)


# -- panels ----------------------------------------------------------------------------------------------------------


def panels(subjects: Sequence[Subject]) -> tuple[Panel, ...]:
    """Queues, jobs by type and status, how long they take, how many are being worked on."""
    result: list[Panel] = []
    if queues := list_metric_names(subjects, "queue"):
        bound = min(s.get_limit("QueueBacklog", BACKLOG) for s in subjects)
        depth = {"{{service}} {{queue}}": build_either_query(queues, f"NAME{{{CHOSEN}}}")}
        text = f"Jobs waiting; a warning is sent above {bound:g}."
        result.append(
            build_panel("Queue depth", depth, "short", text, width=8, thresholds=build_thresholds((bound, "red")))
        )
    if jobs := list_metric_names(subjects, "jobs"):
        labels = sorted({label for s in subjects if (m := s.find_metric("jobs")) for label in m[1].labels})
        by = ", ".join(["service", *labels])
        legend = " ".join(f"{{{{{label}}}}}" for label in ["service", *labels])
        rate = {legend: build_either_query(jobs, f"sum by ({by}) (rate(NAME{{{CHOSEN}}}[$__rate_interval]))")}
        result.append(build_panel("Jobs processed", rate, "ops", "Jobs per second by type and outcome.", width=8))
    if timed := list_metric_names(subjects, "job_duration"):
        result.append(
            build_panel(
                "Job duration", build_duration_queries(timed), "s", "Half, 95 and 99 of 100 jobs take less.", width=8
            )
        )
    if active := list_metric_names(subjects, "active"):
        busy = {"{{service}}": build_either_query(active, f"sum by (service) (NAME{{{CHOSEN}}})")}
        result.append(
            build_panel("Jobs being worked on", busy, "short", "At its usual maximum the worker is full.", width=8)
        )
    return tuple(result)


def build_duration_queries(metrics: Sequence[str], extra: str = "") -> dict[str, str]:
    """p50, p95 and p99 of histograms over all series, or by the label `extra`."""
    by = ", ".join(filter(None, ("le", extra)))
    each = f"sum by ({by}) (rate(NAME_bucket{{{CHOSEN}}}[$__rate_interval]))"
    shown = f" {{{{{extra}}}}}" if extra else ""
    return {
        f"p{q * 100:g}{shown}": build_either_query(metrics, f"histogram_quantile({q:g}, {each})")
        for q in (0.5, 0.95, 0.99)
    }
