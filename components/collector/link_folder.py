"""A folder with a link for each container, whose name says whose the lines behind it are.

Delivered as a document beside the program that knows what containers there are: the collector cannot ask anybody, it
reads files whose paths say all that is known of them. What could not stand in a name is percent-encoded.
"""

from __future__ import annotations

import http.client
import json
import os
import queue
import re
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote

STAYS_SECONDS = 60
"""How long a link outlives its container: the collector looks for what is new twice a second."""
RETRY_SECONDS = 2
LOOK_SECONDS = 30
LONGEST_NAME = 255
FAILURES = (OSError, ValueError, KeyError, http.client.HTTPException)
"""What goes wrong while somebody is asked, and may be right at the next try."""
_REFERENCE = re.compile(r"\$(?:\{(\d+)\}|(\d+))")


@dataclass(frozen=True)
class Link:
    """A link as it should be: its path below the folder, and where it leads to."""

    path: str
    target: Path


def relabel(rules: Iterable[Mapping[str, Any]], before: Mapping[str, str]) -> dict[str, str]:
    """The labels of a container by rules that replace, which are all that there are.

    Source: https://prometheus.io/docs/prometheus/latest/configuration/configuration/#relabel_config
    """
    labels = dict(before)
    for rule in rules:
        text = rule.get("separator", ";").join(labels.get(name, "") for name in rule.get("source_labels", ()))
        if match := re.fullmatch(rule.get("regex", "(.*)"), text, re.DOTALL):
            labels[rule["target_label"]] = _expand(rule.get("replacement", "$1"), match)
    return labels


def _expand(template: str, match: re.Match[str]) -> str:
    return _REFERENCE.sub(lambda part: match[int(part[1] or part[2])] or "", template)


def sanitize_labels(prefix: str, labels: Mapping[str, str] | None) -> dict[str, str]:
    """Labels of a platform as service discovery has them."""
    return {f"{prefix}label_{re.sub(r'[^a-zA-Z0-9_]', '_', key)}": value for key, value in (labels or {}).items()}


def join_name(values: Sequence[str], *rest: str) -> str:
    """The name of a link: values, each with its share of what a file's name may have, and what comes behind them."""
    end = "".join(f",{each}" for each in rest)
    room = (LONGEST_NAME - len(end) - len(values) + 1) // len(values)
    return ",".join(quote(value, safe="")[:room] for value in values) + end


class Links(ABC):
    """The folder of links, and what is known of it. The last part of a link's name is the id of its container."""

    depth = 1
    """How many parts a link's path below the folder has."""

    def __init__(self, folder: Path, document: Mapping[str, Any]) -> None:
        """`document` has the rules, and where containers and their files are."""
        self.folder, self.document = folder, document
        self.listed = 0.0
        """When it was last known which containers there are, in seconds since 1970."""
        self.unreadable: dict[str, str] = {}
        """The driver of each container whose lines are in no file that can be read, by its name."""
        self.missing: dict[str, str] = {}
        """The folder of each container that runs and whose file is not where its link leads to, by its name."""
        self._ended: dict[str, float] = {}

    @abstractmethod
    def list_links(self) -> Mapping[str, Link]:
        """The links that there should be, by the id of their container; also sets `unreadable` and `missing`.

        Raises:
            OSError: who knows does not answer.
            ValueError: the answer is something else than was asked for.
        """

    @abstractmethod
    def follow(self, woken: queue.SimpleQueue[None]) -> None:
        """Says when something changes, for as long as there is an answer."""

    def refresh(self, now: float) -> None:
        """Links for all that run; of what has ended the link goes a while later, when its last line is read."""
        wanted = self.list_links()
        present = {path.name.rpartition(",")[2]: path for path in self._list_present()}
        for identity, link in wanted.items():
            path = self.folder / link.path
            if identity in present and present[identity] != path:
                self._unlink(present.pop(identity))
            if identity not in present:
                path.parent.mkdir(exist_ok=True)
                path.symlink_to(link.target)
        self._remove(present, wanted.keys(), now)
        self.listed = self.find_listed(now)

    def find_listed(self, now: float) -> float:
        """When it was last known which containers there are, after a refresh at `now`."""
        return now

    def _list_present(self) -> Iterable[Path]:
        return [path for path in self.folder.glob("/".join("*" * self.depth)) if path.is_symlink()]

    def _remove(self, present: Mapping[str, Path], running: Collection[str], now: float) -> None:
        self._ended = {each: self._ended.get(each, now) for each in present if each not in running}
        for identity, ended in self._ended.items():
            if now - ended >= STAYS_SECONDS:
                self._unlink(present[identity])

    def _unlink(self, path: Path) -> None:
        path.unlink(missing_ok=True)
        if path.parent != self.folder and not any(path.parent.iterdir()):
            path.parent.rmdir()

    def render_metrics(self) -> str:
        """What Prometheus reads: https://prometheus.io/docs/instrumenting/exposition_formats/."""
        count = sum(1 for _ in self._list_present())
        return (
            "# TYPE container_links gauge\n"
            f"container_links {count}\n"
            "# TYPE container_links_listed_timestamp_seconds gauge\n"
            f"container_links_listed_timestamp_seconds {self.listed}\n"
            + _render_each("container_links_unreadable", "driver", self.unreadable)
            + _render_each("container_links_missing", "path", self.missing)
        )

    def is_current(self, now: float) -> bool:
        """Whether there was an answer lately."""
        return now - self.listed < 4 * LOOK_SECONDS


def _render_each(name: str, label: str, values: Mapping[str, str]) -> str:
    series = "".join(
        f'{name}{{container="{quote(key)}",{label}="{quote(value)}"}} 1\n' for key, value in sorted(values.items())
    )
    return f"# TYPE {name} gauge\n{series}"


def keep_following(links: Links, woken: queue.SimpleQueue[None]) -> None:
    """Follows again and again: what is in between ends connections that are silent."""
    while True:
        try:
            links.follow(woken)
        except FAILURES as error:
            print(f"level=warn msg={json.dumps(f'changes of containers are not seen: {error}')}", flush=True)
        time.sleep(RETRY_SECONDS)


def keep_current(links: Links, woken: queue.SimpleQueue[None]) -> None:
    """Looks after each change, and now and then without one, as links of what has ended wait for that."""
    while True:
        try:
            links.refresh(time.time())
        except FAILURES as error:
            print(f"level=error msg={json.dumps(f'containers cannot be listed: {error}')}", flush=True)
            time.sleep(RETRY_SECONDS)
        try:
            woken.get(timeout=LOOK_SECONDS)
            while not woken.empty():
                woken.get()
        except queue.Empty:
            pass


def build_handler(links: Links) -> type[BaseHTTPRequestHandler]:
    """What answers for health and metrics."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            """Metrics, or whether links are current."""
            current = self.path != "/healthz" or links.is_current(time.time())
            body = links.render_metrics().encode() if self.path == "/metrics" else b"ok\n" if current else b"stale\n"
            self.send_response(200 if current else 503)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """No line for each question."""

    return Handler


def read_document(path: str) -> dict[str, Any]:
    """A document whose rules can be applied.

    Raises:
        OSError, ValueError, re.error: it is none, or an expression of it cannot be read.
    """
    document: dict[str, Any] = json.loads(Path(path).read_text(encoding="utf-8"))
    for rule in document["rules"]:
        re.compile(rule.get("regex", ""))
    return document


def run(links: Links, listen: str) -> int:
    """Keeps the folder current, and answers for it at a port, or at host:port."""
    woken = queue.SimpleQueue[None]()
    host, _, port = listen.rpartition(":")
    server = ThreadingHTTPServer((host, int(port)), build_handler(links))
    for work in (server.serve_forever, lambda: keep_following(links, woken)):
        threading.Thread(target=work, daemon=True).start()
    keep_current(links, woken)
    return os.EX_OK
