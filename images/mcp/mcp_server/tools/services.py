"""How each service is: whether it answers, what fires, how it serves."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import Field

from mcp_server.answers import Answer, Shape
from mcp_server.arguments import Arguments, Name
from mcp_server.run import Run, round_value
from mcp_server.tools.base import Tool
from mcp_server.tools.targets import rank_severity

Status = Literal["down", "failing", "warning", "unknown", "ok"]
ORDER: tuple[Status, ...] = ("down", "failing", "warning", "unknown", "ok")
ALERTS = 10
"""Names of alerts in an entry; explain_alert and prometheus_alerts say the rest."""


class HealthArguments(Arguments):
    """Arguments of service_health."""

    service: Name | None = Field(default=None, description="One service; all of them when absent.")


class ServiceHealth(Shape):
    """A service now; what is not measured is null."""

    service: str
    title: str
    status: Status
    targets_up: int
    targets: int
    probes_succeed: bool | None
    requests_per_second: float | None
    error_ratio: float | None
    p95_seconds: float | None
    alerts: list[str] = Field(description="Names of firing alerts, the most severe first.")


class HealthAnswer(Answer):
    """Services, the worst first."""

    SHORTENED: ClassVar[tuple[str, ...]] = ("services",)

    wrong: int = Field(description="Services whose status is down, failing or warning.")
    services: list[ServiceHealth]


async def describe_health(run: Run, given: HealthArguments) -> HealthAnswer:
    """The state of each service, the worst first; parts of the stack itself only where something is wrong."""
    chosen = run.choose_services(given.service) if given.service in (None, *run.document.services) else [given.service]
    up, targets, probes, measured, firing = await asyncio.gather(
        run.ask_by_label("sum by (service) (up)", "service"),
        run.ask_by_label("count by (service) (up)", "service"),
        run.ask_by_label("min by (service) (probe_success)", "service"),
        _ask_recorded(run),
        _list_firing(run),
    )
    if given.service is None:
        broken = {name for name, count in targets.items() if up.get(name, 0) < count}
        chosen += sorted((broken | set(firing)) - {*chosen, ""})
    else:
        chosen = [name for name in chosen if name in targets] or run.choose_services(given.service)
    entries = []
    for name in filter(None, chosen):
        alerts = sorted(firing.get(name, {}).items(), key=lambda item: (rank_severity(item[1]), item[0]))
        worst = alerts[0][1] if alerts else ""
        probed = probes.get(name)
        known = run.document.services.get(name)
        entries.append(
            ServiceHealth(
                service=run.clean(name),
                title=known.title if known else "",
                status=_choose_status(up.get(name, 0), targets.get(name, 0), probed, worst),
                targets_up=int(up.get(name, 0)),
                targets=int(targets.get(name, 0)),
                probes_succeed=None if probed is None else probed == 1,
                requests_per_second=measured["rate"].get(name),
                error_ratio=measured["error_ratio"].get(name),
                p95_seconds=measured["p95"].get(name),
                alerts=[run.clean(alert) for alert, _ in alerts[:ALERTS]],
            )
        )
    entries.sort(key=lambda each: (ORDER.index(each.status), each.service))
    wrong = sum(each.status in ("down", "failing", "warning") for each in entries)
    hint = "explain_alert says what is behind an alert, error_analysis which endpoint fails." if wrong else ""
    return HealthAnswer(hint=hint, wrong=wrong, services=entries)


def _choose_status(up: float, targets: float, probed: float | None, worst: str) -> Status:
    if targets and up == 0:
        return "down"
    if worst == "critical" or up < targets or probed == 0:
        return "failing"
    if worst == "warning":
        return "warning"
    return "ok" if targets or probed is not None else "unknown"


async def _ask_recorded(run: Run) -> dict[str, dict[str, float | None]]:
    kinds = ("rate", "error_ratio", "p95")
    recorded = run.document.recorded
    queries = [f"max by (service) ({recorded[kind]})" if kind in recorded else "vector(0) > 1" for kind in kinds]
    values = await asyncio.gather(*(run.ask_by_label(query, "service") for query in queries))
    return {
        kind: {name: round_value(value) for name, value in some.items()}
        for kind, some in zip(kinds, values, strict=True)
    }


async def _list_firing(run: Run) -> dict[str, Mapping[str, str]]:
    """Names and severities of firing alerts by service."""
    query = 'count by (service, alertname, severity) (ALERTS{alertstate="firing"})'
    firing: dict[str, dict[str, str]] = {}
    for labels, _ in await run.ask_vector(query):
        firing.setdefault(labels.get("service", ""), {})[labels.get("alertname", "")] = labels.get("severity", "")
    return {service: dict(alerts) for service, alerts in firing.items()}


SERVICE_TOOLS = (
    Tool(
        "service_health",
        "Say how each service is",
        "Whether each service answers, its firing alerts, requests per second, share of errors and p95, the worst"
        " first. Begin here when something is wrong.",
        HealthArguments,
        HealthAnswer,
        describe_health,
    ),
)
