"""Names of labels and metrics that are taken: by the stack, by Prometheus itself, or by what finds a target.

A label that two give is never an error to Prometheus: one of them wins, and rules, mutes and dashboards then ask for
something else than what is stored.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from model.errors import Problem
from model.logs import CONTAINERS
from model.places import locate_in_system, locate_setting
from model.roles import FREE
from model.service import Metric, Service, Tuning

if TYPE_CHECKING:
    from model.component import Planning

IDENTITY: Mapping[str, str] = {
    "service": "holds the service's key",
    "system": "holds the system's name",
    "environment": "holds the setting environment",
    "job": "holds the name of the scrape job",
}
"""Labels that every target of a system is given: see `model.naming.build_identity_labels`."""
OF_ALERTS: Mapping[str, str] = {
    "alertname": "holds the alert's name",
    "severity": "holds the alert's severity",
    "stack": "holds the stack's name in every alert",
    "replica": "tells instances of Prometheus apart, and is taken from alerts",
}
INSTANCE: Mapping[str, str] = {"instance": "tells the targets of a job apart"}
OF_RULES: Mapping[str, str] = {
    "metric": "names the metric in alerts about metrics",
    "slo": "names the objective in alerts about objectives",
}
OF_SAMPLES: Mapping[str, str] = {"le": "holds the bound of a bucket", "quantile": "holds the quantile of a summary"}
OF_SPANS: Mapping[str, str] = {
    "level": "holds the level of a log line",
    **dict.fromkeys(("span_name", "span_kind", "status_code"), "holds what a span says in the metrics of spans"),
}
"""Labels of what a service may send to an OpenTelemetry gateway, whatever it is scraped for."""
OF_PODS: Mapping[str, str] = {
    label: "holds what the cluster says of each pod" for label in ("instance", "namespace", "node", "pod")
}
OF_LINES: Mapping[str, str] = {
    "job": "holds `job` of the log",
    "environment": "holds the setting environment",
    "stack": "holds the stack's name",
    "filename": "holds the file that a line was read from",
}
ITS_OWN = re.compile(r"up|scrape_.+|ALERTS|ALERTS_FOR_STATE")
"""Series that Prometheus makes itself, of each target and of each alert."""
OURS = re.compile(
    r"(io\.observability|pulumi\.com|pod-security\.kubernetes\.io)(\.[a-z-]+)?(/.*|\..*)?"
    r"|app\.kubernetes\.io/(name|managed-by|part-of)"
)
"""Labels and annotations of objects by which the stack finds and governs them."""
_PREFIX = r"([a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?/)?"
_WORD = r"[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?"
OBJECT_LETTERS = "63 letters, digits, dots, dashes and underscores at most, with a letter or digit at both ends"
OBJECT_KEY = re.compile(_PREFIX + _WORD)
OBJECT_VALUE = re.compile(f"({_WORD})?")
"""Source: https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#syntax-and-character-set"""


def check_labels(context: Planning) -> list[Problem]:
    """Labels and names that are taken, in the system's file and in the settings of the cluster."""
    system = context.system
    by_pods = context.settings.target == "kubernetes"
    result: list[Problem] = []
    for key, service in system.services.items():
        result += _check_service(f"services.{key}", service)
        collisions = list_target_labels(service, by_pods=by_pods)
        honors = system.scrape.complete(service.scrape).honor_labels
        for name, metric in service.metrics.items():
            result += _check_collisions(f"services.{key}.metrics.{name}", metric, collisions, honors=honors)
    for number, alert in enumerate(system.alerts):
        result += _check_taken(f"alerts[{number}].labels", alert.labels, OF_ALERTS)
    for number, log in enumerate(system.host_logs):
        if log.job == CONTAINERS:
            message = f"{log.job!r} is the job of all lines that containers write; choose another"
            result.append(Problem(f"hostLogs[{number}].job", message))
        result += _check_taken(f"hostLogs[{number}].labels", log.labels, OF_LINES)
        result += _check_taken(f"hostLogs[{number}].labelFields", log.label_fields, OF_LINES)
    result += _check_tune("tune", system.tune)
    placed = [Problem(locate_in_system(system.name, item.where), item.message) for item in result]
    return placed + [Problem(locate_setting(context.stack, p.where), p.message) for p in _check_objects(context)]


def _check_taken(where: str, labels: Iterable[str], reserved: Mapping[str, str]) -> Iterator[Problem]:
    for label in labels:
        if label in reserved:
            yield Problem(f"{where}.{label}", f"the label {label!r} is taken, it {reserved[label]}; use another name")


def _check_service(where: str, service: Service) -> Iterator[Problem]:
    if service.kubernetes:
        yield from _check_selector(f"{where}.kubernetes.selector", service.kubernetes.selector)
    if service.logs.selector:
        yield from _check_selector(f"{where}.logs.selector.labels", service.logs.selector.labels)
    if service.labels:
        reserved = {**IDENTITY, **INSTANCE, **OF_ALERTS, **OF_RULES, **OF_SAMPLES, **OF_SPANS}
        reserved |= OF_PODS if service.kubernetes else {}
        yield from _check_taken(f"{where}.labels", service.labels, reserved)
    yield from _check_tune(f"{where}.tune", service.tune)
    for name, metric in service.metrics.items():
        yield from _check_metric(f"{where}.metrics.{name}", name, metric)


def _check_selector(where: str, labels: Mapping[str, str]) -> Iterator[Problem]:
    """Labels by which pods are searched for and that no object of a cluster can have."""
    for key, value in labels.items():
        if not OBJECT_KEY.fullmatch(key) or not OBJECT_VALUE.fullmatch(value):
            yield Problem(f"{where}.{key}", f"{value!r}: a cluster takes keys and values of {OBJECT_LETTERS}")


def _check_metric(where: str, name: str, metric: Metric) -> Iterator[Problem]:
    if ITS_OWN.fullmatch(name):
        message = f"{name!r} is a series that Prometheus makes itself, and an exposed one takes its place; rename it"
        yield Problem(where, message)
    elif ":" in name:
        yield Problem(where, "a colon marks series that rules record; services expose names without one")
    label = {"histogram": "le", "summary": "quantile"}.get(metric.type)
    if label and label in metric.labels:
        yield from _check_taken(f"{where}.labels", [label], OF_SAMPLES)


def list_target_labels(service: Service, *, by_pods: bool) -> dict[str, str]:
    """The labels that every series of a service is given with its target, each with what it holds."""
    pods = OF_PODS if by_pods and service.kubernetes else {}
    return {**IDENTITY, **INSTANCE, **pods, **dict.fromkeys(service.labels, "is one of the service's own labels")}


def _check_collisions(
    where: str, metric: Metric, target_labels: Mapping[str, str], *, honors: bool
) -> Iterator[Problem]:
    """Labels of a metric that its target has too: they are renamed, or replace ours where the service `honors` them.

    Source: https://prometheus.io/docs/prometheus/latest/configuration/configuration/#scrape_config (honor_labels)
    """
    for label in metric.labels:
        if label not in target_labels:
            continue
        place, holds = f"{where}.labels.{label}", f"the label {label!r} {target_labels[label]}"
        if not honors:
            text = f"{holds}, so that of the metric is stored as exported_{label}; declare it under that name"
            yield Problem(place, f"{text}, or keep it with scrape: {{honorLabels: true}}")
        elif label in IDENTITY and metric.role not in FREE:
            text = f"{holds}, and with honorLabels: true that of the metric takes its place, so that no rule about the"
            yield Problem(place, f"{text} service sees it; leave honorLabels out, or the role {metric.role!r}")


def _check_tune(where: str, tune: Mapping[str, Tuning]) -> Iterator[Problem]:
    for alert, wish in tune.items():
        yield from _check_taken(
            f"{where}.{alert}.labels", wish.labels, {**IDENTITY, **INSTANCE, **OF_ALERTS, **OF_RULES}
        )


def _check_objects(context: Planning) -> Iterator[Problem]:
    """Labels and annotations for objects of the cluster, which a cluster would refuse, or which are ours."""
    if context.settings.target != "kubernetes":
        return
    cluster = context.settings.kubernetes
    for where, entries in (("labels", cluster.labels), ("annotations", cluster.annotations)):
        for key in entries:
            if OURS.fullmatch(key):
                yield Problem(f"kubernetes.{where}.{key}", "the stack finds and governs its objects by it; use another")
    for where, entries in (("labels", cluster.labels), ("nodeSelector", cluster.node_selector)):
        yield from _check_selector(f"kubernetes.{where}", entries)
