#!/usr/bin/env bash
# The Kubernetes Python client 36.0.3 ends in an AttributeError where an API server refuses a port-forward or an exec.
#
# Expected, as its other calls do: an ApiException with the server's status and message, such as 404 `pods "loki-0" not found`
# (a Status object, https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/status/).
# Seen for 403, 404 and 500 alike, beside the same refusal of a plain read: `AttributeError: 'NoneType' object has no
# attribute 'decode'`. 35.0.0 raised an ApiException, with the status 0 in place of the server's.
# For users: a program that waits for a pod to be there, and catches ApiException, ends in a traceback since 36; one that tells
# 404 (wait) from 403 (give up) could do so with neither version.
# Needs PyPI and a loopback port; nothing is installed.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
cat >refused.py <<'PYTHON'
import http.server, json, threading
from importlib.metadata import version

from kubernetes import client
from kubernetes.stream import portforward, stream


class Refusing(http.server.BaseHTTPRequestHandler):
    status = 404

    def do_GET(self):
        body = json.dumps({"kind": "Status", "code": self.status, "message": 'pods "loki-0" not found'}).encode()
        self.send_response(self.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Refusing)
threading.Thread(target=server.serve_forever, daemon=True).start()
api = client.CoreV1Api(client.ApiClient(client.Configuration(host=f"http://127.0.0.1:{server.server_port}")))


def refuse(call):
    try:
        call()
    except Exception as error:
        return type(error).__name__, getattr(error, "status", None), str(error).splitlines()[0]
    return "no error", None, ""


installed = version("kubernetes")
for Refusing.status in (403, 404, 500):
    read = refuse(lambda: api.read_namespaced_pod("loki-0", "logs"))
    assert read[1] == Refusing.status, read
    for name, call in {
        "portforward": lambda: portforward(api.connect_get_namespaced_pod_portforward, "loki-0", "logs", ports="3100"),
        "exec": lambda: stream(api.connect_get_namespaced_pod_exec, "loki-0", "logs", command="true", stdout=True),
    }.items():
        seen = refuse(call)
        print(f"kubernetes {installed}: {Refusing.status} to {name}: {seen[0]}: {seen[2]} (to a read: {read[0]})")
        assert seen[:2] == (("ApiException", 0) if installed == "35.0.0" else ("AttributeError", None)), seen
PYTHON
for version in 35.0.0 36.0.3; do
    venv/bin/pip install --quiet --disable-pip-version-check "kubernetes==$version" websocket-client==1.9.0
    venv/bin/python refused.py
done
