"""What is scraped and what fires now.

API: https://prometheus.io/docs/prometheus/latest/querying/api/#targets and #alerts.
"""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field

from mcp_server.answers import Answer, Shape
from mcp_server.arguments import Arguments, Name
from mcp_server.run import Run, format_sample, list_dicts
from mcp_server.sources import Endpoint


class TargetsArguments(Arguments):
    """Arguments of prometheus_targets."""

    health: Literal["any", "up", "down", "unknown"] = "any"
    job: Name | None = Field(default=None, description="Only targets of this job.")


class Target(Shape):
    """A scrape target."""

    job: str
    instance: str
    service: str
    health: str
    last_error: str
    last_scrape: str
    seconds: float


class TargetsAnswer(Answer):
    """Scrape targets, those that are not up first."""

    SHORTENED: ClassVar[tuple[str, ...]] = ("targets",)

    up: int
    down: int
    targets: list[Target]


async def list_targets(run: Run, given: TargetsArguments) -> TargetsAnswer:
    """The targets that Prometheus scrapes, with the error of the last scrape."""
    data = await run.sources.ask(Endpoint.TARGETS, {"state": "active"})
    every = [_build_target(run, item) for item in list_dicts(data.get("activeTargets"))]
    chosen = [each for each in every if given.health in ("any", each.health) and given.job in (None, each.job)]
    chosen.sort(key=lambda each: (each.health == "up", each.job, each.instance))
    up = sum(each.health == "up" for each in chosen)
    return TargetsAnswer(up=up, down=len(chosen) - up, targets=chosen)


def _build_target(run: Run, item: dict[str, Any]) -> Target:
    labels = run.clean_labels(item.get("labels", {}))
    return Target(
        job=labels.get("job", ""),
        instance=labels.get("instance", ""),
        service=labels.get("service", ""),
        health=run.clean(item.get("health", "unknown")),
        last_error=run.clean(item.get("lastError", "")),
        last_scrape=run.clean(item.get("lastScrape", "")),
        seconds=float(item.get("lastScrapeDuration", 0.0)),
    )


class AlertsArguments(Arguments):
    """Arguments of prometheus_alerts."""

    state: Literal["any", "firing", "pending"] = "any"
    service: Name | None = Field(default=None, description="Only alerts with this value of the label service.")


class ActiveAlert(Shape):
    """An alert that fires, or waits to."""

    alert: str
    state: str
    severity: str
    service: str
    since: str
    value: str
    summary: str
    labels: dict[str, str]


class AlertsAnswer(Answer):
    """Active alerts, the most severe first."""

    SHORTENED: ClassVar[tuple[str, ...]] = ("alerts",)

    firing: int
    pending: int
    alerts: list[ActiveAlert]


SEVERITIES = ("critical", "warning", "info")


async def list_alerts(run: Run, given: AlertsArguments) -> AlertsAnswer:
    """Alerts that fire or are pending, with their labels and summaries."""
    data = await run.sources.ask(Endpoint.ALERTS)
    every = [build_alert(run, item) for item in list_dicts(data.get("alerts"))]
    chosen = [each for each in every if given.state in ("any", each.state) and given.service in (None, each.service)]
    chosen.sort(key=lambda each: (each.state != "firing", rank_severity(each.severity), each.alert))
    firing = sum(each.state == "firing" for each in chosen)
    return AlertsAnswer(firing=firing, pending=len(chosen) - firing, alerts=chosen)


def build_alert(run: Run, item: dict[str, Any]) -> ActiveAlert:
    """An alert of Prometheus' answer."""
    labels = run.clean_labels(item.get("labels", {}))
    return ActiveAlert(
        alert=labels.pop("alertname", ""),
        state=run.clean(item.get("state", "")),
        severity=labels.pop("severity", ""),
        service=labels.get("service", ""),
        since=run.clean(item.get("activeAt", "")),
        value=format_sample(str(item.get("value", ""))),
        summary=run.clean(item.get("annotations", {}).get("summary", "")),
        labels=labels,
    )


def rank_severity(severity: str) -> int:
    """Its place: the smaller, the worse."""
    return SEVERITIES.index(severity) if severity in SEVERITIES else len(SEVERITIES)
