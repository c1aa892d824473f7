"""A worker as people write them with prometheus_client and python-json-logger: no requests, a queue.

Its metrics may be behind a login and TLS: LOGIN is a whole Authorization header, CERTIFICATE a file with a key and its
certificates, CONTENT_TYPE the type that it says.
"""

from __future__ import annotations

import json
import logging
import os
import random
import ssl
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any
from wsgiref.simple_server import make_server

from prometheus_client import Counter, Gauge, Histogram, make_wsgi_app
from pythonjsonlogger.json import JsonFormatter

JOBS = Counter("jobs_processed", "Jobs that are done.", ["queue", "status"])
DURATION = Histogram("job_duration_seconds", "How long a job takes.", ["queue"])
WAITING = Gauge("queue_depth", "Jobs that wait.", ["queue"])
mode = {"fail": 0.0, "delay": 0.0}
"""The share of jobs that fail, and seconds that each takes."""

handler = logging.StreamHandler()
handler.setFormatter(JsonFormatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
logging.basicConfig(level=logging.INFO, handlers=[handler])
log = logging.getLogger("worker")


def work() -> None:
    """Does jobs for ever, some a second."""
    while True:
        began = time.monotonic()
        time.sleep(0.1 + mode["delay"])
        trace = f"{random.getrandbits(128):032x}"
        bad = random.random() < mode["fail"]
        if bad:
            log.error("job failed", extra={"trace_id": trace})
        else:
            log.info("job done", extra={"trace_id": trace})
        JOBS.labels("mail", "failed" if bad else "done").inc()
        DURATION.labels("mail").observe(time.monotonic() - began)
        WAITING.labels("mail").set(random.randint(0, 5))


metrics = make_wsgi_app()
Start = Callable[..., Any]


def serve(environ: dict[str, Any], start: Start) -> Iterable[bytes]:
    """Metrics for who may see them, health for all, and the mode."""
    if environ["PATH_INFO"] == "/-/mode":
        mode.update(json.loads(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))))
    elif environ["PATH_INFO"] == "/metrics":
        if os.environ.get("LOGIN") not in (None, environ.get("HTTP_AUTHORIZATION")):
            start("401 Unauthorized", [("WWW-Authenticate", "Basic")])
            return [b"who are you?"]
        if kind := os.environ.get("CONTENT_TYPE"):

            def start_as(status: str, headers: list[tuple[str, str]]) -> Any:
                others = [(name, value) for name, value in headers if name != "Content-Type"]
                return start(status, [*others, ("Content-Type", kind)])

            return metrics({**environ, "HTTP_ACCEPT": "text/plain"}, start_as)
        return metrics(environ, start)
    start("200 OK", [("Content-Type", "text/plain")])
    return [b"ok"]


threading.Thread(target=work, daemon=True).start()
server = make_server("0.0.0.0", int(os.environ["PORT"]), serve)  # noqa: S104 - in a container
if certificate := os.environ.get("CERTIFICATE"):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
