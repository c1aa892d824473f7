"""Metrics, log lines and spans of a service with FastAPI: copy this file, service.py shows how it is used.

A request is one line, one span and one sample of each metric, with the same path: the route's template, never the path
itself, as each path is a time series of its own.
"""

from __future__ import annotations

import logging
import os
import socket
import sys
import time
from types import TracebackType
from typing import Any

import structlog
from fastapi import Response
from fastapi.responses import JSONResponse
from fastapi.telemetry import TelemetryConfig
from opentelemetry import propagate, trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4, Counter, Gauge, Histogram, disable_created_metrics
from prometheus_client import generate_latest as render_metrics
from starlette.types import ASGIApp, Message, Receive, Scope, Send

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
"""Anybody can send a method of their own; those beyond these are one value."""
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 2.5, 5.0, 10.0)
"""Seconds. An alert or an objective needs a bound at its threshold."""
UNWATCHED = frozenset({"/metrics", "/livez", "/readyz", "/health"})
"""Paths that are neither work of the service nor failures of it."""
SEND_SECONDS = 2
"""Who stores spans may be away, and that must not hold up the end."""

# -- log lines ---------------------------------------------------------------------------------------------------------


def add_ids(_: Any, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """The ids of the span that a line is written in, which lead to its trace."""
    span = trace.get_current_span().get_span_context()
    if span.is_valid:
        event["trace_id"], event["span_id"] = f"{span.trace_id:032x}", f"{span.span_id:016x}"
    return event


def configure_logs() -> None:
    """One JSON object a line, also of what libraries log: a stack trace is the field `exception` of its line."""
    common: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", key="time"),
        add_ids,
        structlog.processors.format_exc_info,
        structlog.processors.EventRenamer("msg"),
    ]
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=common,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    logging.getLogger("httpx").setLevel(logging.WARNING)  # it has a line for each call, as spans have
    structlog.configure(
        processors=[*common, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    sys.excepthook = log_uncaught  # Python itself would write it as many lines


def log_uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """What ends the process is a line as well."""
    log.critical("uncaught exception", exc_info=(kind, error, trace))


log: structlog.stdlib.BoundLogger = structlog.get_logger()

# -- spans -------------------------------------------------------------------------------------------------------------

tracer = trace.get_tracer("orders")


def configure_spans() -> TracerProvider:
    """Spans go to OTEL_EXPORTER_OTLP_ENDPOINT. Without one nothing is sent, and log lines have ids all the same.

    OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES name the service otherwise. The SDK's own instance id is another one
    with each start.
    """
    named = Resource({"service.name": "orders", "service.instance.id": socket.gethostname()})
    resource = named.merge(OTELResourceDetector().detect())
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)  # whoever gets it does that, and once
    if os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT"):
        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(timeout=SEND_SECONDS)))
    trace.set_tracer_provider(provider)
    return provider


def is_unwatched(scope: Scope) -> bool:
    """Whether a request is none of those that are watched."""
    return scope["type"] == "http" and scope["path"] in UNWATCHED


SPANS: TelemetryConfig = {"exclude": is_unwatched, "operation_spans": False}
"""For FastAPI(telemetry=SPANS), which begins and names the span of each request."""


def build_trace_headers() -> dict[str, str]:
    """What a call of another service sends along, so that its spans continue the trace."""
    headers: dict[str, str] = {}
    propagate.inject(headers)
    return headers


# -- metrics -----------------------------------------------------------------------------------------------------------

disable_created_metrics()  # type: ignore[no-untyped-call]  # when a counter began would be one more series for each
REQUESTS = Counter("http_requests_total", "Requests by method, path and status.", ["method", "path", "status"])
DURATION = Histogram(
    "http_request_duration_seconds", "How long requests take.", ["method", "path"], buckets=BUCKETS
)  # of the process and of Python there are metrics without a line here
IN_FLIGHT = Gauge("http_requests_in_flight", "Requests that are being answered.")


def show_metrics() -> Response:
    """The metrics in Prometheus' text format, whatever the request accepts: other formats have other names for some."""
    return Response(render_metrics(), media_type=CONTENT_TYPE_PLAIN_0_0_4)


# -- requests ----------------------------------------------------------------------------------------------------------


class WatchRequests:
    """Middleware that counts each request, times it and writes its line. What is raised is answered with 500."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request: https://asgi.readthedocs.io/en/latest/specs/main.html#applications."""
        if scope["type"] != "http" or is_unwatched(scope):
            await self.app(scope, receive, send)
            return
        began, status, error = time.perf_counter(), 0, None

        async def note_status(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        with IN_FLIGHT.track_inprogress():
            try:
                await self.app(scope, receive, note_status)
            except Exception as raised:
                error = raised
                trace.get_current_span().record_exception(error)
                if not status:  # else half an answer is out; the server sees that it has no end
                    await JSONResponse({"error": "internal error"}, 500)(scope, receive, send)
        record_request(scope, 500 if error or not status else status, time.perf_counter() - began, error)


def record_request(scope: Scope, status: int, seconds: float, error: Exception | None) -> None:
    """A request that was answered: in the metrics, and as a line."""
    method = scope["method"] if scope["method"] in METHODS else "OTHER"
    path = find_path(scope)
    REQUESTS.labels(method, path, str(status)).inc()
    DURATION.labels(method, path).observe(seconds)
    fields = {"method": method, "path": path, "url": scope["path"], "status": status}
    fields["duration_ms"] = round(seconds * 1000)
    if status >= 500:
        log.error("request failed", exc_info=error, **fields)
    else:
        log.info("request served", **fields)


def find_path(scope: Scope) -> str:
    """The template of the route that a request took, or `unknown`.

    FastAPI has the whole one where it makes spans; that of the route alone lacks what its routers begin with.
    """
    whole = getattr(scope.get("fastapi.telemetry"), "route", None)
    return str(whole or getattr(scope.get("route"), "path", "unknown"))
