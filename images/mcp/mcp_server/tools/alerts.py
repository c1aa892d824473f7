"""Alerts: what one means and what to do, and everything that is known of one that fires."""

from __future__ import annotations

import difflib
import re
from typing import Any, ClassVar

from pydantic import Field

from mcp_server.answers import Answer, LogLine, RunbookText, Shape
from mcp_server.arguments import Arguments, Name
from mcp_server.document import Runbook
from mcp_server.errors import Refused, SourceFailed
from mcp_server.loglines import ERROR_FILTER, read_lines
from mcp_server.run import Run, escape_value, format_sample, list_dicts
from mcp_server.sources import Endpoint
from mcp_server.tools.base import Tool
from mcp_server.tools.targets import ActiveAlert, build_alert

INSTANCES = 10
LINES = 10
BACK = 1800.0
"""Seconds whose error lines are shown: what began an alert is usually within its `for` and a scrape or two."""


class RunbookArguments(Arguments):
    """Arguments of runbook."""

    alert: Name = Field(description="Name of an alert.")


class RunbookAnswer(Answer):
    """What to do about an alert."""

    alert: str
    runbook: RunbookText


async def show_runbook(run: Run, given: RunbookArguments) -> RunbookAnswer:
    """What an alert means and what to look at, in order."""
    return RunbookAnswer(alert=given.alert, runbook=_build_text(_get_runbook(run, given.alert)))


def _get_runbook(run: Run, alert: str) -> Runbook:
    runbook = run.document.runbooks.get(alert)
    if runbook is None:
        near = difflib.get_close_matches(alert, run.document.runbooks, 5)
        raise Refused(f"no alert {alert[:100]!r}; {'did you mean ' + ', '.join(near) if near else 'see its spelling'}")
    return runbook


def _build_text(runbook: Runbook) -> RunbookText:
    return RunbookText(
        severity=runbook.severity, description=runbook.description, steps=list(runbook.steps), url=runbook.url
    )


# -- explanation -----------------------------------------------------------------------------------------------------


class ExplainArguments(Arguments):
    """Arguments of explain_alert."""

    alert: Name = Field(description="Name of an alert, whether it fires or not.")
    service: Name | None = Field(default=None, description="Only of this service.")


class Rule(Shape):
    """The rule of an alert."""

    group: str
    expr: str
    for_seconds: float
    state: str
    health: str
    last_error: str


class Present(Shape):
    """What the rule's expression compares, now: its value for each series, and the bound."""

    expr: str
    comparison: str
    values: list[dict[str, str]] = Field(description="Labels of each series, and its value under the key `value`.")


class ExplainAnswer(Answer):
    """The rule, what it sees now, where it is active, error lines of that service, and the runbook."""

    SHORTENED: ClassVar[tuple[str, ...]] = ("lines", "instances", "present", "rules")

    alert: str
    firing: int
    rules: list[Rule]
    present: list[Present]
    instances: list[ActiveAlert]
    lines_of: str = Field(default="", description="The service whose error lines follow.")
    lines: list[LogLine]
    runbook: RunbookText | None


async def explain_alert(run: Run, given: ExplainArguments) -> ExplainAnswer:
    """Everything that is known of an alert."""
    rules = await _list_rules(run, given)
    runbook = run.document.runbooks.get(given.alert)
    if not rules and runbook is None:
        _get_runbook(run, given.alert)
    active = [build_alert(run, item) for rule in rules for item in list_dicts(rule.get("alerts"))]
    active = [each for each in active if given.service in (None, each.service)]
    active.sort(key=lambda each: (each.state != "firing", each.since))
    answer = ExplainAnswer(
        alert=run.clean(given.alert),
        firing=sum(each.state == "firing" for each in active),
        rules=[_build_rule(run, rule) for rule in rules],
        present=[each for rule in rules if (each := await _read_present(run, str(rule.get("query", ""))))],
        instances=active[:INSTANCES],
        lines=[],
        runbook=_build_text(runbook) if runbook else None,
    )
    if len(active) > INSTANCES:
        answer.complete, answer.omitted = False, len(active) - INSTANCES
        answer.hint = "More instances: prometheus_alerts lists them."
    service = given.service or (active[0].service if active else "")
    if service and run.has("loki"):
        await _add_lines(run, answer, service)
    return answer


async def _list_rules(run: Run, given: ExplainArguments) -> list[dict[str, Any]]:
    """The rules of that name; only those about the service, where one is named and any rule is about it alone."""
    data = await run.sources.ask(Endpoint.RULES, {"type": "alert", "rule_name[]": given.alert})
    rules = [
        {**rule, "group": group.get("name", "")}
        for group in list_dicts(data.get("groups"))
        for rule in list_dicts(group.get("rules"))
        if rule.get("name") == given.alert
    ]
    if given.service is None:
        firing = [rule for rule in rules if rule.get("state") == "firing"]
        return firing or rules
    matcher = f'service="{escape_value(given.service)}"'
    return [rule for rule in rules if matcher in rule.get("query", "")] or rules


def _build_rule(run: Run, rule: dict[str, Any]) -> Rule:
    return Rule(
        group=run.clean(rule["group"]),
        expr=str(rule.get("query", ""))[:2000],
        for_seconds=float(rule.get("duration", 0)),
        state=run.clean(rule.get("state", "")),
        health=run.clean(rule.get("health", "")),
        last_error=run.clean(rule.get("lastError", "")),
    )


async def _read_present(run: Run, expr: str) -> Present | None:
    """What the left side of the rule's comparison gives now; None where it has no such part."""
    parts = split_comparison(expr)
    if parts is None:
        return None
    left, comparison = parts
    try:
        series = await run.ask_vector(left, INSTANCES)
    except SourceFailed:
        return None
    values = [{**run.clean_labels(labels), "value": format_sample(str(value))} for labels, value in series]
    return Present(expr=left, comparison=comparison, values=values[:INSTANCES])


_NUMBER = re.compile(r"(>=|<=|==|!=|>|<)\s*(?:bool\s+)?([-+]?[0-9.]+(?:e[-+]?[0-9]+)?)(?=\s|$|\))", re.IGNORECASE)
_SET = re.compile(r"\b(and|or|unless)\b", re.IGNORECASE)


def split_comparison(expr: str) -> tuple[str, str] | None:
    """What a rule compares, and with what: `("a / b", "> 0.05")` of `a / b > 0.05 unless c`; None where nothing is."""
    bare = blank_nested(expr)
    if match := _SET.search(bare):
        expr, bare = expr[: match.start()], bare[: match.start()]
    matches = list(_NUMBER.finditer(bare))
    if not matches:
        return None
    last = matches[-1]
    left = expr[: last.start()].strip()
    return (left, f"{last[1]} {last[2]}") if left else None


def blank_nested(expr: str) -> str:
    """The expression with spaces for what stands in quotes, parentheses, braces and brackets; as long as before."""
    shown, depth, quote, escaped = [], 0, "", False
    for character in expr:
        inside = bool(depth or quote)
        if quote:
            if character == quote and not escaped:
                quote = ""
            escaped = character == "\\" and not escaped
        elif character in "\"'`":
            quote, inside = character, True
        elif character in "({[":
            depth, inside = depth + 1, True
        elif character in ")}]":
            depth = max(0, depth - 1)
        shown.append(" " if inside else character)
    return "".join(shown)


async def _add_lines(run: Run, answer: ExplainAnswer, service: str) -> None:
    answer.lines_of = service
    query = f'{{service="{escape_value(service)}"}} {ERROR_FILTER}'
    try:
        answer.lines = await read_lines(run, query, run.now - BACK, run.now, LINES)
    except (Refused, SourceFailed) as error:
        answer.complete, answer.hint = False, f"{answer.hint} Without log lines: {error}".strip()


ALERT_TOOLS = (
    Tool(
        "runbook",
        "Show an alert's runbook",
        "What an alert means, and what to look at in which order.",
        RunbookArguments,
        RunbookAnswer,
        show_runbook,
        (),
    ),
    Tool(
        "explain_alert",
        "Explain an alert",
        "Of one alert: its rule, the value that it compares now, where it fires, the newest error lines of its"
        " service, and its runbook.",
        ExplainArguments,
        ExplainAnswer,
        explain_alert,
    ),
)
