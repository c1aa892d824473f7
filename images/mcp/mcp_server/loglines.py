"""Log lines from Loki: what a query would cost, and its lines.

A query is costed by Loki's index before it runs: https://grafana.com/docs/loki/latest/reference/loki-http-api/.
"""

from __future__ import annotations

from typing import Any

from mcp_server.answers import LogLine
from mcp_server.errors import Refused
from mcp_server.run import Run, format_time, list_dicts
from mcp_server.sources import Endpoint

ERROR_FILTER = '|~ "(?i)(error|fatal|panic|exception)"'
"""Lines that speak of an error, whatever they are written by."""
MIB = 1024 * 1024


def list_selectors(query: str) -> list[str]:
    """The stream selectors of a LogQL query, such as {job="api"}: what stands in braces outside of quotes."""
    selectors, begin, quote, position = [], -1, "", 0
    while position < len(query):
        character = query[position]
        if quote:
            if character == "\\" and quote == '"':
                position += 1
            elif character == quote:
                quote = ""
        elif character in '"`':
            quote = character
        elif character == "{":
            begin = position
        elif character == "}" and begin >= 0:
            selectors.append(query[begin : position + 1])
            begin = -1
        position += 1
    return selectors


async def estimate_bytes(run: Run, query: str, start: float, end: float) -> int:
    """Bytes of lines that Loki has to read for a query.

    Raises:
        Refused: the query has no stream selector.
        SourceFailed: Loki does not say.
    """
    selectors = list_selectors(query)
    if not selectors:
        raise Refused('a LogQL query begins with a selector of streams, such as {service="api"}')
    total = 0
    for selector in dict.fromkeys(selectors):
        parameters = {"query": selector, "start": _format_nanoseconds(start), "end": _format_nanoseconds(end)}
        total += int((await run.sources.ask(Endpoint.LOG_STATS, parameters)).get("bytes") or 0)
    return total


async def check_cost(run: Run, query: str, start: float, end: float) -> int:
    """The bytes that a query reads.

    Raises:
        Refused: they are more than bounds.log_bytes; the text says how long a time would do.
    """
    cost, allowed = await estimate_bytes(run, query, start, end), run.bounds.log_bytes
    if cost > allowed:
        seconds = max(60, int((end - start) * allowed / cost))
        raise Refused(
            f"Loki would read {cost // MIB} MiB for this query, and {allowed // MIB} MiB are allowed: look at about"
            f" {seconds} s instead of {end - start:.0f} s, or name more labels in the selector"
        )
    return cost


async def ask_range(run: Run, query: str, start: float, end: float, **more: str) -> dict[str, Any]:
    """The data of a range query, whatever it costs."""
    times = {"start": _format_nanoseconds(start), "end": _format_nanoseconds(end)}
    data = await run.sources.ask(Endpoint.LOG_RANGE, {"query": query, **times, **more})
    return data if isinstance(data, dict) else {}


async def read_lines(run: Run, query: str, start: float, end: float, limit: int) -> list[LogLine]:
    """The newest lines of a query, at most `limit`; of the last minutes alone where more would cost too much.

    Raises:
        Refused: even these would cost too much.
        SourceFailed: Loki does not answer.
    """
    try:
        await check_cost(run, query, start, end)
    except Refused:
        start = end - 300  # the last minutes say most of what is wrong now
        await check_cost(run, query, start, end)
    data = await ask_range(run, query, start, end, limit=str(limit), direction="backward")
    return list_lines(run, data)[:limit]


def list_lines(run: Run, data: dict[str, Any]) -> list[LogLine]:
    """The lines of all streams of an answer, the newest first."""
    pairs = [
        (int(entry[0]), stream.get("stream", {}), str(entry[1]))
        for stream in list_dicts(data.get("result"))
        for entry in stream.get("values", ())
    ]
    pairs.sort(key=lambda each: -each[0])
    return [
        LogLine(time=format_time(at / 1e9), labels=run.clean_labels(labels), line=run.clean(line))
        for at, labels, line in pairs
    ]


def _format_nanoseconds(seconds: float) -> str:
    return f"{int(seconds * 1000)}000000"
