"""Which labels alerts carry, so that a route by a label that none of them has is refused."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from model.errors import ConfigError, Problem, nearest
from model.plan import Context
from model.telemetry import AlertRule, Telemetry

_GROUPED = re.compile(r"\b(?:by|on|group_left|group_right)\s*\(([^)]*)\)")
_TEMPLATE = re.compile(r"\$labels\.(\w+)")
_MATCHED = re.compile(r"[{,]\s*(\w+)\s*(?:=~|!~|!=|=)")
_DISCOVERED = ("instance", "namespace", "pod", "node")
"""Labels that series have of where they come from, with values that only the platform knows."""
_CERTAIN = ("alertname", "severity", "stack", "job", "service", "system", "environment")
"""Labels all of whose values are planned, whatever expressions do with them."""


class LabelRoute(Protocol):
    """A route, as far as it looks at labels."""

    @property
    def labels(self) -> Mapping[str, str]:
        """Label names and the values that alerts must have."""


def problems(where: str, routes: Sequence[LabelRoute], telemetry: Telemetry, stack: str) -> list[Problem]:
    """Labels and values of routes that no planned alert can have, so that a route would never be taken.

    Args:
        where: the place of the routes, such as Pulumi.dev.yaml: alertmanager.routes.
        routes: routes by labels, in their order.
        telemetry: everything that is planned.
        stack: the stack's name, which every alert carries.
    """
    known, found = carried(telemetry, stack), []
    for number, route in enumerate(routes):
        for name, value in route.labels.items():
            place = f"{where}[{number}].labels.{name}"
            if name not in known:
                found.append(Problem(place, f"no alert carries a label {name!r}; {nearest(name, known)}"))
            elif (values := known[name]) is not None and value not in values:
                found.append(Problem(place, f"{value!r}: no alert has this value; {nearest(value, values)}"))
    return found


def check(where: str, routes: Sequence[LabelRoute], context: Context) -> None:
    """Refuses such routes, when the telemetry of `context` is complete.

    Raises:
        ConfigError: what `problems` says.
    """
    if found := problems(where, routes, context.telemetry, context.stack):
        raise ConfigError(found)


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
