"""How lines become entries of a log: which of them belong together, and when each was written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from model.base import Duration, Strict, parse_duration
from model.errors import Inconsistent, Problem
from model.expressions import Expression, list_groups
from model.layouts import Layout, find_offset
from model.zones import Zone

LineFormat = Literal["json", "logfmt", "text"]
LogField = Annotated[str, Field(min_length=1, max_length=100)]
TIME_FIELDS = ("time", "ts", "timestamp", "@timestamp", "@t", "asctime")
"""Where the time of a line is, in the order in which it is looked for."""
IDS: Mapping[str, tuple[str, ...]] = {
    "trace_id": (
        *("trace_id", "traceId", "traceID", "traceid", "TraceId", "TraceID", "trace.id", "dd.trace_id"),
        *("otelTraceID", "otelTraceId", "@tr"),
    ),
    "span_id": (
        *("span_id", "spanId", "spanID", "spanid", "SpanId", "SpanID", "span.id", "dd.span_id"),
        *("otelSpanID", "otelSpanId", "@sp"),
    ),
}
"""Ids by which lines and traces lead to each other, as ECS, Datadog, OpenTelemetry, Serilog and others call them."""
LONGEST_WAIT = "30s"
"""Nobody sees a line before its entry is complete, and alerts on lines look at the last minutes."""
MOST_LINES = 1000
"""Loki takes no entry of more than 256 KB: https://grafana.com/docs/loki/latest/configure/#limits_config."""


def _check_wait(value: str) -> str:
    if parse_duration(value) > parse_duration(LONGEST_WAIT):
        raise ValueError(f"must be {LONGEST_WAIT} at most: a line is seen only after that time")
    return value


class Multiline(Strict):
    """Lines that are one entry together, such as a stack trace. JSON objects of one line are entries of their own."""

    first_line: Literal["timestamp", "unindented"] = "timestamp"
    """What an entry begins with: timestamp is a time, a level, a key of logfmt or JSON; unindented is any line without
    spaces before it, as of programs that write bare traces (Java, Node.js), but no "Caused by:" or closing bracket."""
    expression: Expression | None = None
    """What the first line of an entry matches (RE2), where neither word of firstLine is right."""
    max_wait: Annotated[Duration, AfterValidator(_check_wait)] = "3s"
    """How long an entry waits for its next line, 30s at most."""
    max_lines: Annotated[int, Field(ge=2, le=MOST_LINES)] = 500
    """Lines of an entry; those after them are an entry of their own."""

    @model_validator(mode="after")
    def _check_first_line(self) -> Multiline:
        if self.expression and "first_line" in self.model_fields_set:
            raise Inconsistent([Problem("", "give one of firstLine, expression: an entry begins in one way")])
        return self


class LineTime(Strict):
    """Where a line says when it was written. A line whose time cannot be read has the time at which it was read."""

    field: LogField | None = None
    """The field that holds it; when absent the first of time, ts, timestamp, @timestamp, @t and asctime, or else what a
    line of text begins with."""
    layout: Layout | None = None
    """How it is written, as a layout of Go; when absent it is RFC 3339 with a zone, or a number of seconds,
    milliseconds, microseconds or nanoseconds since 1970."""
    zone: Zone | None = None
    """The time zone of a layout that has no offset from UTC."""

    @model_validator(mode="after")
    def _check_zone(self) -> LineTime:
        message = ""
        if self.zone and not self.layout:
            message = f"{self.zone!r}: RFC 3339 and numbers have no need of it; leave it out, or give layout"
        elif self.zone and self.layout and find_offset(self.layout):
            message = f"{self.zone!r}: each line has an offset by {self.layout!r}, which counts; leave it out"
        elif self.layout and not self.zone and not find_offset(self.layout):
            message = f"{self.layout!r} has no offset such as -0700; say in which zone the lines are, such as UTC"
        if message:
            raise Inconsistent([Problem("zone", message)])
        return self


def check_fields(line_format: LineFormat, expression: str | None, named: Mapping[str, Sequence[str]]) -> list[Problem]:
    """Fields that lines of text do not have: those that no group of an expression is called like.

    `named` has the names of fields by the key under which they are named.
    """
    if line_format != "text":
        message = f"lines of format {line_format} have their own fields; leave it out, or say format: text"
        return [Problem("expression", message)] if expression else []
    groups = list_groups(expression)
    if expression and not groups:
        return [Problem("expression", "has no group with a name, such as (?P<status>[0-9]+), so it reads nothing")]
    problems = []
    for key, names in named.items():
        unknown = ", ".join(name for name in names if name not in groups)
        if unknown and expression:
            message = f"{unknown}: no group of expression is called so; it has {', '.join(groups)}"
            problems.append(Problem(key, message))
        elif unknown:
            message = f"{unknown}: lines of format text have no fields; leave it out, or give expression"
            problems.append(Problem(key, message))
    return problems
