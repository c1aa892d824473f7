"""Nodes of the tests' own cluster: what runs on each, and a receiver of alerts that all of them reach."""

from __future__ import annotations

import json
import socket
import subprocess
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import ThreadingHTTPServer
from pathlib import Path

from tests.support.alerting import Quiet
from tests.support.networks import on_node
from toolchain.cluster.images import build_entry
from toolchain.cluster.layout import FIRST, NODE_IP, Node, read_layout


class Inbox:
    """A webhook in the first node's network: how often each alert was sent, by its name, its node and its status."""

    def __init__(self) -> None:
        self.address = ""
        self.sent: Counter[tuple[str, str, str]] = Counter()

    def count(self, name: str, node: str, status: str) -> int:
        """How many messages held the alert."""
        return self.sent[name, node, status]


@contextmanager
def open_inbox(kubeconfig: Path) -> Iterator[Inbox]:
    """An Inbox for as long as it is open; `address` is its URL within the cluster."""
    inbox = Inbox()

    class Handler(Quiet):
        """Takes what Alertmanager posts: https://prometheus.io/docs/alerting/latest/configuration/#webhook_config."""

        def do_POST(self) -> None:
            """Counts every alert of the message."""
            for alert in json.loads(self.rfile.read(int(self.headers["Content-Length"])))["alerts"]:
                labels = alert["labels"]
                inbox.sent[labels["alertname"], labels.get("node", ""), alert["status"]] += 1
            self.answer(200)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler, bind_and_activate=False)
    server.socket.close()
    server.socket = on_node(kubeconfig, lambda: socket.create_server((NODE_IP, 0)))
    inbox.address = f"http://{NODE_IP}:{server.socket.getsockname()[1]}/alerts"
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield inbox
    finally:
        server.shutdown()
        server.server_close()


def cut_power(kubeconfig: Path, number: int) -> None:
    """Ends a further node as a machine ends that loses its power: every process of it at once."""
    layout = read_layout(kubeconfig.parent / "layout.json")
    holder = layout.find_holder(Node(number)).read_text().strip()
    subprocess.run([*build_entry(layout, FIRST), "kill", "-KILL", holder], check=True)
