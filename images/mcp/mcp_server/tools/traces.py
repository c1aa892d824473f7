"""One trace: its spans in their order, with what failed and what took the time.

API: https://www.jaegertracing.io/docs/2.13/apis/#http-json (used by its own interface).
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import Field

from mcp_server.answers import Answer, Shape
from mcp_server.arguments import Arguments
from mcp_server.errors import Refused
from mcp_server.run import Run, format_time, list_dicts
from mcp_server.sources import Endpoint
from mcp_server.tools.base import Tool

FIELDS = 12
"""Fields of a span in an answer."""


class TraceArguments(Arguments):
    """Arguments of trace."""

    trace_id: Annotated[str, Field(pattern=r"^([0-9a-fA-F]{16}|[0-9a-fA-F]{32})$")] = Field(
        description="16 or 32 hexadecimal digits, as log lines have it."
    )


class Span(Shape):
    """A part of the trace; `depth` says how many spans it is within."""

    service: str
    operation: str
    depth: int
    starts_ms: float = Field(description="Milliseconds after the trace's begin.")
    duration_ms: float
    failed: bool
    fields: dict[str, str]


class TraceAnswer(Answer):
    """A trace, its spans in the order in which they began, each after the one that it is within."""

    SHORTENED: ClassVar[tuple[str, ...]] = ("spans",)

    trace_id: str
    begins: str
    duration_ms: float
    services: list[str]
    failed: int = Field(description="Spans that failed.")
    spans: list[Span]

    def drop_details(self) -> str:
        """Leave fields out of spans that did not fail."""
        for span in self.spans:
            if not span.failed:
                span.fields = {}
        return "Fields of spans that did not fail were left out."


async def show_trace(run: Run, given: TraceArguments) -> TraceAnswer:
    """The spans of a trace."""
    data = await run.sources.ask(Endpoint.TRACE, {}, given.trace_id)
    trace = next(iter(list_dicts(data)), None)
    spans = list_dicts(trace.get("spans")) if trace else []
    if trace is None or not spans:
        raise Refused(f"no trace {given.trace_id}: it was not sampled, has expired, or has not arrived yet")
    names = {key: str(process.get("serviceName", "")) for key, process in trace.get("processes", {}).items()}
    begin = min(int(span["startTime"]) for span in spans)
    end = max(int(span["startTime"]) + int(span["duration"]) for span in spans)
    shown = [_build_span(run, span, depth, names, begin) for span, depth in _order_spans(spans)]
    return TraceAnswer(
        trace_id=given.trace_id,
        begins=format_time(begin / 1e6),
        duration_ms=(end - begin) / 1000,
        services=sorted({run.clean(name) for name in names.values()}),
        failed=sum(span.failed for span in shown),
        spans=shown,
    )


def _order_spans(spans: list[dict[str, Any]]) -> list[tuple[dict[str, Any], int]]:
    """The spans with their depths, parents before what is within them; a parent that is missing counts as none."""
    known = {span["spanID"] for span in spans}
    within: dict[str, list[dict[str, Any]]] = {}
    for span in sorted(spans, key=lambda each: int(each["startTime"]), reverse=True):
        parents = [each["spanID"] for each in list_dicts(span.get("references")) if each.get("refType") == "CHILD_OF"]
        parent = next((each for each in parents if each in known and each != span["spanID"]), "")
        within.setdefault(parent, []).append(span)
    ordered, waiting = [], [(span, 0) for span in within.get("", [])]
    while waiting:
        span, depth = waiting.pop()
        ordered.append((span, depth))
        waiting += [(each, depth + 1) for each in within.pop(span["spanID"], [])]
    return ordered


def _build_span(run: Run, span: dict[str, Any], depth: int, names: dict[str, str], begin: int) -> Span:
    tags = {str(tag.get("key")): tag.get("value") for tag in list_dicts(span.get("tags"))}
    failed = tags.get("error") is True or tags.get("otel.status_code") == "ERROR"
    fields = {key: tags[key] for key in list(tags)[:FIELDS]}
    for log in list_dicts(span.get("logs")) if failed else ():
        fields |= {f"event.{entry.get('key')}": entry.get("value") for entry in list_dicts(log.get("fields"))[:4]}
    return Span(
        service=run.clean(names.get(span.get("processID", ""), "")),
        operation=run.clean(span.get("operationName", "")),
        depth=depth,
        starts_ms=(int(span["startTime"]) - begin) / 1000,
        duration_ms=int(span["duration"]) / 1000,
        failed=failed,
        fields=run.clean_labels(fields),
    )


TRACE_TOOLS = (
    Tool(
        "trace",
        "Show a trace",
        "The spans of one trace by its trace_id, as log lines have it: services, durations, and what failed.",
        TraceArguments,
        TraceAnswer,
        show_trace,
        ("jaeger",),
    ),
)
