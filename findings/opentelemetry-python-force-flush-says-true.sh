#!/usr/bin/env bash
# OpenTelemetry's SDK for Python (opentelemetry-sdk 1.45.2 with the OTLP/HTTP exporter of that version): force_flush(1000)
# takes several seconds where the store answers 503, and then says True although no span was delivered.
#
# Expected: `timeout_millis` is "the maximum amount of time to wait for spans to be processed", and the answer is false if
# that is exceeded (https://opentelemetry-python.readthedocs.io/en/latest/sdk/trace.html, `TracerProvider.force_flush`).
# Seen: the batch processor exports in the calling thread and lets the exporter try again and again; the time is not looked
# at, and that the export failed neither.
# For users: a service that flushes its spans when it is stopped stays longer than it has asked for, beyond the grace period
# of its platform where the exporter's own timeout (10 s) and the rest add up, and is killed; and the answer says that all
# is well. instrumentation/python gives its exporter two seconds.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check \
    opentelemetry-sdk==1.45.2 opentelemetry-exporter-otlp-proto-http==1.45.2

cat >flush.py <<'PYTHON'
import http.server
import logging
import threading
import time

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

logging.disable(logging.CRITICAL)
refused = []


class Away(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        refused.append(time.monotonic())
        self.send_response(503)
        self.end_headers()

    def log_message(self, *words):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Away)
threading.Thread(target=server.serve_forever, daemon=True).start()
provider = TracerProvider()
address = f"http://127.0.0.1:{server.server_port}/v1/traces"
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(address)))
provider.get_tracer("stop").start_span("last").end()
began = time.monotonic()
said = provider.force_flush(1000)
seconds = time.monotonic() - began
assert len(refused) > 1, "changed: it is tried once"
assert seconds > 2, f"changed: force_flush(1000) took {seconds:.1f} s"
assert said is True, f"changed: force_flush says {said}"
print(f"as stated: force_flush(1000) took {seconds:.1f} s, {len(refused)} requests were refused, and it says {said}")
PYTHON
venv/bin/python flush.py
