"""The protocol's own inspector, from npm, as a client of the MCP server: it lists the tools and calls one."""

from __future__ import annotations

import asyncio
import json
import subprocess
from pathlib import Path
from typing import Any

from tests.support.agents import TOKEN, Served, faking, serving_document
from toolchain.context import build_default_context
from toolchain.npm import NODE, PROGRAM, NpmPackages

INSPECTOR = NpmPackages("inspector")
COMMAND = "node_modules/@modelcontextprotocol/inspector"


async def inspect(served: Served, token: str, *words: str) -> subprocess.CompletedProcess[str]:
    """What the inspector's command line says of a request, beside the server that runs in this process."""
    context = build_default_context()
    packages, node = INSPECTOR.ensure(context), NODE.ensure(context) / PROGRAM
    entry = json.loads((packages / COMMAND / "package.json").read_text())["bin"]
    program = packages / COMMAND / next(iter(entry.values()))
    heads = ["--transport", "http", "--header", f"Authorization: Bearer {token}"]
    command = [str(node), str(program), "--cli", served.url, *heads, *words]
    return await asyncio.to_thread(
        subprocess.run, command, capture_output=True, text=True, timeout=120, check=False, cwd=packages
    )


def test_the_inspector_lists_and_calls(tmp_path: Path) -> None:
    """Every tool with its schema and annotations, and an answer that is data; a wrong token is refused in words."""
    with faking() as fake:
        fake.vectors["up"] = [({"job": "api"}, 1)]
        document = {"sources": {"prometheus": fake.address}, "resource": "https://m.example/mcp"}

        async def run() -> None:
            async with serving_document(tmp_path, document) as served:
                listed = await inspect(served, TOKEN, "--method", "tools/list")
                tools: list[dict[str, Any]] = json.loads(listed.stdout)["tools"]
                assert {"prometheus_query", "service_health"} <= {tool["name"] for tool in tools}
                assert all(tool["annotations"]["readOnlyHint"] and tool["outputSchema"] for tool in tools)
                words = ("--method", "tools/call", "--tool-name", "prometheus_query", "--tool-arg", "query=up")
                called = json.loads((await inspect(served, TOKEN, *words)).stdout)
                assert called["structuredContent"]["series"][0]["labels"] == {"job": "api"}
                refused = await inspect(served, "wrong", "--method", "tools/list")
                assert refused.returncode != 0 and "auth_required" in refused.stderr

        asyncio.run(run())
