"""Errors and durations of requests over a time that the caller chooses, by service and endpoint."""

from __future__ import annotations

import asyncio
from typing import ClassVar

from pydantic import Field

from mcp_server.answers import Answer, LogLine, Shape
from mcp_server.arguments import Arguments, Duration, Name, check_duration
from mcp_server.errors import Refused, SourceFailed
from mcp_server.loglines import ERROR_FILTER, read_lines
from mcp_server.run import Run, escape_value, round_value
from mcp_server.tools.base import Tool

ENDPOINTS = 10
"""Endpoints of a service in an answer."""
LINES = 5
"""Error lines in an answer; loki_query reads more."""


class AnalysisArguments(Arguments):
    """Arguments of error_analysis and latency_analysis."""

    duration: Duration = Field(default="1h", description="How far back from now, such as 15m or 24h.")
    service: Name | None = Field(default=None, description="One service; all of them when absent.")


class Share(Shape):
    """A number by the value of a label: an endpoint or a status."""

    name: str
    value: float


class ServiceErrors(Shape):
    """Requests of a service, those that failed, and where."""

    service: str
    requests: float | None
    errors: float | None
    error_ratio: float | None
    by_endpoint: list[Share] = Field(description="Failed requests of each endpoint, the most first.")
    by_status: list[Share] = Field(description="Requests of each status, the most first.")


class ErrorsAnswer(Answer):
    """Errors of services, the highest share first, and the newest error lines of the first one."""

    SHORTENED: ClassVar[tuple[str, ...]] = ("lines", "services")

    duration: str
    services: list[ServiceErrors]
    lines_of: str = Field(default="", description="The service whose error lines follow.")
    lines: list[LogLine]
    not_measured: list[str] = Field(description="Services that count no requests.")


async def analyse_errors(run: Run, given: AnalysisArguments) -> ErrorsAnswer:
    """Failed requests by service, endpoint and status, with error lines of the worst service."""
    seconds = check_duration(given.duration, run.bounds.range_days)
    chosen = run.choose_services(given.service)
    measured = [name for name in chosen if "errors" in run.document.services[name].queries]
    entries = list(await asyncio.gather(*(_analyse_service(run, name, given.duration) for name in measured)))
    entries.sort(key=lambda each: (-(each.error_ratio or 0), -(each.errors or 0), each.service))
    answer = ErrorsAnswer(
        duration=given.duration,
        services=entries,
        lines=[],
        not_measured=[name for name in chosen if name not in measured],
    )
    about = entries[0].service if entries else chosen[0] if len(chosen) == 1 else ""
    if about and run.has("loki"):
        await _add_lines(run, answer, about, seconds)
    return answer


async def _analyse_service(run: Run, name: str, duration: str) -> ServiceErrors:
    service = run.document.services[name]

    async def ask(kind: str, label: str) -> list[Share]:
        query = service.queries.get(kind)
        values = await run.ask_by_label(query.replace("$duration", duration), label) if query else {}
        return list_shares(run, values)

    requests, errors, paths, statuses = await asyncio.gather(
        ask("requests", ""),
        ask("errors", ""),
        ask("errors_by_endpoint", service.path_label),
        ask("requests_by_status", service.status_label),
    )
    every, failed = (some[0].value if some else None for some in (requests, errors))
    ratio = round_value(failed / every) if failed is not None and every else None
    return ServiceErrors(
        service=name, requests=every, errors=failed, error_ratio=ratio, by_endpoint=paths, by_status=statuses
    )


def list_shares(run: Run, values: dict[str, float]) -> list[Share]:
    """The largest values, cleaned."""
    ordered = sorted(values.items(), key=lambda item: (-item[1], item[0]))[:ENDPOINTS]
    return [Share(name=run.clean(name), value=round_value(value) or 0.0) for name, value in ordered]


async def _add_lines(run: Run, answer: ErrorsAnswer, service: str, seconds: float) -> None:
    query = f'{{service="{escape_value(service)}"}} {ERROR_FILTER}'
    answer.lines_of = service
    try:
        answer.lines = await read_lines(run, query, run.now - seconds, run.now, LINES)
    except (Refused, SourceFailed) as error:
        answer.complete, answer.hint = False, f"Without log lines: {error}"


# -- durations -------------------------------------------------------------------------------------------------------


class ServiceLatency(Shape):
    """How long requests of a service took, in seconds."""

    service: str
    p50: float | None
    p95: float | None
    p99: float | None
    slowest_endpoints: list[Share] = Field(description="p95 of each endpoint in seconds, the slowest first.")


class LatencyAnswer(Answer):
    """Durations of services, the slowest first."""

    SHORTENED: ClassVar[tuple[str, ...]] = ("services",)

    duration: str
    services: list[ServiceLatency]
    not_measured: list[str] = Field(description="Services that measure no durations.")


async def analyse_latency(run: Run, given: AnalysisArguments) -> LatencyAnswer:
    """Quantiles of durations by service, and the slowest endpoints."""
    check_duration(given.duration, run.bounds.range_days)
    chosen = run.choose_services(given.service)
    measured = [name for name in chosen if "p95" in run.document.services[name].queries]
    entries = list(await asyncio.gather(*(_analyse_durations(run, name, given.duration) for name in measured)))
    entries.sort(key=lambda each: (-(each.p95 or 0), each.service))
    rest = [name for name in chosen if name not in measured]
    return LatencyAnswer(duration=given.duration, services=entries, not_measured=rest)


async def _analyse_durations(run: Run, name: str, duration: str) -> ServiceLatency:
    service = run.document.services[name]

    async def ask(kind: str, label: str = "") -> list[Share]:
        query = service.queries.get(kind)
        return list_shares(run, await run.ask_by_label(query.replace("$duration", duration), label) if query else {})

    p50, p95, p99, paths = await asyncio.gather(
        ask("p50"), ask("p95"), ask("p99"), ask("p95_by_endpoint", service.path_label)
    )
    first = [some[0].value if some else None for some in (p50, p95, p99)]
    return ServiceLatency(service=name, p50=first[0], p95=first[1], p99=first[2], slowest_endpoints=paths)


REQUEST_TOOLS = (
    Tool(
        "error_analysis",
        "Say which requests fail",
        "Failed requests of the last duration by service, endpoint and status, the worst service first, with its newest"
        " error lines.",
        AnalysisArguments,
        ErrorsAnswer,
        analyse_errors,
    ),
    Tool(
        "latency_analysis",
        "Say which requests are slow",
        "p50, p95 and p99 of the last duration by service, in seconds, and the slowest endpoints; the slowest first.",
        AnalysisArguments,
        LatencyAnswer,
        analyse_latency,
    ),
)
