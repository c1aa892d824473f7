"""The real Prometheus and Alertmanager with the documents of a plan, on loopback, between a fake exporter and receiver.

Everything that is scraped is asked through one proxy, which is the exporter: targets, labels and relabelling stay as
they are planned. What a cluster would tell of pods and nodes is written down instead.
"""

from __future__ import annotations

import json
import os
import re
import socket
import ssl
import subprocess
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from model.plan import Plan
from tests.support.planned import workload
from tests.support.waiting import eventually
from tests.support.yaml_files import read_yaml, write_yaml
from toolchain import validators
from toolchain.context import build_default_context

Page = Callable[[str, str], str | None]
"""What a target (host:port) exposes; of a probe, what is said of the address given second. None: no answer."""
RECEIVER = "http://receiver:1"
"""Where plans of tests send notifications; on this machine it is some port of loopback."""
RANGE, OFFSET = "15s", "5s"
"""Every range and offset of the rules, so that hours of history are not needed."""


@contextmanager
def served(handler: type[BaseHTTPRequestHandler], port: int = 0, *, tls: ssl.SSLContext | None = None) -> Iterator[int]:
    """An HTTP server on loopback; yields its port, which is any free one unless it is given."""
    server = ThreadingHTTPServer(("127.0.0.1", port), handler)
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()


class Quiet(BaseHTTPRequestHandler):
    """Says nothing about requests."""

    disable_nagle_algorithm = True  # else each answer waits for an acknowledgement

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing."""

    def answer(self, status: int, text: str = "") -> None:
        """An answer in Prometheus' text format."""
        self.send_response(status)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.end_headers()
        self.wfile.write(text.encode())


def exporter(page: Page) -> type[BaseHTTPRequestHandler]:
    """A proxy that answers in the place of whoever is asked."""

    class Exporter(Quiet):
        def do_GET(self) -> None:
            asked = urllib.parse.urlsplit(self.path)
            text = page(asked.netloc, urllib.parse.parse_qs(asked.query).get("target", [""])[0])
            self.answer(503 if text is None else 200, text or "")

    return Exporter


class Incidents:
    """What receivers know: incidents of each alert (webhook) and of each group (PagerDuty), open or closed."""

    def __init__(self) -> None:
        self.alerts: dict[str, dict[str, Any]] = {}
        self.groups: dict[str, str] = {}
        self.told: list[tuple[str, dict[str, str]]] = []
        """Every notification about an alert, as status and labels, when it was new."""
        self.beats = 0
        """How often the dead man's switch was called."""

    def webhook(self, body: dict[str, Any]) -> None:
        """A call by Alertmanager's own format."""
        for alert in body["alerts"]:
            before = self.alerts.get(alert["fingerprint"], {}).get("status")
            if before != alert["status"]:
                self.told.append((alert["status"], alert["labels"]))
            self.alerts[alert["fingerprint"]] = alert

    def pagerduty(self, body: dict[str, Any]) -> None:
        """An event as https://developer.pagerduty.com/docs/events-api-v2/trigger-events/ has it."""
        self.groups[body["dedup_key"]] = body["event_action"]

    def open(self, name: str, labels: Mapping[str, str]) -> bool:
        """Whether an incident of that alert with these labels is open."""
        return any(
            alert["status"] == "firing"
            and alert["labels"]["alertname"] == name
            and labels.items() <= alert["labels"].items()
            for alert in list(self.alerts.values())
        )

    def left(self) -> list[str]:
        """Alerts with an open incident."""
        return sorted(a["labels"]["alertname"] for a in list(self.alerts.values()) if a["status"] == "firing")

    def left_groups(self) -> int:
        """How many incidents of groups are open."""
        return sum(action == "trigger" for action in list(self.groups.values()))

    def handler(self) -> type[BaseHTTPRequestHandler]:
        """The receiver: /webhook, /v2/enqueue as PagerDuty has it, and /switch."""
        incidents = self

        class Receiver(Quiet):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if self.path == "/webhook":
                    incidents.webhook(body)
                elif self.path == "/switch":
                    incidents.beats += 1
                else:
                    incidents.pagerduty(body)
                self.answer(202 if "enqueue" in self.path else 200, "{}")

        return Receiver


# -- documents -------------------------------------------------------------------------------------------------------


def short(rule_file: Any) -> Any:
    """Rules that look back for seconds in the place of minutes and days, evaluated at the usual interval."""
    for group in rule_file["groups"]:
        group.pop("interval", None)
        for rule in group["rules"]:
            rule["expr"] = re.sub(r"\[[0-9]+[mhd]\]", f"[{RANGE}]", rule["expr"])
            rule["expr"] = re.sub(r"offset [0-9]+[mhd]", f"offset {OFFSET}", rule["expr"])
    return rule_file


def found(entry: dict[str, Any], replicas: int) -> None:
    """Puts so many pods or nodes in the place of what a cluster would be asked for."""
    (asked,) = entry.pop("kubernetes_sd_configs")
    role = asked["role"]
    name = [*entry["job_name"].split("."), ""][1] or entry["job_name"]  # blackbox.web.2 asks the pods of web
    meta = "__meta_kubernetes_"
    entry["static_configs"] = [
        {
            "targets": [f"{name}-{number}:10250"],
            "labels": {
                f"{meta}namespace": "shop",
                f"{meta}{role}_name": f"{name}-{number}",
                f"{meta}{role}_node_name": f"node-{number}",
                f"{meta}pod_phase": "Running",
                f"{meta}pod_ip": f"{name}-{number}",
            },
        }
        for number in range(replicas)
    ]


def prometheus_files(plan: Plan, folder: Path, proxy: int, alertmanager: int) -> Path:
    """The planned documents of Prometheus below `folder`; everything is asked through the proxy."""
    planned = workload(plan, "prometheus").config
    assert planned is not None
    least = {job.name: job.discovery.least for job in plan.telemetry.scrape if job.discovery}
    for path, text in planned.files.items():
        document = read_yaml(text)
        if path.startswith("rules/"):
            document = short(document)
        elif path == "prometheus.yml":
            for entry in document["scrape_configs"]:
                entry |= {"proxy_url": f"http://127.0.0.1:{proxy}", "scheme": "http"}
                for key in ("authorization", "tls_config"):
                    entry.pop(key, None)
                if "kubernetes_sd_configs" in entry:
                    found(entry, replicas=max(2, least.get(entry["job_name"], 0)))
            for served_by in document["alerting"]["alertmanagers"]:
                served_by["static_configs"] = [{"targets": [f"127.0.0.1:{alertmanager}"]}]
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(write_yaml(document))
    return folder


def alertmanager_files(plan: Plan, folder: Path, receiver: int) -> Path:
    """The planned document of Alertmanager, with PagerDuty where the receiver is, and a key for it."""
    planned = workload(plan, "alertmanager").config
    assert planned is not None
    folder.mkdir()
    (folder / "key").write_text("key")
    text = re.sub(r"/run/secrets/[a-z-]+", str(folder / "key"), planned.files["alertmanager.yml"])
    document = read_yaml(text.replace(RECEIVER, f"http://127.0.0.1:{receiver}"))
    document["global"] = {"pagerduty_url": f"http://127.0.0.1:{receiver}/v2/enqueue"}
    (folder / "alertmanager.yml").write_text(write_yaml(document))
    return folder


# -- processes -------------------------------------------------------------------------------------------------------


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(name: str, arguments: list[str], log: Path, ready: str) -> Iterator[subprocess.Popen[bytes]]:
    """The pinned program, once it says that it is ready; it is ended after."""
    program = validators.require_validator(build_default_context(), name, pinned=True)
    with log.open("ab") as lines:
        process = subprocess.Popen(
            [str(program), *arguments], stdout=lines, stderr=lines, env={**os.environ, "INSTANCE": "0"}
        )
        try:
            eventually(lambda: _ok(ready), timeout=60, what=f"{name} is ready, see {log}")
            yield process
        finally:
            process.terminate()
            process.wait(timeout=60)


def _ok(url: str) -> bool:
    with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 - loopback
        return bool(answer.status == 200)


def arguments(plan: Plan, name: str, folder: Path, data: Path, port: int) -> list[str]:
    """The planned arguments of a workload, with its folders and address on this machine; alone in its cluster."""
    config = workload(plan, name).config
    assert config is not None
    volume = workload(plan, name).volumes[0].path
    kept = [text for text in workload(plan, name).args if not text.startswith("--cluster.")]
    moved = [
        f"{text.removesuffix(volume)}{data}" if text.endswith(f"={volume}") else text.replace(config.path, str(folder))
        for text in kept
    ]
    alone = ["--cluster.listen-address="] if name == "alertmanager" else []
    return [*moved, f"--web.listen-address=127.0.0.1:{port}", *alone]


class Watched:
    """A Prometheus that can be asked and restarted."""

    def __init__(self, plan: Plan, folder: Path, files: Path, more: tuple[str, ...] = ()) -> None:
        self.port, self.log = free_port(), folder / "prometheus.log"
        self.url = f"http://127.0.0.1:{self.port}/prometheus"
        self.arguments = [*arguments(plan, "prometheus", files, folder / "data", self.port), *more]

    def run(self) -> Any:
        """The process, as a context."""
        return running("prometheus", self.arguments, self.log, f"{self.url}/-/ready")

    def ask(self, query: str) -> list[dict[str, Any]]:
        """The series that a query yields now."""
        asked = f"{self.url}/api/v1/query?{urllib.parse.urlencode({'query': query})}"
        with urllib.request.urlopen(asked, timeout=30) as answer:  # noqa: S310 - loopback
            return list(json.load(answer)["data"]["result"])

    def metrics(self) -> str:
        """What it exposes of itself."""
        with urllib.request.urlopen(f"{self.url}/metrics", timeout=30) as answer:  # noqa: S310 - loopback
            return str(answer.read().decode())

    def iterations(self, group: str) -> float:
        """How often a group of rules was evaluated since the process started."""
        name = f'prometheus_rule_group_iterations_total{{rule_group="[^"]*;{group}"}}'
        found = re.search(rf"{name} (\S+)", self.metrics())
        return float(found[1]) if found else 0.0


class Counters:
    """Counters that go on growing at the rates that are asked for, whenever they are looked at."""

    def __init__(self) -> None:
        self.values: dict[str, tuple[float, float]] = {}

    def grown(self, series: str, rate: float) -> str:
        """A line of the series, which has grown by `rate` a second since it was last looked at."""
        now = time.monotonic()
        value, before = self.values.get(series, (0.0, now))
        self.values[series] = (value + rate * (now - before), now)
        return f"{series} {self.values[series][0]}\n"
