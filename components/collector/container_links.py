"""Keeps a folder with a link for each container of a Docker engine, whose name says whose the lines behind it are.

A program of its own, delivered as a document, as the collector cannot ask an engine: it reads files whose paths say
all that is known of them, as a kubelet has them. A link is called SERVICE,CONTAINER,SINCE,ID and leads to the folder
of the container's log files. SERVICE follows from the rules of relabelling in the document beside it; lines before
SINCE, in seconds since 1970, are sent already.
API: https://docs.docker.com/reference/api/engine/.
"""

from __future__ import annotations

import http.client
import json
import os
import queue
import re
import sys
import threading
import time
from collections.abc import Iterable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

META = "__meta_docker_container_"
READABLE = "json-file"
"""The only log driver whose files can be read."""
STAYS_SECONDS = 60
"""How long a link outlives its container: the collector looks for what is new twice a second."""
RETRY_SECONDS = 2
LOOK_SECONDS = 30
LONGEST_NAME = 255
_REFERENCE = re.compile(r"\$(?:\{(\d+)\}|(\d+))")
_POSITION = re.compile(r"""^\s*["']?cursor-([0-9a-f]{12,64})["']?:\s*["']?(\d+)""", re.MULTILINE)


def relabel(rules: Iterable[Mapping[str, Any]], before: Mapping[str, str]) -> dict[str, str]:
    """The labels of a container by rules that replace, which are all that there are.

    Source: https://prometheus.io/docs/prometheus/latest/configuration/configuration/#relabel_config
    """
    labels = dict(before)
    for rule in rules:
        text = rule.get("separator", ";").join(labels.get(name, "") for name in rule.get("source_labels", ()))
        if match := re.fullmatch(rule.get("regex", "(.*)"), text, re.DOTALL):
            made = _expand(rule.get("replacement", "$1"), match)
            labels[rule["target_label"]] = made
    return labels


def _expand(template: str, match: re.Match[str]) -> str:
    return _REFERENCE.sub(lambda part: match[int(part[1] or part[2])] or "", template)


def list_metadata(container: Mapping[str, Any]) -> dict[str, str]:
    """A container of /containers/json as service discovery has it, but for what no rule asks for."""
    name = min(container.get("Names") or [""], key=lambda each: each.count("/"))
    labels = {re.sub(r"[^a-zA-Z0-9_]", "_", key): value for key, value in (container.get("Labels") or {}).items()}
    return {f"{META}name": name, **{f"{META}label_{key}": value for key, value in labels.items()}}


def build_name(rules: Iterable[Mapping[str, Any]], container: Mapping[str, Any], since: int) -> str:
    """The link of a container; what could not stand in a name, or would end a part of it, is percent-encoded."""
    labels = relabel(rules, list_metadata(container))
    service, name = (quote(labels.get(key, ""), safe="") for key in ("service", "container"))
    rest = f",{since},{container['Id'][:12]}"
    room = (LONGEST_NAME - len(rest) - 1) // 2
    return f"{service[:room]},{name[:room]}{rest}"


def read_positions(path: Path | None) -> dict[str, int]:
    """How far Promtail has read each container, in seconds since 1970, by its id; nothing where it never ran."""
    try:
        text = path.read_text(encoding="utf-8") if path else ""
    except OSError:
        return {}
    return {container: int(seconds) for container, seconds in _POSITION.findall(text)}


class Links:
    """The folder of links, and what is known of it."""

    def __init__(self, folder: Path, document: Mapping[str, Any], positions: Path | None = None) -> None:
        """`document` has the rules, the engine's address, its folder of containers, and the labels to choose by."""
        self.folder, self.document, self.positions = folder, document, positions
        self.listed = 0.0
        """When the engine listed its containers last, in seconds since 1970."""
        self.unreadable: dict[str, str] = {}
        """The driver of each container whose lines are in no file that can be read, by its name."""
        self._ended: dict[str, float] = {}
        self._drivers: dict[str, str] = {}

    def ask(self, path: str) -> Any:
        """What the engine answers.

        Raises:
            OSError: it does not answer.
            ValueError: it answers something else than JSON, or refuses.
        """
        connection = http.client.HTTPConnection(self.document["engine"], timeout=10)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            if answer.status != http.HTTPStatus.OK:
                raise ValueError(f"{path}: the engine answers {answer.status}")
            return json.loads(answer.read())
        finally:
            connection.close()

    def refresh(self, now: float) -> None:
        """Links for all that run; of what has ended the link goes a while later, when its last line is read."""
        chosen = {"label": list(self.document["labels"])} if self.document["labels"] else {}
        containers = self.ask(f"/containers/json?{urlencode({'filters': json.dumps(chosen)})}")
        present = {path.name.rpartition(",")[2]: path for path in self.folder.iterdir()}
        positions = read_positions(self.positions)
        running, self.unreadable = set(), {}
        for container in containers:
            short = container["Id"][:12]
            running.add(short)
            driver = self._find_driver(container["Id"])
            if driver != READABLE:
                self.unreadable[list_metadata(container)[f"{META}name"].lstrip("/")] = driver
                continue
            name = build_name(self.document["rules"], container, positions.get(container["Id"], 0))
            if short in present and present[short].name != name:
                present.pop(short).unlink()
            if short not in present:
                (self.folder / name).symlink_to(Path(self.document["containers"]) / container["Id"])
        self._remove(present, running, now)
        self.listed = now

    def _remove(self, present: Mapping[str, Path], running: set[str], now: float) -> None:
        self._ended = {short: self._ended.get(short, now) for short in present if short not in running}
        for short, ended in self._ended.items():
            if now - ended >= STAYS_SECONDS:
                present[short].unlink(missing_ok=True)
        self._drivers = {each: driver for each, driver in self._drivers.items() if each[:12] in running}

    def _find_driver(self, container: str) -> str:
        if container not in self._drivers:
            about = self.ask(f"/containers/{container}/json")
            self._drivers[container] = about["HostConfig"]["LogConfig"]["Type"]
        return self._drivers[container]

    def render_metrics(self) -> str:
        """What Prometheus reads: https://prometheus.io/docs/instrumenting/exposition_formats/."""
        count = sum(1 for _ in self.folder.iterdir())
        unread = "".join(
            f'container_links_unreadable{{container="{quote(name)}",driver="{quote(driver)}"}} 1\n'
            for name, driver in sorted(self.unreadable.items())
        )
        return (
            "# TYPE container_links gauge\n"
            f"container_links {count}\n"
            "# TYPE container_links_listed_timestamp_seconds gauge\n"
            f"container_links_listed_timestamp_seconds {self.listed}\n"
            f"# TYPE container_links_unreadable gauge\n{unread}"
        )

    def is_current(self, now: float) -> bool:
        """Whether the engine has answered lately."""
        return now - self.listed < 4 * LOOK_SECONDS


def follow_events(links: Links, woken: queue.SimpleQueue[None]) -> None:
    """Says when something changes at the engine, for as long as that answers."""
    chosen = {"type": ["container"], "event": ["start", "die", "destroy", "rename"]}
    connection = http.client.HTTPConnection(links.document["engine"])
    try:
        connection.request("GET", f"/events?{urlencode({'filters': json.dumps(chosen)})}")
        answer = connection.getresponse()
        woken.put(None)  # what changed while nobody listened
        while answer.status == http.HTTPStatus.OK and answer.readline():
            woken.put(None)
    finally:
        connection.close()


def keep_following(links: Links, woken: queue.SimpleQueue[None]) -> None:
    """Follows again and again: the proxy in front of an engine ends what was silent for a day."""
    while True:
        try:
            follow_events(links, woken)
        except (OSError, http.client.HTTPException) as error:
            print(f"level=warn msg={json.dumps(f'the engine does not answer: {error}')}", flush=True)
        time.sleep(RETRY_SECONDS)


def keep_current(links: Links, woken: queue.SimpleQueue[None]) -> None:
    """Looks after each event, and now and then without one, as links of what has ended wait for that."""
    while True:
        try:
            links.refresh(time.time())
        except (OSError, ValueError, KeyError, http.client.HTTPException) as error:
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


def main(arguments: list[str]) -> int:
    """`check DOCUMENT`, or `run DOCUMENT FOLDER PORT POSITIONS`."""
    document = json.loads(Path(arguments[1]).read_text(encoding="utf-8"))
    for rule in document["rules"]:
        re.compile(rule.get("regex", ""))
    if arguments[0] == "check":
        return 0
    folder, port, positions = Path(arguments[2]), int(arguments[3]), Path(arguments[4])
    links, woken = Links(folder, document, positions), queue.SimpleQueue[None]()
    server = ThreadingHTTPServer(("", port), build_handler(links))
    for work in (server.serve_forever, lambda: keep_following(links, woken)):
        threading.Thread(target=work, daemon=True).start()
    keep_current(links, woken)
    return os.EX_OK


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
