"""The list of tools, and how calls end."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from mcp_server import metrics
from mcp_server.answers import Answer
from mcp_server.arguments import Arguments
from mcp_server.run import Run
from mcp_server.service import ToolService, build_tool, list_served
from mcp_server.sources import Sources
from mcp_server.tools import TOOLS, Tool
from tests.support.agents import build_document, call, faking

NAMES = """
prometheus_query prometheus_query_range prometheus_series prometheus_labels prometheus_targets prometheus_alerts
service_health error_analysis latency_analysis loki_query trace slo_status runbook explain_alert capacity
"""


def test_all_tools_are_there() -> None:
    """The names that agents know, each once."""
    assert [tool.name for tool in TOOLS] == NAMES.split()


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.name)
def test_a_tool_is_described_in_full(tool: Tool) -> None:
    """Schemas of both sides, a description for every argument, and all four annotations, which say: it only reads."""
    listed = build_tool(tool)
    assert listed.annotations and listed.output_schema and listed.description and listed.title
    hints = listed.annotations
    assert hints.read_only_hint is True and hints.destructive_hint is False and hints.idempotent_hint is True
    assert hints.open_world_hint is not None
    for schema in (listed.input_schema, listed.output_schema):
        Draft202012Validator.check_schema(schema)
        assert schema["type"] == "object" and schema["additionalProperties"] is False
    assert {"complete", "notice", "hint", "omitted"} <= set(listed.output_schema["properties"])
    for name, field in listed.input_schema.get("properties", {}).items():
        assert name in ("start", "end", "time", "health", "state") or field.get("description"), name


def test_the_list_is_short_enough() -> None:
    """All tools together take a small part of what a model can read."""
    text = json.dumps([build_tool(tool).model_dump(mode="json", exclude_none=True) for tool in TOOLS])
    assert len(text) < 40_000


def test_what_a_stack_has_not_is_not_offered() -> None:
    """Without Loki and Jaeger their tools are neither listed nor called."""
    with faking() as fake:
        document = build_document(fake).model_copy(update={"sources": {"prometheus": fake.address}})
        names = {tool.name for tool in list_served(document)}
        assert {"loki_query", "trace"} == {tool.name for tool in TOOLS} - names
        answered = call(document, "trace", trace_id="0" * 16)
        assert answered.result == "refused" and answered.text.startswith("no tool 'trace'; the tools are: prometheus_")


def test_an_unknown_tool_is_counted_as_one() -> None:
    """Names that callers invent make no new series."""
    with faking() as fake:
        before = metrics.CALLS.labels("unknown", "refused")._value.get()
        assert call(build_document(fake), "invented-by-somebody").result == "refused"
        assert metrics.CALLS.labels("unknown", "refused")._value.get() == before + 1


def run_tool(tool: Tool, monkeypatch: pytest.MonkeyPatch, times: int = 1, **more: Any) -> list[str]:
    """The texts of so many calls at once of a tool that is the only one."""
    monkeypatch.setattr("mcp_server.service.TOOLS", (tool,))
    with faking() as fake:
        document = build_document(fake, **more)

        async def run() -> list[str]:
            async with Sources(lambda: document) as sources:
                service = ToolService(lambda: document, sources)
                async with asyncio.timeout(4):  # of the test: a call's own limit is far below it
                    every = await asyncio.gather(*(service.call("test", "t", {}) for _ in range(times)))
                return [each.text for each in every]

        return asyncio.run(run())


def build_probe(call: Any) -> Tool:
    """A tool without arguments."""
    return Tool("t", "T", "", Arguments, Answer, call)


def test_a_call_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """A source that does not answer ends the call at its time limit."""

    async def wait(run: Run, given: Arguments) -> Answer:
        await asyncio.Event().wait()
        raise AssertionError

    (text,) = run_tool(build_probe(wait), monkeypatch, bounds={"seconds": 0.05})
    assert text.startswith("no answer within 0.05 s")


def test_so_many_calls_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Further ones are refused at once rather than queued."""

    async def wait(run: Run, given: Arguments) -> Answer:
        await asyncio.Event().wait()
        raise AssertionError

    texts = run_tool(build_probe(wait), monkeypatch, 5, bounds={"seconds": 0.05}, parallel_calls=2)
    assert sum(text.startswith("2 calls are being answered") for text in texts) == 3


def test_a_defect_says_nothing_of_its_inside(monkeypatch: pytest.MonkeyPatch) -> None:
    """An exception's text may hold anything: it stands in the log alone."""

    async def fail(run: Run, given: Arguments) -> Answer:
        raise RuntimeError("hunter2")

    (text,) = run_tool(build_probe(fail), monkeypatch)
    assert text == "the server has a defect in this tool; its log says more"
