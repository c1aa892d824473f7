"""Starts the server: `python -m mcp_server http --document FILE`, or `stdio` for a client on the same machine."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import signal
import sys
from pathlib import Path
from typing import TextIO

from mcp.server.stdio import stdio_server

from mcp_server import VERSION, metrics
from mcp_server.audit import direct_audit
from mcp_server.document import DocumentFile
from mcp_server.service import LOCAL, ToolService, build_server
from mcp_server.sources import Sources
from mcp_server.tools import TOOLS
from mcp_server.web import Listen, serving


def parse_options(given: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="mcp_server", description=__doc__)
    parser.add_argument("--version", action="version", version=VERSION)
    parser.add_argument("transport", choices=("http", "stdio", "check"), help="check reads the document and ends")
    parser.add_argument("--document", type=Path, required=True, help="the JSON document that says what is served")
    parser.add_argument("--host", default=Listen.host, help="address to listen on")
    parser.add_argument("--port", type=int, default=Listen.port, help="port for clients")
    parser.add_argument("--metrics-port", type=int, default=Listen.metrics_port, help="port for health and metrics")
    parser.add_argument("--audit", type=Path, help="where audit lines of stdio go; the standard error when absent")
    return parser.parse_args(given)


async def serve_http(file: DocumentFile, listen: Listen) -> None:
    """Serve over HTTP until the process is to end."""
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    async with serving(file, listen):
        await ended.wait()


async def serve_stdio(file: DocumentFile, audit: Path | None) -> None:
    """Serve one client over standard input and output until it closes them."""
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


def main(given: list[str] | None = None) -> int:
    """Run the command line; gives the exit code, 2 where the document is wrong."""
    options = parse_options(given)
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format='level=%(levelname)s msg="%(message)s"')
    try:
        file = DocumentFile(options.document)
    except (OSError, ValueError) as error:
        print(f"{options.document}: {error}", file=sys.stderr)
        return 2
    if options.transport == "check":
        return 0
    metrics.init_series(tuple(tool.name for tool in TOOLS))
    if options.transport == "stdio":
        asyncio.run(serve_stdio(file, options.audit))
    else:
        asyncio.run(serve_http(file, Listen(options.host, options.port, options.metrics_port)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
