"""Keeps a folder with a link for each container of a Docker engine.

A program of its own, delivered as a document. A link is called SERVICE,CONTAINER,SINCE,ID and leads to the folder of
the container's log files. SERVICE follows from the rules of relabelling in the document beside it; lines before SINCE,
in seconds since 1970, are sent already. API: https://docs.docker.com/reference/api/engine/.
"""

from __future__ import annotations

import http.client
import json
import queue
import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from components.collector.link_folder import Link, Links, join_name, read_document, relabel, run, sanitize_labels

META = "__meta_docker_container_"
READABLE = "json-file"
"""The only log driver whose files can be read."""
_POSITION = re.compile(r"""^\s*["']?cursor-([0-9a-f]{12,64})["']?:\s*["']?(\d+)""", re.MULTILINE)


def list_metadata(container: Mapping[str, Any]) -> dict[str, str]:
    """A container of /containers/json as service discovery has it, but for what no rule asks for."""
    name = min(container.get("Names") or [""], key=lambda each: each.count("/"))
    return {f"{META}name": name, **sanitize_labels(META, container.get("Labels"))}


def build_name(rules: Iterable[Mapping[str, Any]], container: Mapping[str, Any], since: int) -> str:
    """The link of a container."""
    labels = relabel(rules, list_metadata(container))
    values = [labels.get(name, "") for name in ("service", "container")]
    return join_name(values, str(since), container["Id"][:12])


def read_positions(path: Path | None) -> dict[str, int]:
    """How far Promtail has read each container, in seconds since 1970, by its id; nothing where it never ran."""
    try:
        text = path.read_text(encoding="utf-8") if path else ""
    except OSError:
        return {}
    return {container: int(seconds) for container, seconds in _POSITION.findall(text)}


class ContainerLinks(Links):
    """Links to the containers of an engine."""

    def __init__(self, folder: Path, document: Mapping[str, Any], positions: Path | None = None) -> None:
        """`document` has the engine's address, its folder of containers, and the labels to choose by."""
        super().__init__(folder, document)
        self.positions = positions
        self._known: dict[str, Mapping[str, Any]] = {}

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

    def list_links(self) -> Mapping[str, Link]:
        """A link for each container that runs and writes a file."""
        chosen = {"label": list(self.document["labels"])} if self.document["labels"] else {}
        containers = self.ask(f"/containers/json?{urlencode({'filters': json.dumps(chosen)})}")
        positions, wanted = read_positions(self.positions), dict[str, Link]()
        unreadable, missing = dict[str, str](), dict[str, str]()
        for container in containers:
            identity, about = container["Id"], self._inspect(container["Id"])
            folder = Path(self.document["containers"]) / identity
            name = list_metadata(container)[f"{META}name"].lstrip("/")
            if (driver := about["HostConfig"]["LogConfig"]["Type"]) != READABLE:
                unreadable[name] = driver
                continue
            written = Path(about.get("LogPath") or folder / "unknown")
            if written.parent != folder:  # this program sees no file of the engine, which says where it writes
                missing[name] = str(written)
            link = build_name(self.document["rules"], container, positions.get(identity, 0))
            wanted[identity[:12]] = Link(link, folder)
        self._known = {key: about for key, about in self._known.items() if any(key == c["Id"] for c in containers)}
        self.unreadable, self.missing = unreadable, missing
        return wanted

    def _inspect(self, container: str) -> Mapping[str, Any]:
        if container not in self._known:
            self._known[container] = self.ask(f"/containers/{container}/json")
        return self._known[container]

    def follow(self, woken: queue.SimpleQueue[None]) -> None:
        """Says when something changes at the engine, for as long as that answers."""
        chosen = {"type": ["container"], "event": ["start", "die", "destroy", "rename"]}
        connection = http.client.HTTPConnection(self.document["engine"])
        try:
            connection.request("GET", f"/events?{urlencode({'filters': json.dumps(chosen)})}")
            answer = connection.getresponse()
            woken.put(None)  # what changed while nobody listened
            while answer.status == http.HTTPStatus.OK and answer.readline():
                woken.put(None)
        finally:
            connection.close()


def main(arguments: list[str]) -> int:
    """`check DOCUMENT`, or `run DOCUMENT FOLDER PORT POSITIONS`."""
    document = read_document(arguments[1])
    if arguments[0] == "check":
        return 0
    return run(ContainerLinks(Path(arguments[2]), document, Path(arguments[4])), arguments[3])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
