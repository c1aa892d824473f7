"""PromQL: the value of a query now, and over a range of time.

API: https://prometheus.io/docs/prometheus/latest/querying/api/#expression-queries.
"""

from __future__ import annotations

import math
from typing import Any, ClassVar

from pydantic import Field

from mcp_server.answers import Answer, Breakdown, Shape
from mcp_server.arguments import Arguments, Duration, Moment, Query, parse_duration, parse_moment, parse_range
from mcp_server.cardinality import HINT, describe_cardinality
from mcp_server.errors import Refused, SourceTooLarge
from mcp_server.run import Run, format_sample, format_time, list_dicts
from mcp_server.sources import Endpoint
from mcp_server.tools.base import Tool
from mcp_server.tools.series import (
    LabelsAnswer,
    LabelsArguments,
    SeriesAnswer,
    SeriesArguments,
    list_labels,
    list_series,
)
from mcp_server.tools.targets import (
    AlertsAnswer,
    AlertsArguments,
    TargetsAnswer,
    TargetsArguments,
    list_alerts,
    list_targets,
)

WANTED_POINTS = 60
"""Points of a range where the caller names no step: enough to see a shape."""
LEAST_STEP = 15.0
"""Seconds between scrapes, usually: a smaller step repeats samples."""


class QueryArguments(Arguments):
    """Arguments of prometheus_query."""

    query: Query = Field(description="PromQL")
    time: Moment = "now"


class Sample(Shape):
    """A series and its value; `time` is there for the samples of a range selector."""

    labels: dict[str, str]
    value: str
    time: str = ""


class QueryAnswer(Answer):
    """The value of each series at one point in time."""

    SHORTENED: ClassVar[tuple[str, ...]] = ("series",)

    time: str
    kind: str = Field(description="vector, scalar, string or matrix")
    series: list[Sample]
    breakdown: Breakdown | None = Field(default=None, description="Instead of series, where there are too many.")


async def query_now(run: Run, given: QueryArguments) -> QueryAnswer:
    """The value of a query at one point in time; of too many series only their break-down."""
    moment = parse_moment(given.time, run.now)
    bounds = run.bounds
    parameters = {
        "query": given.query,
        "time": f"{moment:.3f}",
        "timeout": f"{bounds.seconds * 1000:.0f}ms",
        "limit": str(bounds.series + 1),
    }
    answer = QueryAnswer(time=format_time(moment), kind="vector", series=[])
    try:
        data = await run.sources.ask(Endpoint.QUERY, parameters)
    except SourceTooLarge:
        data = {"resultType": "vector", "result": None}
    answer.kind, result = str(data.get("resultType", "")), data.get("result")
    if answer.kind in ("scalar", "string"):
        answer.series = [Sample(labels={}, value=_format_single(run, answer.kind, result))]
        return answer
    every = list_dicts(result)
    if result is None or len(every) > bounds.series:
        labels = sorted({name for item in every for name in item["metric"]})
        answer.complete, answer.hint = False, HINT
        answer.breakdown = await describe_cardinality(run, given.query, labels)
        return answer
    answer.series = [sample for item in every for sample in _list_samples(run, item)]
    return answer


def _format_single(run: Run, kind: str, result: Any) -> str:
    value = str(result[1])
    return format_sample(value) if kind == "scalar" else run.clean(value)


def _list_samples(run: Run, item: dict[str, Any]) -> list[Sample]:
    labels = run.clean_labels(item["metric"])
    if "value" in item:
        return [Sample(labels=labels, value=format_sample(item["value"][1]))]
    if "values" not in item:
        return [Sample(labels=labels, value="histogram: use histogram_quantile() on it")]
    return [Sample(labels=labels, value=format_sample(value), time=format_time(at)) for at, value in item["values"]]


# -- ranges ----------------------------------------------------------------------------------------------------------


class RangeArguments(Arguments):
    """Arguments of prometheus_query_range."""

    query: Query = Field(description="PromQL")
    start: Moment = "now-1h"
    end: Moment = "now"
    step: Duration | None = Field(default=None, description="Time between points; about 60 points when absent.")


class RangeSeries(Shape):
    """A series over the range: what its points come to, and the points as time (seconds since 1970) and value."""

    labels: dict[str, str]
    first: str
    last: str
    least: str
    most: str
    mean: str
    count: int
    points: list[tuple[float, str]]


class RangeAnswer(Answer):
    """The values of each series over a range of time."""

    SHORTENED: ClassVar[tuple[str, ...]] = ("series",)

    start: str
    end: str
    step_seconds: float
    series: list[RangeSeries]
    breakdown: Breakdown | None = Field(default=None, description="Instead of series, where there are too many.")

    def drop_details(self) -> str:
        """Leave the points out; what they come to stays."""
        for each in self.series:
            each.points = []
        return "Points were left out, what they come to is there: use a larger step or fewer series for points."


async def query_range(run: Run, given: RangeArguments) -> RangeAnswer:
    """The values of a query over a range of time; of too many series or samples only their break-down."""
    bounds = run.bounds
    start, end = parse_range(given.start, given.end, bounds.range_days)
    step = _choose_step(given.step, end - start, bounds.points)
    parameters = {
        "query": given.query,
        "start": f"{start:.3f}",
        "end": f"{end:.3f}",
        "step": f"{step:g}",
        "timeout": f"{bounds.seconds * 1000:.0f}ms",
        "limit": str(bounds.series + 1),
    }
    answer = RangeAnswer(start=format_time(start), end=format_time(end), step_seconds=step, series=[])
    try:
        every = list_dicts((await run.sources.ask(Endpoint.QUERY_RANGE, parameters)).get("result"))
        fits = len(every) <= bounds.series and sum(len(item.get("values", ())) for item in every) <= bounds.samples
    except SourceTooLarge:
        every, fits = [], False
    if not fits:
        labels = sorted({name for item in every for name in item["metric"]})
        answer.complete = False
        answer.hint = f"{HINT} A larger step gives fewer samples; {bounds.samples} are allowed."
        answer.breakdown = await describe_cardinality(run, given.query, labels)
        return answer
    answer.series = [summarise_series(run, item) for item in every if item.get("values")]
    return answer


def _choose_step(wanted: str | None, seconds: float, points: int) -> float:
    if wanted is None:
        return max(LEAST_STEP, float(math.ceil(seconds / WANTED_POINTS)))
    step = parse_duration(wanted)
    if step <= 0 or seconds / step > points:
        least = math.ceil(seconds / points)
        raise Refused(f"step {wanted} gives more than {points} points in this range; use {least}s at least")
    return step


def summarise_series(run: Run, item: dict[str, Any]) -> RangeSeries:
    """What the points of a series of an answer come to, and the points."""
    pairs = [(float(at), float(value)) for at, value in item["values"]]
    values = [value for _, value in pairs if not math.isnan(value)] or [math.nan]
    first, last, least, most = values[0], values[-1], min(values), max(values)
    shown = [format_sample(str(value)) for value in (first, last, least, most, sum(values) / len(values))]
    return RangeSeries(
        labels=run.clean_labels(item["metric"]),
        first=shown[0],
        last=shown[1],
        least=shown[2],
        most=shown[3],
        mean=shown[4],
        count=len(pairs),
        points=[(at, format_sample(str(value))) for at, value in pairs],
    )


# -- tools -----------------------------------------------------------------------------------------------------------

PROMETHEUS_TOOLS = (
    Tool(
        "prometheus_query",
        "Query metrics now",
        "The value of a PromQL expression at one point in time, one entry for each series. Where there are too many"
        " series the answer is how they divide by label, and queries that stay within the bounds.",
        QueryArguments,
        QueryAnswer,
        query_now,
    ),
    Tool(
        "prometheus_query_range",
        "Query metrics over time",
        "The values of a PromQL expression over a range of time: first, last, least, most and mean of each series, and"
        " its points where they fit. Bounded as prometheus_query is.",
        RangeArguments,
        RangeAnswer,
        query_range,
    ),
    Tool(
        "prometheus_series",
        "List series",
        "The labels of all series that selectors match in a range of time.",
        SeriesArguments,
        SeriesAnswer,
        list_series,
    ),
    Tool(
        "prometheus_labels",
        "List labels or their values",
        "The names of labels, or the values of one label; of __name__ these are the metrics that there are.",
        LabelsArguments,
        LabelsAnswer,
        list_labels,
    ),
    Tool(
        "prometheus_targets",
        "List scrape targets",
        "What Prometheus scrapes, whether it answers, and the error of the last scrape; those that are down first.",
        TargetsArguments,
        TargetsAnswer,
        list_targets,
    ),
    Tool(
        "prometheus_alerts",
        "List active alerts",
        "Alerts that fire or are about to, the most severe first. explain_alert says more about one of them.",
        AlertsArguments,
        AlertsAnswer,
        list_alerts,
    ),
)
