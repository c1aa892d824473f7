"""Whether alerts can ever fire with what a service declares: statuses that are none, buckets that end too early."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from model.errors import Problem
from model.roles import Role
from model.system import ServiceLevelObjective, System
from packs import http, outcome, pool
from packs.base import PER_SECOND, Subject
from packs.slo_counts import parse_matchers, split_selector

LATENCIES: tuple[tuple[str, Role, str, float], ...] = (
    ("http", "duration", "SlowRequests", http.LATENCY_SECONDS),
    ("pool", "query_duration", "SlowQueries", pool.SLOW_SECONDS),
)
"""Packs, roles of their histograms, and the alerts on these with their usual thresholds in seconds."""


def check_measurable(system: System, where: str) -> list[Problem]:
    """What can never be seen, for every service; `where` is the beginning of each place."""
    result: list[Problem] = []
    for key in system.services:
        subject, path = Subject(system, key), f"{where}services.{key}"
        result += _check_statuses(subject, path)
        result += _check_thresholds(subject, path)
    for number, item in enumerate(system.objectives):
        result += _check_failures(Subject(system, item.service), item, f"{where}objectives[{number}].bad")
    return result


def _check_failures(subject: Subject, item: ServiceLevelObjective, where: str) -> Iterator[Problem]:
    """A counter of failures by a label whose declared values it matches none of: nothing would ever be bad."""
    name, matchers = split_selector(item.bad or "")
    metric = subject.service.metrics.get(name)
    for label, (operator, value) in parse_matchers(matchers).items():
        values = metric.labels.get(label, ()) if metric else ()
        if not values or operator.startswith("!") or value in values:
            continue
        if operator == "=~" and _matches_any(value, values):
            continue
        message = f"{label}{operator}{value!r} matches none of the values that {name} declares: {', '.join(values)}"
        yield Problem(where, message)


def _matches_any(pattern: str, values: Sequence[str]) -> bool:
    """Whether a value is like the pattern; one that is no regular expression is told as a query that is wrong."""
    try:
        return any(re.fullmatch(pattern, value) for value in values)
    except re.error:
        return True


def _check_statuses(subject: Subject, where: str) -> Iterator[Problem]:
    """A status label whose declared values are no HTTP statuses: nothing would ever count as a failure."""
    label = subject.service.status_label
    requests = subject.find_metric("requests") if "http" in subject.service.packs else None
    values = requests[1].labels.get(label, ()) if requests else ()
    if requests and values and not any(re.fullmatch(outcome.STATUS, value) for value in values):
        message = (
            f"none of {', '.join(values)} is an HTTP status such as 200 or 5xx, so failures of {requests[0]} cannot be"
            " told from successes; name the label that holds the status (`statusLabel`), or count with an objective"
            " of kind ratio instead of the pack http"
        )
        yield Problem(f"{where}.metrics.{requests[0]}.labels.{label}", message)


def _check_thresholds(subject: Subject, where: str) -> Iterator[Problem]:
    """A latency alert beyond the last bucket: no quantile of a histogram is larger than its last bound."""
    for pack, role, alert, usual in LATENCIES:
        metric = subject.find_metric(role) if pack in subject.service.packs else None
        if (
            not metric
            or metric[1].unit not in PER_SECOND
            or not metric[1].buckets
            or not subject.get_tuning(alert).enabled
        ):
            continue
        last, bound = metric[1].buckets[-1] / PER_SECOND[metric[1].unit], subject.get_limit(alert, usual)
        if bound >= last:
            message = (
                f"{alert} can never fire: the last bucket of {metric[0]} ends at {last:g} s, and its threshold is"
                f" {bound:g} s; add a larger bucket, or tune {alert} to a threshold below {last:g}"
            )
            yield Problem(f"{where}.metrics.{metric[0]}.buckets", message)
