"""Starts the server: `python -m mcp_server http --document FILE`, or `stdio` for a client on the same machine."""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
from pathlib import Path

from mcp_server import VERSION
from mcp_server.document import DocumentFile
from mcp_server.listen import Listen


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
    from mcp_server.serve import serve_http, serve_stdio  # noqa: PLC0415 - each delivery checks, which needs no SDK

    if options.transport == "stdio":
        asyncio.run(serve_stdio(file, options.audit))
    else:
        asyncio.run(serve_http(file, Listen(options.host, options.port, options.metrics_port)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
