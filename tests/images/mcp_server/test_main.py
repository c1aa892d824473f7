"""The command line, and the server over stdio."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from mcp import Client
from mcp.client.stdio import StdioServerParameters, stdio_client

from tests.support.agents import faking
from tests.support.systems import ROOT

MODULE = ("-m", "mcp_server")
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT / "images" / "mcp")}


@pytest.mark.exhaustive  # a process of its own
def test_a_client_over_stdio(tmp_path: Path) -> None:
    """The SDK's client starts the process, lists and calls tools; the audit line goes to the standard error."""
    file, errors = tmp_path / "stack.json", tmp_path / "errors"
    with faking() as fake, errors.open("w") as stream:
        fake.vectors["up"] = [({"job": "api"}, 1)]
        file.write_text(json.dumps({"stack": "test", "sources": {"prometheus": fake.address}}))
        server = StdioServerParameters(
            command=sys.executable, args=[*MODULE, "stdio", "--document", str(file)], env=ENVIRONMENT
        )

        async def run() -> None:
            async with Client(stdio_client(server, errlog=stream)) as client:
                assert len((await client.list_tools()).tools) == 13
                result = await client.call_tool("prometheus_query", {"query": "up"})
                assert result.structured_content["series"][0]["labels"] == {"job": "api"}

        asyncio.run(run())
    line = json.loads(errors.read_text().splitlines()[-1])
    assert line["who"] == "stdio" and line["tool"] == "prometheus_query" and line["result"] == "answered"


def run_main(*given: str) -> subprocess.CompletedProcess[str]:
    """The command line with arguments, to its end."""
    return subprocess.run(
        [sys.executable, *MODULE, *given], env=ENVIRONMENT, capture_output=True, text=True, timeout=60, check=False
    )


def test_a_wrong_document_is_refused(tmp_path: Path) -> None:
    """The check that a delivery makes: exit code 2, and every problem in words."""
    file = tmp_path / "stack.json"
    file.write_text('{"stack": "a", "sevices": {}}')
    ended = run_main("check", "--document", str(file))
    assert ended.returncode == 2 and "sevices: Extra inputs are not permitted" in ended.stderr
    file.write_text('{"stack": "a"}')
    assert run_main("check", "--document", str(file)).returncode == 0
    assert run_main("http", "--document", str(tmp_path / "none")).returncode == 2
