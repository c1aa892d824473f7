"""The real Alertmanager with a plan's own documents, between alerts of tests and receivers on loopback."""

from __future__ import annotations

import contextlib
import json
import ssl
import threading
import time
import urllib.request
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

from model.plan import Plan
from tests.support.alerting import RECEIVER, Quiet, arguments, free_port, running, served
from tests.support.mailbox import PASSWORD
from tests.support.planned import workload
from tests.support.vendors import ANSWERS, CHECKS, Message, Request
from tests.support.waiting import eventually
from tests.support.yaml_files import read_yaml, write_yaml

SECRETS: Mapping[str, str] = {
    "slack": "{base}/slack/services/T0/B0/x", "slackapp": "xoxb-token", "pagerduty": "0123456789abcdef" * 2,
    "opsgenie": "genie", "teams": "{base}/teams/workflows/1?sig=x", "discord": "{base}/discord/api/webhooks/1/x",
    "telegram": "123:abc", "pushover-token": "a" * 30, "pushover-user": "u" * 30, "ntfy": "{tls}/ntfy/shop",
    "ntfy-token": "tk_token", "webhook": "{base}/webhook/alerts", "mail": PASSWORD, "switch": "{base}/switch",
}  # fmt: skip
"""What is in the files of secrets; {base} is where the receivers listen, {tls} where they do so by TLS."""


class Receivers:
    """All receivers by vendor: what they received, and how they behave."""

    def __init__(self) -> None:
        self.received: dict[str, list[tuple[float, Message]]] = defaultdict(list)
        """Accepted messages with the time of the monotonic clock."""
        self.broken: list[str] = []
        """What was wrong with requests."""
        self.refused: Counter[str] = Counter()
        """How many calls were answered with 503, by vendor."""
        self.down: set[str] = set()
        self.hanging: set[str] = set()
        self.ended = threading.Event()
        """Lets calls go that hang."""
        self.beats = 0

    def take(self, vendor: str, request: Request) -> tuple[int, str, str]:
        """The answer to a call."""
        if vendor in self.hanging:
            self.refused[vendor] += 1
            self.ended.wait(60)
        if vendor in self.down:
            self.refused[vendor] += 1
            return 503, "text/plain", "out of order"
        if vendor == "switch":
            self.beats += 1
            return 200, "text/plain", ""
        try:
            message = CHECKS[vendor](request)
        except (AssertionError, LookupError, ValueError) as error:
            self.broken.append(f"{vendor}: {error!r}")
            return 400, "text/plain", str(error)
        self.received[vendor].append((time.monotonic(), message))
        return ANSWERS[vendor]

    def of(self, vendor: str, *, resolved: bool | None = None) -> list[Message]:
        """Messages of a vendor; only ends, or only others, where that is asked for."""
        return [message for _, message in self.received[vendor] if resolved in (None, message.resolved)]

    def handler(self, tls: ssl.SSLContext) -> type[BaseHTTPRequestHandler]:
        """A server of all vendors, by the first part of the path; and a proxy to those with a fixed address."""
        receivers = self

        class Handler(Quiet):
            protocol_version = "HTTP/1.1"
            vendor = ""

            def do_CONNECT(self) -> None:
                assert self.path == "api.pushover.net:443", self.path
                self.send_response(200)
                self.end_headers()
                self.wfile.flush()
                self.connection = tls.wrap_socket(self.connection, server_side=True)
                self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb")
                self.vendor, self.close_connection = "pushover", False

            def do_POST(self) -> None:
                vendor, path = self.vendor, self.path
                if not vendor:
                    vendor, _, rest = path[1:].partition("/")
                    path = f"/{rest}"
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                headers = {name.lower(): value for name, value in self.headers.items()}
                status, kind, text = receivers.take(vendor, Request("POST", path, headers, body))
                with contextlib.suppress(OSError):  # who hung up meanwhile does not wait for an answer
                    self.send_response(status)
                    self.send_header("Content-Type", kind)
                    self.send_header("Content-Length", str(len(text)))
                    self.end_headers()
                    self.wfile.write(text.encode())
                    self.wfile.flush()

        return Handler


# -- Alertmanager ----------------------------------------------------------------------------------------------------


class Alertmanager:
    """A running Alertmanager, which takes alerts and other documents."""

    def __init__(self, port: int, files: Path, log: Path) -> None:
        self.url, self.files, self.file = f"http://127.0.0.1:{port}/alertmanager", files, log
        self._since: dict[str, datetime] = {}

    def post(self, *alerts: Mapping[str, Any]) -> None:
        """Sends alerts as Prometheus does."""
        self.ask("/api/v2/alerts", json.dumps(alerts))

    def ask(self, path: str, body: str | None = None) -> str:
        """See `cli.alertmanagers.Instance`."""
        return self._call(path, None if body is None else body.encode())

    def read_log(self, since: float) -> str:
        """See `cli.alertmanagers.Instance`."""
        return self.file.read_text(encoding="utf-8")

    def alert(self, name: str, *, ended: bool = False, text: str = "It is *bad*.", **labels: str) -> None:
        """An alert with the annotations that ours have, firing for an hour, or ended a moment ago."""
        now = datetime.now(UTC)
        # an alert that began longer than group_wait ago is sent at once, so it begins now, as from Prometheus
        since = self._since.setdefault(f"{name}{sorted(labels.items())}", now)
        usual = {"severity": "critical", "system": "shop", "environment": "test"}
        self.post(
            {
                "labels": {"alertname": name, **usual, **labels},
                "annotations": {
                    "summary": f"{name} & more <of> it", "description": text,
                    "runbook_url": f"https://runbooks.example.com/{name}.md",
                    "dashboard_url": "https://grafana.example.com/d/shop?var-service=api",
                },
                "startsAt": since.isoformat(),
                "endsAt": (now if ended else now + timedelta(hours=1)).isoformat(),
                "generatorURL": "http://prometheus.example.com/graph?g0.expr=up%20%3D%3D%200",
            }
        )  # fmt: skip

    def metrics(self) -> str:
        """Its own metrics, in the text format."""
        return self._call("/metrics")

    def metric(self, name: str) -> float:
        """The sum of the series whose names and labels begin so."""
        lines = self.metrics().splitlines()
        return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(name))

    def change(self, before: str, after: str) -> None:
        """Another text in its configuration, taken without a restart."""
        file = self.files / "alertmanager.yml"
        text = file.read_text(encoding="utf-8")
        assert before in text
        file.write_text(text.replace(before, after), encoding="utf-8")
        self._call("/-/reload", b"")

    def _call(self, path: str, body: bytes | None = None) -> str:
        head = {"Content-Type": "application/json"}
        request = urllib.request.Request(self.url + path, body, head)  # noqa: S310 - loopback
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - loopback
            return str(answer.read().decode())


def written(plan: Plan, folder: Path, ports: tuple[int, int], mail: Mapping[str, int], authority: str) -> Path:
    """The planned documents of Alertmanager; secrets, vendors and mail servers are on this machine."""
    planned = workload(plan, "alertmanager").config
    assert planned is not None
    folder.mkdir(parents=True)
    base, tls = f"http://127.0.0.1:{ports[0]}", f"https://127.0.0.1:{ports[1]}"
    for name, text in SECRETS.items():
        (folder / name).write_text(text.format(base=base, tls=tls), encoding="utf-8")
    moved = {RECEIVER: base, "/run/secrets/": f"{folder}/", **{host: f"127.0.0.1:{own}" for host, own in mail.items()}}
    for name, text in planned.files.items():
        (folder / name).write_text(replaced(text, moved), encoding="utf-8")
    _through_proxy(folder / "alertmanager.yml", base, authority)
    return folder


def replaced(text: str, moved: Mapping[str, str]) -> str:
    """A text with other addresses in it."""
    for before, after in moved.items():
        text = text.replace(before, after)
    return text


def _through_proxy(file: Path, base: str, authority: str) -> None:
    """Pushover's address is fixed in Alertmanager, so its calls go through a proxy here."""
    document = read_yaml(file.read_text(encoding="utf-8"))
    for receiver in document["receivers"]:
        for entry in receiver.get("pushover_configs", ()):
            entry["http_config"] = {"proxy_url": base, "tls_config": {"ca": authority}}
    file.write_text(write_yaml(document), encoding="utf-8")


@contextmanager
def notified(
    plan: Plan, folder: Path, mail: Mapping[str, int], tls: tuple[ssl.SSLContext, str]
) -> Iterator[tuple[Alertmanager, Receivers]]:
    """A running Alertmanager with a plan's documents, and the receivers that it calls."""
    receivers = Receivers()
    handler = receivers.handler(tls[0])
    with served(handler) as port, served(handler, tls=tls[0]) as tls_port:
        files, own = written(plan, folder / "files", (port, tls_port), mail, tls[1]), free_port()
        made = Alertmanager(own, files, folder / "alertmanager.log")
        asked = arguments(plan, "alertmanager", files, folder / "data", own)
        with running("alertmanager", asked, made.file, f"{made.url}/-/ready"):
            try:
                yield made, receivers
            finally:
                receivers.ended.set()


def arrived(receivers: Receivers, vendor: str, *, resolved: bool, timeout: float = 30) -> Message:
    """The first message of a vendor that says so, once it is there."""
    found = eventually(
        lambda: receivers.of(vendor, resolved=resolved),
        timeout=timeout,
        what=f"{vendor} is notified ({'resolved' if resolved else 'firing'}); complaints: {receivers.broken}",
    )
    return found[0]
