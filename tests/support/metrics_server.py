"""A program that serves metrics as some do: by TLS, behind a login, with a query, of an odd type.

`python metrics_server.py ADDRESS SPEC...`, each SPEC being JSON: `port`, and of these what is wanted: `certificate`
(a file with a key and its certificates), `authorization`, `query`, `headers`, `type` (the content type; null for none),
`body`, and `escaped`, the body for who asks for names with underscores.
"""

from __future__ import annotations

import http.server
import json
import ssl
import sys
import threading
from typing import Any
from urllib.parse import urlsplit

BODY = "# TYPE http_requests_total counter\nhttp_requests_total 7\n"


def build_handler(spec: dict[str, Any]) -> type[http.server.BaseHTTPRequestHandler]:
    """Who answers by a spec: 401 without the login, 400 without the query or a header, else the metrics."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if spec.get("authorization") not in (None, self.headers["Authorization"]):
                return self.send_error(401)
            wanted = spec.get("headers", {}).items()
            if urlsplit(self.path).query != spec.get("query", "") or any(self.headers[k] != v for k, v in wanted):
                return self.send_error(400)
            escaped = "escaping=underscores" in (self.headers["Accept"] or "")
            body = spec["escaped"] if escaped and "escaped" in spec else spec.get("body", BODY)
            self.send_response(200)
            if kind := spec.get("type", "text/plain; version=0.0.4"):
                self.send_header("Content-Type", kind)
            self.end_headers()
            self.wfile.write(body.encode())
            return None

        def log_message(self, *_: object) -> None:
            pass

    return Handler


def serve(address: str, spec: dict[str, Any]) -> None:
    """Serves one spec until the process ends."""
    server = http.server.ThreadingHTTPServer((address, spec["port"]), build_handler(spec))
    if "certificate" in spec:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(spec["certificate"])
        server.socket = context.wrap_socket(server.socket, server_side=True)
    server.serve_forever()


if __name__ == "__main__":
    for text in sys.argv[2:]:
        threading.Thread(target=serve, args=(sys.argv[1], json.loads(text))).start()
