"""Which labels alerts carry, so that a route by a label that none of them has is refused."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import groupby

from model.errors import Problem, suggest_name
from model.renamed_alerts import RENAMED, describe_renaming
from model.routes import Matcher, Route, walk_routes
from model.telemetry import AlertRule, Telemetry

Known = Mapping[str, set[str] | None]
"""Labels, each with all of its values; None where only running targets know them."""
_GROUPED = re.compile(r"\b(?:by|on|group_left|group_right)\s*\(([^)]*)\)")
_TEMPLATE = re.compile(r"\$labels\.(\w+)")
_MATCHED = re.compile(r"[{,]\s*(\w+)\s*(?:=~|!~|!=|=)")
_DISCOVERED = ("instance", "namespace", "pod", "node")
"""Labels that series have of where they come from, with values that only the platform knows."""
_CERTAIN = ("alertname", "severity", "stack", "job", "service", "system", "environment")
"""Labels all of whose values are planned, whatever expressions do with them."""


def check_routing(
    where: str, routes: Sequence[Route], group_by: Sequence[str], telemetry: Telemetry, stack: str
) -> list[Problem]:
    """Labels and values that no planned alert has, so that a route is never taken, or nothing is grouped by them.

    Args:
        where: the place of the section, such as Pulumi.dev.yaml: alertmanager.
        routes: routes, in their order.
        group_by: labels by which alerts are grouped where no route says otherwise.
        telemetry: everything that is planned.
        stack: the stack's name, which every alert carries.
    """
    known = list_alert_labels(telemetry, stack)
    result = [*_check_grouping(f"{where}.groupBy", group_by, known)]
    for path, route in walk_routes(routes):
        for name, value in route.labels.items():
            result += _check_matcher(f"{where}.{path}.labels.{name}", Matcher(name, "=", value), known)
        for number, text in enumerate(route.matchers):
            result += _check_matcher(f"{where}.{path}.matchers[{number}]", Matcher.parse(text), known)
        result += _check_grouping(f"{where}.{path}.groupBy", route.group_by or (), known)
    return result


def _check_matcher(path: str, matcher: Matcher, known: Known) -> Iterator[Problem]:
    """Why no alert fulfils a matcher; one that also takes alerts without the label has to name a label all the same."""
    name, value = matcher.name, matcher.value
    if name not in known:
        yield Problem(path, f"no alert carries a label {name!r}; {suggest_name(name, known)}")
        return
    values = known[name]
    if name == "alertname" and (former := _find_former_names(matcher, values or ())):
        yield Problem(path, f"{value!r}: {', '.join(map(describe_renaming, former))}")
        return
    if values is not None and not matcher.matches({}) and not any(matcher.matches({name: item}) for item in values):
        yield Problem(path, f"{value!r}: no alert has this value; {suggest_name(value, values)}")


def _find_former_names(matcher: Matcher, alerts: Collection[str]) -> list[str]:
    """Former names of alerts that a matcher names, unless it takes the present ones too: it would miss those alerts.

    A pattern names what stands in it as a word, so `Node.*` is only a pattern.
    """
    positive = replace(matcher, operator="=~" if "~" in matcher.operator else "=")
    return [
        word
        for word in dict.fromkeys(re.findall(r"\w+", matcher.value))
        if word in RENAMED.keys() - set(alerts)
        and positive.matches({matcher.name: word})
        and not positive.matches({matcher.name: RENAMED[word]})
    ]


def _check_grouping(path: str, labels: Sequence[str], known: Known) -> Iterator[Problem]:
    for number, name in enumerate(labels):
        if name != "..." and name not in known:
            yield Problem(f"{path}[{number}]", f"no alert carries a label {name!r}; {suggest_name(name, known)}")


def list_alert_labels(telemetry: Telemetry, stack: str) -> dict[str, set[str] | None]:
    """The labels that alerts may carry, each with all of its values; None where only running targets know them."""
    alerts = [alert for group in telemetry.rules for alert in group.alerts]
    values: defaultdict[str, set[str]] = defaultdict(set, stack={stack})
    for alert in alerts:
        own = {
            "alertname": alert.name,
            "severity": alert.severity,
            **({"service": alert.service} if alert.service else {}),
        }
        _add_labels(values, {**own, **alert.labels})
    for job in telemetry.scrape:
        _add_labels(values, {"job": job.name, **(job.discovery.labels if job.discovery else {})})
        for labels, _ in groupby(target.labels for target in job.targets):  # mostly one mapping for all of them
            _add_labels(values, labels)
    for each in telemetry.pushed:
        _add_labels(values, each.labels)
    dynamic = set(_DISCOVERED).union(*map(_find_used_labels, alerts))
    open_ended: dict[str, set[str] | None] = {name: None for name in dynamic if name not in _CERTAIN}
    return {**values, **open_ended}


def _add_labels(values: defaultdict[str, set[str]], labels: Mapping[str, str]) -> None:
    for name, value in labels.items():
        values[name].add(value)


def _find_used_labels(alert: AlertRule) -> frozenset[str]:
    """The labels that the expression and the texts of an alert speak of: its series may carry any of them.

    So may those of its labels that are templates have any value.
    """
    templates = [name for name, value in alert.labels.items() if "{{" in value]
    for text in (alert.summary, alert.description, *alert.annotations.values()):
        if "{{" in text:
            templates += _TEMPLATE.findall(text)
    # the same rule of another service has the same labels
    used = _find_labels(alert.expr.replace(f'"{alert.service}"', '""') if alert.service else alert.expr)
    return used.union(templates) if templates else used


@lru_cache(maxsize=4096)
def _find_labels(expr: str) -> frozenset[str]:
    """The labels that an expression groups by, joins on or selects by."""
    grouped = {name.strip() for names in _GROUPED.findall(expr) for name in names.split(",")}
    return frozenset({*grouped, *_MATCHED.findall(expr)} - {""})
