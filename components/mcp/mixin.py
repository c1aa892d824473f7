"""The MCP server: do its calls get answers, do its sources, and does somebody guess tokens?

Source of the names: images/mcp/mcp_server/metrics.py.
"""

from __future__ import annotations

from functools import cache

from components.drawing import count_events, count_refused, draw_failures, fill_zero_if_up, select, sum_rate
from components.mcp.settings import NAME
from model.dashboard_spec import Panel
from model.limits import Count, Share
from model.telemetry import AlertRule, Example
from packs.base import (
    BY,
    Tune,
    build_flat_samples,
    build_growth_example,
    build_panel,
    build_service_series,
    build_share_example,
    build_thresholds,
    format_percent,
    get_limit,
)

SOURCE_SHARE = 0.5
"""Half of the queries to a source: a single one that took too long is the query's own fault, this is the source's."""
CALL_SHARE = 0.25
"""One call in four: agents write wrong queries now and then, and read from the answer what is wrong with them."""
REFUSED = 30.0
"""Requests in five minutes: a client that begins without its token is refused once, one with an old token each time."""


# -- alerts ----------------------------------------------------------------------------------------------------------


def alerts(tune: Tune) -> tuple[AlertRule, ...]:
    """Alerts about the server; that it is down says TargetDown."""
    return (
        alert_on_failing_source(tune),
        alert_on_failing_calls(tune),
        alert_on_refused_tokens(tune),
        alert_on_refused_document(tune),
    )


def alert_on_failing_source(tune: Tune) -> AlertRule:
    """Prometheus, Loki or Jaeger does not answer the server."""
    bound, name = get_limit(tune, "McpSourceFailing", SOURCE_SHARE), "mcp_source_requests_total"
    failed, answered = (
        build_service_series(NAME, name, source="any", result=result) for result in ("failed", "answered")
    )
    return AlertRule(
        name="McpSourceFailing",
        expr=f'sum by ({BY}, source) (rate({name}{{result="failed"}}[5m]))'
        f" / (sum by ({BY}, source) (rate({name}[5m])) > 0) > {bound:g}",
        for_="5m",  # a restart of the source is over by then
        severity="warning",
        limit=Share(bound),
        summary="{{ $value | humanizePercentage }} of the MCP server's queries to {{ $labels.source }} fail",
        description=f"More than {format_percent(bound)} of the queries that agents have the MCP server send to"
        " {{ $labels.source }} get no answer: it is away, or too slow.",
        steps=(
            "Look whether the source itself is up: the row of that name in the dashboard Monitoring Stack.",
            'Read how the calls ended: `{service="mcp"} | json | result="failed"` in Grafana\'s Explore.',
            "If single queries are too heavy, the lines name who sends them: have them look at less.",
        ),
        example=build_share_example(failed, answered, bound),
    )


def alert_on_failing_calls(tune: Tune) -> AlertRule:
    """Agents get errors in place of answers, whatever the reason."""
    bound, name = get_limit(tune, "McpCallsFailing", CALL_SHARE), "mcp_calls_total"
    failed, answered = (
        build_service_series(NAME, name, tool="prometheus_query", result=result) for result in ("failed", "answered")
    )
    return AlertRule(
        name="McpCallsFailing",
        expr=f'sum by ({BY}) (rate({name}{{result="failed"}}[10m])) / (sum by ({BY}) (rate({name}[10m])) > 0)'
        f" > {bound:g}",
        for_="10m",  # nobody is waiting at night: an agent tries again, and what lasts is a cause
        severity="info",
        limit=Share(bound),
        summary="{{ $value | humanizePercentage }} of the agents' calls fail",
        description=f"More than {format_percent(bound)} of the calls of the MCP server's tools end without an answer.",
        steps=(
            'Read which tools and arguments: `{service="mcp"} | json | result="failed"` in Grafana\'s Explore.',
            "If they take too long, raise `mcp: {callTimeout: ...}`, or have the agents look at shorter times.",
            "If the log says that the server has a defect, its next lines say where.",
        ),
        example=build_share_example(failed, answered, bound),
    )


def alert_on_refused_tokens(tune: Tune) -> AlertRule:
    """Many requests without a token that is right."""
    bound, name = get_limit(tune, "McpTokensRefused", REFUSED), "mcp_refused_requests_total"
    return AlertRule(
        name="McpTokensRefused",
        expr=f'sum by ({BY}) (increase({name}{{reason="token"}}[5m])) > {bound:g}',
        for_="5m",  # one client that is started with an old token gives up sooner
        severity="warning",
        limit=Count(bound),
        summary="The MCP server refused {{ $value | humanize }} requests in 5 minutes for their token",
        description=f"More than {bound:g} requests in 5 minutes had no token that the MCP server accepts: somebody"
        " guesses, or a client goes on with a token that was replaced.",
        steps=(
            "Look where the requests come from: Traefik's access log, where `traefik: {accessLog: true}` is set.",
            "If a client of yours has an old token, give it the present one: `make mcp STACK=x` shows how.",
            "If not, close the route to that address in front of Traefik. A token cannot be guessed: it has 48"
            " characters.",
        ),
        example=build_growth_example(build_service_series(NAME, name, reason="token"), bound),
    )


def alert_on_refused_document(tune: Tune) -> AlertRule:
    """The server goes on with an old document."""
    series = build_service_series(NAME, "mcp_document_read_successful")
    return AlertRule(
        name="McpDocumentRefused",
        expr="mcp_document_read_successful == 0",
        for_="5m",  # a delivery that is taken back has been undone by then
        severity="warning",
        summary="The MCP server refuses its newest document",
        description="The document that was delivered last is none that this server can read: it serves the one before.",
        steps=(
            "Run `make up` again: a delivery shows what the server says of the document.",
            "Look whether the image is the one of this version: `mcp` in configs/images.yaml.",
        ),
        example=Example(fires={series: build_flat_samples(0)}, silent={series: build_flat_samples(1)}),
    )


# -- panels ----------------------------------------------------------------------------------------------------------


@cache
def panels() -> tuple[Panel, ...]:
    """What agents call, how that ends, and who is refused."""
    zero = fill_zero_if_up(NAME)
    slow = f"histogram_quantile(0.95, {sum_rate('le', 'mcp_call_duration_seconds_bucket')})"
    ended = {
        "{{result}}": sum_rate("result", "mcp_calls_total") + fill_zero_if_up(NAME, "result"),
        "refused for {{reason}}": f"{sum_rate('reason', 'mcp_refused_requests_total')} > 0",
    }
    tools = f"{sum_rate('tool', 'mcp_calls_total')} > 0{fill_zero_if_up(NAME, 'tool')}"
    failures = {
        "sources that do not answer": count_events("mcp_source_requests_total", 'result="failed"'),
        "document refused": count_refused("mcp_document_read_successful"),
    }
    red = build_thresholds((1, "green"))
    return (
        build_panel("Calls", {"{{tool}}": tools}, "cps", "By tool."),
        build_panel("Calls by result", ended, "cps", "Answered, refused in words, or failed; and refused requests."),
        build_panel("Duration", {"p95": slow + zero}, "s", "95 of 100 calls are quicker than this.", width=8),
        build_panel(
            "Answer size",
            {"per second": f"sum({_take_size()})"},
            "Bps",
            "Bytes of answers that agents read.",
            width=8,
        ),
        build_panel(
            "Clients",
            {"tokens": f"max({select('mcp_tokens')})"},
            "short",
            "Tokens that are accepted.",
            kind="stat",
            width=8,
            thresholds=red,
        ),
        draw_failures("Failures within the MCP server", failures, NAME, "Of what it asks, and of its document."),
    )


def _take_size() -> str:
    return f"rate({select('mcp_answer_bytes_total')}[$__rate_interval])"
