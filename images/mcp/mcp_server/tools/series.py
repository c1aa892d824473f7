"""Which series there are, their labels, and the values of labels.

API: https://prometheus.io/docs/prometheus/latest/querying/api/#querying-metadata.
"""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from mcp_server.answers import Answer, Breakdown
from mcp_server.arguments import Arguments, Moment, Query, parse_range
from mcp_server.cardinality import HINT, describe_cardinality
from mcp_server.errors import SourceTooLarge
from mcp_server.run import Run
from mcp_server.sources import Endpoint

VALUES = 1000
"""Names or values of labels in an answer, before its length bounds it."""
Selectors = Annotated[list[Query], Field(min_length=1, max_length=10)]


class SeriesArguments(Arguments):
    """Arguments of prometheus_series."""

    match: Selectors = Field(description='Selectors, such as up{job="api"}; series of any of them.')
    start: Moment = "now-1h"
    end: Moment = "now"


class SeriesAnswer(Answer):
    """The labels of each series."""

    SHORTENED: ClassVar[tuple[str, ...]] = ("series",)

    series: list[dict[str, str]]
    breakdown: Breakdown | None = Field(default=None, description="Instead of series, where there are too many.")


async def list_series(run: Run, given: SeriesArguments) -> SeriesAnswer:
    """The series that selectors match; of too many only their break-down."""
    start, end = parse_range(given.start, given.end, run.bounds.range_days)
    limit = run.bounds.series
    parameters = {"match[]": given.match, "start": f"{start:.3f}", "end": f"{end:.3f}", "limit": str(limit + 1)}
    try:
        every = await run.sources.ask(Endpoint.SERIES, parameters)
    except SourceTooLarge:
        every = None
    if every is not None and len(every) <= limit:
        return SeriesAnswer(series=[run.clean_labels(labels) for labels in every])
    labels = sorted({name for item in every or () for name in item})
    breakdown = await describe_cardinality(run, " or ".join(given.match), labels)
    return SeriesAnswer(complete=False, hint=HINT, series=[], breakdown=breakdown)


class LabelsArguments(Arguments):
    """Arguments of prometheus_labels."""

    label: Annotated[str, Field(pattern=r"^[a-zA-Z_][a-zA-Z0-9_]*$", max_length=100)] | None = Field(
        default=None, description="The label whose values are wanted; names of labels when absent."
    )
    match: list[Query] = Field(default=[], max_length=10, description="Selectors that bound the series.")
    start: Moment = "now-1h"
    end: Moment = "now"


class LabelsAnswer(Answer):
    """Names of labels, or the values of one; `total` is a lower bound where the answer is not complete."""

    SHORTENED: ClassVar[tuple[str, ...]] = ("values",)

    label: str
    total: int
    values: list[str]


async def list_labels(run: Run, given: LabelsArguments) -> LabelsAnswer:
    """Names of labels, or the values of one, sorted."""
    start, end = parse_range(given.start, given.end, run.bounds.range_days)
    parameters = {"start": f"{start:.3f}", "end": f"{end:.3f}", "limit": str(VALUES + 1)}
    more = {"match[]": given.match} if given.match else {}
    endpoint = Endpoint.LABEL_VALUES if given.label else Endpoint.LABELS
    try:
        every = await run.sources.ask(endpoint, {**parameters, **more}, given.label or "")
    except SourceTooLarge:
        every = None
    values = sorted(map(str, every or ()))
    complete = every is not None and len(values) <= VALUES
    return LabelsAnswer(
        complete=complete,
        hint="" if complete else "More values than are listed: bound the series by match.",
        label=given.label or "",
        total=len(values),
        values=[run.clean(value) for value in values[:VALUES]],
    )
