"""Serving until the end: over HTTP, or one client over standard input and output."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from pathlib import Path
from typing import TextIO

from mcp.server.stdio import stdio_server

from mcp_server import metrics
from mcp_server.audit import direct_audit
from mcp_server.document import DocumentFile
from mcp_server.listen import Listen
from mcp_server.service import LOCAL, ToolService, build_server
from mcp_server.sources import Sources
from mcp_server.tools import TOOLS
from mcp_server.web import serving


async def serve_http(file: DocumentFile, listen: Listen) -> None:
    """Serve over HTTP until the process is to end."""
    _count_tools()
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    async with serving(file, listen):
        await ended.wait()


async def serve_stdio(file: DocumentFile, audit: Path | None) -> None:
    """Serve one client over standard input and output until it closes them."""
    _count_tools()
    direct_audit(open_audit(audit))
    async with Sources(file.get) as sources:
        server = build_server(ToolService(file.get, sources), lambda context: LOCAL)
        async with stdio_server() as (reading, writing):
            await server.run(reading, writing, server.create_initialization_options())


def open_audit(path: Path | None) -> TextIO:
    """Where audit lines go while the standard output is the protocol's: a container's log by its first process."""
    if path is not None:
        with contextlib.suppress(OSError):
            return path.open("a", encoding="utf-8")  # for the life of the process
    return sys.stderr


def _count_tools() -> None:
    """Every tool's counter is there before its first call."""
    metrics.init_series(tuple(tool.name for tool in TOOLS))
