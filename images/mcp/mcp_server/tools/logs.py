"""LogQL: lines, and numbers made of lines.

API: https://grafana.com/docs/loki/latest/reference/loki-http-api/#query-logs-within-a-range-of-time.
"""

from __future__ import annotations

import math
from typing import ClassVar, Literal

from pydantic import Field

from mcp_server.answers import Answer, LogLine
from mcp_server.arguments import Arguments, Moment, Query, parse_range
from mcp_server.errors import Refused, SourceTooLarge
from mcp_server.loglines import ask_range, check_cost, list_lines
from mcp_server.run import Run, list_dicts
from mcp_server.tools.base import Tool
from mcp_server.tools.prometheus import RangeSeries, summarise_series

POINTS = 30
"""Points of a metric query: Loki computes each of them from lines."""


class LogArguments(Arguments):
    """Arguments of loki_query."""

    query: Query = Field(description='LogQL, such as {service="api"} |= "error" or a metric query')
    start: Moment = "now-1h"
    end: Moment = "now"
    limit: int = Field(default=50, ge=1, le=1000, description="Lines at most.")
    direction: Literal["backward", "forward"] = Field(default="backward", description="backward: the newest first.")


class LogAnswer(Answer):
    """Lines, or the series of a metric query."""

    SHORTENED: ClassVar[tuple[str, ...]] = ("lines", "series")

    start: str
    end: str
    bytes_read: int = Field(description="Bytes of lines that Loki has to read for this query, by its index.")
    lines: list[LogLine]
    series: list[RangeSeries]

    def drop_details(self) -> str:
        """Leave the points of series out."""
        had = any(each.points for each in self.series)
        for each in self.series:
            each.points = []
        return "Points were left out." if had else ""


async def query_logs(run: Run, given: LogArguments) -> LogAnswer:
    """Lines that a query matches, once its cost is known to be bearable."""
    start, end = parse_range(given.start, given.end, run.bounds.range_days)
    limit = min(given.limit, run.bounds.lines)
    cost = await check_cost(run, given.query, start, end)
    answer = LogAnswer(start=given.start, end=given.end, bytes_read=cost, lines=[], series=[])
    step = str(max(15, math.ceil((end - start) / POINTS)))
    try:
        data = await ask_range(run, given.query, start, end, limit=str(limit + 1), direction=given.direction, step=step)
    except SourceTooLarge as error:
        raise Refused(f"{error}: have fewer lines by limit, or for shorter ones by line_format") from None
    if data.get("resultType") == "matrix":
        every = list_dicts(data.get("result"))
        answer.series = [summarise_series(run, item) for item in every[: run.bounds.series] if item.get("values")]
        answer.omitted = max(0, len(every) - run.bounds.series)
        answer.complete = not answer.omitted
        return answer
    lines = list_lines(run, data)
    if given.direction == "forward":
        lines.reverse()
    answer.lines, answer.complete = lines[:limit], len(lines) <= limit
    if not answer.complete:
        answer.hint = "There are more lines: narrow the query or the time, or count them by count_over_time()."
    return answer


LOG_TOOLS = (
    Tool(
        "loki_query",
        "Read log lines",
        "Lines that a LogQL query matches, or the series of a metric query. What Loki would have to read is known"
        " before the query runs; too much is refused, with a time that would do.",
        LogArguments,
        LogAnswer,
        query_logs,
        ("loki",),
    ),
)
