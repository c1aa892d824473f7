"""Links to containers: whose the lines are stands in the name, and what has ended is read to its end."""

from __future__ import annotations

import json
import queue
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

import pytest

from components.collector import container_links as links
from components.collector import link_folder
from components.lines.sources import build_docker_rules
from model.load import parse_model
from model.service import Service
from tests.support.relabelling import relabel
from tests.support.serving import serving

ONE, TWO = "1" * 64, "2" * 64


class Engine(BaseHTTPRequestHandler):
    """An engine with the containers of a test."""

    containers: ClassVar[list[dict[str, Any]]] = []
    asked: ClassVar[list[str]] = []
    driver: ClassVar[str] = "json-file"
    root: ClassVar[str] = "/var/lib/docker/containers"

    def do_GET(self) -> None:
        """Lists containers, says how one is logged, or has one event and ends."""
        self.asked.append(self.path)
        path = urlsplit(self.path).path
        if path == "/containers/json":
            answer: Any = self.containers
        elif path == "/events":
            answer = {"Action": "start"}
        else:
            identity = path.split("/")[2]
            written = f"{self.root}/{identity}/{identity}-json.log"
            answer = {"HostConfig": {"LogConfig": {"Type": self.driver}}, "LogPath": written}
        body = json.dumps(answer).encode() + b"\n"
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Nothing to say."""


def container(identity: str, name: str, **labels: str) -> dict[str, Any]:
    """A container as the engine lists it."""
    return {"Id": identity, "Names": [f"/{name}"], "Labels": labels}


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[tuple[links.ContainerLinks, Path]]:
    """Links of an engine with two containers, of which a service of compose is one."""
    Engine.containers = [
        container(ONE, "shop-backend-1", **{"com.docker.compose.project": "shop", "com.docker.compose.service": "api"}),
        container(TWO, "odd"),
    ]
    Engine.asked, Engine.driver, Engine.root = [], "json-file", "/var/lib/docker/containers"
    (tmp_path / "positions.yaml").write_text(f'positions:\n  cursor-{ONE}: "1700000000"\n', encoding="utf-8")
    made = tmp_path / "links"
    made.mkdir()
    with serving(Engine) as address:
        document = {
            "engine": address, "containers": "/var/lib/docker/containers", "labels": ["team=shop"],
            "rules": build_docker_rules({"api": parse_model(Service, {"port": 1}, "api")}),
        }  # fmt: skip
        yield links.ContainerLinks(made, document, tmp_path / "positions.yaml"), made


def test_a_link_says_whose_lines_are(folder: tuple[links.ContainerLinks, Path]) -> None:
    """The service of a compose project, else the container's own name, and until when Promtail has sent its lines."""
    made, path = folder
    made.refresh(0)
    assert sorted(each.name for each in path.iterdir()) == [
        f"api,shop-backend-1,1700000000,{ONE[:12]}", f"odd,odd,0,{TWO[:12]}",
    ]  # fmt: skip
    assert {str(each.readlink()) for each in path.iterdir()} == {
        f"/var/lib/docker/containers/{identity}" for identity in (ONE, TWO)
    }
    (asked,) = (parse_qs(urlsplit(each).query) for each in Engine.asked if each.startswith("/containers/json"))
    assert json.loads(asked["filters"][0]) == {"label": ["team=shop"]}


def test_a_link_outlives_its_container(folder: tuple[links.ContainerLinks, Path]) -> None:
    """Its last lines are read; a name that changes is another link at once."""
    made, path = folder
    made.refresh(0)
    Engine.containers = [container(TWO, "even")]
    made.refresh(1)
    assert {each.name.split(",")[1] for each in path.iterdir()} == {"shop-backend-1", "even"}
    made.refresh(1 + link_folder.STAYS_SECONDS)
    assert [each.name.split(",")[1] for each in path.iterdir()] == ["even"]


def test_what_cannot_be_read_is_counted(folder: tuple[links.ContainerLinks, Path]) -> None:
    """A container of another log driver has no link, and a metric with its name."""
    made, path = folder
    Engine.driver = "local"
    made.refresh(7)
    assert not list(path.iterdir())
    assert 'container_links_unreadable{container="odd",driver="local"} 1' in made.render_metrics()
    assert made.is_current(7) and not made.is_current(7 + 4 * link_folder.LOOK_SECONDS)


def test_a_file_elsewhere_is_missing(folder: tuple[links.ContainerLinks, Path]) -> None:
    """The engine says where it writes: another folder than the one that the collector sees has no lines for it."""
    made, _ = folder
    made.refresh(1)
    assert "container_links_missing{" not in made.render_metrics()
    made = links.ContainerLinks(made.folder, {**made.document, "containers": "/data/containers"})
    made.refresh(2)
    assert made.missing["odd"] == f"/var/lib/docker/containers/{TWO}/{TWO}-json.log"
    assert 'container_links_missing{container="odd",path="/var/lib' in made.render_metrics()


def test_an_event_is_followed_by_a_look(folder: tuple[links.ContainerLinks, Path]) -> None:
    """One for what changed before, and one for the event."""
    woken = queue.SimpleQueue[None]()
    folder[0].follow(woken)
    assert woken.qsize() == 2


def test_a_name_ends_where_it_must(folder: tuple[links.ContainerLinks, Path]) -> None:
    """Whatever a label holds, a name has four parts and no more characters than a file's may have."""
    name = links.build_name(
        folder[0].document["rules"], container(ONE, "a", **{"com.docker.compose.service": "x,/" * 99}), 0
    )
    assert len(name) <= 255 and name.count(",") == 3 and "/" not in name


def test_rules_are_those_of_prometheus() -> None:
    """The program is alone in its container; what it makes of rules is what other programs make of them."""
    rules = build_docker_rules({
        key: parse_model(Service, {"port": 1, "logs": said}, key)
        for key, said in {"api": {"compose": "shop/backend"}, "worker": {"container": "jobs"}, "a_b": {}}.items()
    })  # fmt: skip
    for name, labels in {"shop-backend-1": {"project": "shop", "service": "backend"}, "jobs": {}, "a-b": {}}.items():
        before = links.list_metadata(
            container(ONE, name, **{f"com.docker.compose.{key}": value for key, value in labels.items()})
        )
        assert link_folder.relabel(rules, before) == relabel(rules, before)
