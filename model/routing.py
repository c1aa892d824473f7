"""Which labels alerts carry, so that a route by a label that none of them has is refused."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from model.errors import Problem, nearest
from model.renamed_alerts import RENAMED, renaming
from model.routes import Matcher, Route, walk
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


def problems(
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
    known = carried(telemetry, stack)
    found = [*_grouped(f"{where}.groupBy", group_by, known)]
    for place, route in walk(routes):
        for name, value in route.labels.items():
            found += _unknown(f"{where}.{place}.labels.{name}", Matcher(name, "=", value), known)
        for number, text in enumerate(route.matchers):
            found += _unknown(f"{where}.{place}.matchers[{number}]", Matcher.parse(text), known)
        found += _grouped(f"{where}.{place}.groupBy", route.group_by or (), known)
    return found


def _unknown(place: str, matcher: Matcher, known: Known) -> Iterator[Problem]:
    """Why no alert fulfils a matcher; one that also takes alerts without the label has to name a label all the same."""
    name, value = matcher.name, matcher.value
    if name not in known:
        yield Problem(place, f"no alert carries a label {name!r}; {nearest(name, known)}")
        return
    values = known[name]
    if name == "alertname" and (former := _former(matcher, values or ())):
        yield Problem(place, f"{value!r}: {', '.join(map(renaming, former))}")
        return
    if values is not None and not matcher.matches({}) and not any(matcher.matches({name: item}) for item in values):
        yield Problem(place, f"{value!r}: no alert has this value; {nearest(value, values)}")


def _former(matcher: Matcher, alerts: Collection[str]) -> list[str]:
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


def _grouped(place: str, labels: Sequence[str], known: Known) -> Iterator[Problem]:
    for number, name in enumerate(labels):
        if name != "..." and name not in known:
            yield Problem(f"{place}[{number}]", f"no alert carries a label {name!r}; {nearest(name, known)}")


def carried(telemetry: Telemetry, stack: str) -> dict[str, set[str] | None]:
    """The labels that alerts may carry, each with all of its values; None where only running targets know them."""
    alerts = [alert for group in telemetry.rules for alert in group.alerts]
    found: dict[str, set[str]] = {"stack": {stack}}
    for alert in alerts:
        own = {
            "alertname": alert.name,
            "severity": alert.severity,
            **({"service": alert.service} if alert.service else {}),
        }
        _add(found, {**own, **alert.labels})
    for job in telemetry.scrape:
        _add(found, {"job": job.name, **(job.discovery.labels if job.discovery else {})})
        for target in job.targets:
            _add(found, target.labels)
    dynamic = {name for alert in alerts for name in _used(alert)} | set(_DISCOVERED)
    open_ended: dict[str, set[str] | None] = {name: None for name in dynamic if name not in _CERTAIN}
    return {**found, **open_ended}


def _add(found: dict[str, set[str]], labels: Mapping[str, str]) -> None:
    for name, value in labels.items():
        found.setdefault(name, set()).add(value)


def _used(alert: AlertRule) -> Iterable[str]:
    """The labels that the expression and the texts of an alert speak of: its series may carry any of them.

    So may those of its labels that are templates have any value.
    """
    yield from (name for name, value in alert.labels.items() if "{{" in value)
    texts = (alert.summary, alert.description, *alert.annotations.values())
    yield from (name for text in texts for name in _TEMPLATE.findall(text))
    yield from (name.strip() for names in _GROUPED.findall(alert.expr) for name in names.split(",") if name.strip())
    yield from _MATCHED.findall(alert.expr)
