"""A service as people write them with FastAPI, prometheus-fastapi-instrumentator and structlog, by their defaults."""

from __future__ import annotations

import asyncio
import os
import random
from typing import Any

import structlog
import uvicorn
from fastapi import FastAPI, Request, Response
from prometheus_fastapi_instrumentator import Instrumentator

structlog.configure(
    processors=[
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso"),
        structlog.processors.format_exc_info,
        structlog.processors.JSONRenderer(),
    ]
)
log = structlog.get_logger()
app = FastAPI()
mode = {"fail": 0.0, "delay": 0.0}
"""The share of requests that fail, and seconds that each takes."""


@app.get("/orders/{number}")
async def show_order(number: int, request: Request, response: Response) -> dict[str, Any]:
    """An order, or what goes wrong with it."""
    await asyncio.sleep(mode["delay"])
    trace = request.headers.get("X-Trace-Id", "")
    if random.random() < mode["fail"]:
        try:
            raise LookupError(f"no order {number}")
        except LookupError:
            log.exception("order failed", trace_id=trace)
        response.status_code = 500
        return {}
    log.info("order served", trace_id=trace, number=number)
    return {"number": number}


@app.get("/healthz")
async def check_health() -> dict[str, str]:
    """That it is there."""
    return {"status": "ok"}


@app.post("/-/mode")
async def change_mode(wanted: dict[str, float]) -> dict[str, float]:
    """From now on it fails like this."""
    mode.update(wanted)
    return mode


Instrumentator(excluded_handlers=["/-/mode", "/metrics"]).instrument(app).expose(app)
uvicorn.run(app, host="0.0.0.0", port=int(os.environ["PORT"]), log_config=None)  # noqa: S104 - in a container
