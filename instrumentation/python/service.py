"""Orders, as an example of a service that is watched: it asks another service, where STOCK_URL names one."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import uvicorn
from fastapi import FastAPI, Response
from opentelemetry.trace import SpanKind

from telemetry import (
    SPANS,
    WatchRequests,
    build_trace_headers,
    configure_logs,
    configure_spans,
    show_metrics,
    tracer,
)

PORT = int(os.environ.get("PORT", "8000"))
STOCK_URL = os.environ.get("STOCK_URL", "")
DRAIN_SECONDS = float(os.environ.get("DRAIN_SECONDS", "3"))
"""In which whoever sends requests learns that it is not ready. With the rest less than a stop's usual 10 seconds."""
FINISH_SECONDS = 4
TIMEOUT_SECONDS = 5.0

configure_logs()
spans = configure_spans()
calls = httpx.AsyncClient(timeout=TIMEOUT_SECONDS)


@asynccontextmanager
async def run(_: FastAPI) -> AsyncIterator[None]:
    """What there is to do before the first request and after the last one."""
    yield
    await calls.aclose()
    await asyncio.to_thread(spans.shutdown)


app = FastAPI(lifespan=run, telemetry=SPANS)
app.add_middleware(WatchRequests)
app.state.stopping = False

# -- metrics and health ------------------------------------------------------------------------------------------------

app.get("/metrics")(show_metrics)


@app.get("/livez")
async def check_alive() -> dict[str, str]:
    """Whether to restart it: it calls no dependency, as a restart helps none."""
    return {"status": "ok"}


@app.get("/readyz")
async def check_ready(response: Response) -> dict[str, bool]:
    """Whether to send requests to it."""
    response.status_code = 503 if app.state.stopping else 200
    return {"ready": not app.state.stopping}


@app.get("/health")
async def check_health(response: Response) -> dict[str, Any]:
    """What is wrong, for people and their alerts."""
    checks = {"stock": await check_stock()}
    healthy = all(said == "ok" for said in checks.values())
    response.status_code = 200 if healthy else 503
    return {"status": "ok" if healthy else "failing", "checks": checks}


async def check_stock() -> str:
    """Whether the other service answers at all; what it answers to orders is seen in their metrics."""
    if not STOCK_URL:
        return "ok"
    try:
        answer = await calls.get(f"{STOCK_URL}/livez", timeout=2)
    except httpx.HTTPError as error:
        return str(error) or type(error).__name__
    return "ok" if answer.status_code < 500 else f"status {answer.status_code}"


# -- what it is for ----------------------------------------------------------------------------------------------------


@app.get("/orders/{number}")
async def show_order(number: int) -> dict[str, Any]:
    """An order, and what is in stock for it."""
    return {"number": number, "stock": await read_stock(number) if STOCK_URL else None}


async def read_stock(number: int) -> Any:
    """What is in stock for an order.

    Raises:
        httpx.HTTPError: the other service failed, or took too long.
    """
    url = f"{STOCK_URL}/orders/{number}"
    attributes = {"http.request.method": "GET", "url.full": url}
    with tracer.start_as_current_span("GET", kind=SpanKind.CLIENT, attributes=attributes):
        answer = await calls.get(url, headers=build_trace_headers())
        answer.raise_for_status()
        return answer.json()


# -- start and stop ----------------------------------------------------------------------------------------------------


class Server(uvicorn.Server):
    """First not ready, then no new requests, then those that are there answered, then their spans sent."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """What uvicorn does after a signal; up to here it goes on as before."""
        app.state.stopping = True
        await asyncio.sleep(DRAIN_SECONDS)
        await super().shutdown(sockets)


if __name__ == "__main__":
    # uvicorn sends itself the signal again when all is done; by then it is no failure
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    Server(
        uvicorn.Config(
            app,
            host="0.0.0.0",  # noqa: S104 - in a container
            port=PORT,
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=FINISH_SECONDS,
        )
    ).run()
