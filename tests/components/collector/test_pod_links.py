"""Links to pods, by an API server on loopback: whose lines are stands in the path, changes come by themselves."""

from __future__ import annotations

import http.client
import json
import queue
import ssl
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

import pytest

from components.collector import link_folder, pod_links
from components.lines.sources import POD, build_cluster_rules
from model.load import parse_model
from model.service import Service
from tests.support.relabelling import relabel
from tests.support.serving import serving

SERVICES = {
    "orders": parse_model(
        Service, {"port": 1, "logs": {"selector": {"namespace": "shop", "labels": {"app": "api"}}}}, "orders"
    )
}


class Server(BaseHTTPRequestHandler):
    """An API server with the pods and the changes of a test."""

    pods: ClassVar[list[dict[str, Any]]] = []
    changes: ClassVar[list[list[dict[str, Any]]]] = []
    asked: ClassVar[list[dict[str, list[str]]]] = []
    logins: ClassVar[list[str | None]] = []

    def do_GET(self) -> None:
        """Lists pods, or has the next changes; when there are none left, they are too old."""
        query = parse_qs(urlsplit(self.path).query)
        self.asked.append(query)
        self.logins.append(self.headers["Authorization"])
        events, status = [], 200
        if "watch" not in query:
            events = [{"metadata": {"resourceVersion": "10"}, "items": self.pods}]
        elif self.changes:
            events = self.changes.pop(0)
        else:
            status = 410
        body = "".join(f"{json.dumps(each)}\n" for each in events).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Nothing to say."""


def pod(name: str, uid: str, version: str = "1", *, running: bool = True, **more: Any) -> dict[str, Any]:
    """A pod of two containers, of which one is there for the start alone."""
    state: dict[str, Any] = {"running": {}} if running else {"waiting": {}}
    return {
        "metadata": {
            "namespace": "shop", "name": name, "uid": uid, "resourceVersion": version, "labels": {"app": "api"}, **more
        },
        "spec": {"containers": [{"name": "main"}], "initContainers": [{"name": "setup"}]},
        "status": {"containerStatuses": [{"name": "main", "state": state}]},
    }  # fmt: skip


@pytest.fixture
def made(tmp_path: Path) -> Iterator[pod_links.PodLinks]:
    """Links of a node with one pod."""
    Server.pods, Server.changes, Server.asked, Server.logins = [pod("api-1", "u1")], [], [], []
    folder = tmp_path / "links"
    folder.mkdir()
    document = {"pods": str(tmp_path / "pods"), "rules": build_cluster_rules(SERVICES)}
    with serving(Server) as address:
        yield pod_links.PodLinks(folder, document, pod_links.Api(address), "node-a")


def list_links(made: pod_links.PodLinks) -> dict[str, str]:
    """Where each link leads to, by its path without the id."""
    return {
        str(path.relative_to(made.folder)).rpartition(",")[0]: str(path.readlink())
        for path in made.folder.glob("*/*")
    }  # fmt: skip


def test_a_link_says_whose_lines_are(made: pod_links.PodLinks) -> None:
    """Its folder is called as the kubelet's, and service and app follow from the rules; its node's pods are asked."""
    made.refresh(5)
    pods = made.document["pods"]
    assert list_links(made) == {
        f"shop_api-1_u1/orders,api,{name}": f"{pods}/shop_api-1_u1/{name}" for name in ("main", "setup")
    }
    assert Server.asked == [{"fieldSelector": ["spec.nodeName=node-a"], "resourceVersion": ["0"]}]


def test_static_pods_lie_under_their_hash(made: pod_links.PodLinks) -> None:
    """The folder of a pod that a kubelet starts by itself has the hash of its file in its name, and no uid."""
    Server.pods = [pod("etcd", "u2", annotations={pod_links.CONFIG_HASH: "h2"})]
    made.refresh(5)
    assert {path.name for path in made.folder.iterdir()} == {"shop_etcd_h2"}


def test_changes_are_taken_as_they_come(made: pod_links.PodLinks) -> None:
    """From the version that was listed, on to that of a bookmark; after a gap all is listed again."""
    Server.changes = [
        [
            {"type": "ADDED", "object": pod("api-2", "u2", "11")},
            {"type": "DELETED", "object": pod("api-1", "u1", "12")},
            {"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": "40"}}},
        ]
    ]
    woken = queue.SimpleQueue[None]()
    made.follow(woken)
    listed, first, second = Server.asked
    assert "watch" not in listed and first["resourceVersion"] == ["10"] and second["resourceVersion"] == ["40"]
    assert woken.qsize() == 3  # what was listed, and two changes
    made.refresh(7)
    assert {path.name for path in made.folder.iterdir()} == {"shop_api-2_u2"}


def test_an_error_among_changes_is_one(made: pod_links.PodLinks) -> None:
    """The server says so in a stream that began well; a version that is too old is no fault."""
    for code, fault in ((410, None), (500, ValueError)):
        Server.changes = [[{"type": "ERROR", "object": {"code": code, "message": "odd"}}]]
        if fault is None:
            made.follow(queue.SimpleQueue())
        else:
            with pytest.raises(fault, match="odd"):
                made.follow(queue.SimpleQueue())


def test_a_link_outlives_its_pod(made: pod_links.PodLinks) -> None:
    """Its last lines are read; then its folder goes too."""
    made.refresh(0)
    Server.pods = []
    made.list_pods()
    made.refresh(1)
    assert len(list_links(made)) == 2
    made.refresh(1 + link_folder.STAYS_SECONDS)
    assert not list(made.folder.iterdir())


def test_a_file_that_is_not_there_is_missing(made: pod_links.PodLinks) -> None:
    """Of a container that runs; one that waits has none yet."""
    made.refresh(0)
    assert list(made.missing) == ["shop/api-1/main"]
    assert 'container_links_missing{container="shop/api-1/main",path="' in made.render_metrics()
    file = Path(made.document["pods"]) / "shop_api-1_u1" / "main" / "0.log"
    file.parent.mkdir(parents=True)
    file.touch()
    made.refresh(1)
    assert made.missing == {}
    file.unlink()
    Server.pods = [pod("api-1", "u1", running=False)]
    made.list_pods()
    made.refresh(2)
    assert made.missing == {}


def test_silence_is_no_news(made: pod_links.PodLinks) -> None:
    """Links are as current as the last answer, however often the folder is looked at."""
    made.refresh(time.time())
    assert made.is_current(time.time()) and not made.is_current(made.listed + 4 * link_folder.LOOK_SECONDS)
    before = made.listed
    made.refresh(before + 999)
    assert made.listed == before


def test_the_account_is_shown(made: pod_links.PodLinks, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By its token as it is now, over a connection to a server that its authority vouches for."""
    (tmp_path / "token").write_text("secret\n", encoding="utf-8")
    trusted: list[str] = []
    monkeypatch.setattr(ssl, "create_default_context", lambda **options: trusted.append(options["cafile"]))
    plain = http.client.HTTPConnection
    monkeypatch.setattr(
        http.client, "HTTPSConnection", lambda address, timeout, context: plain(address, timeout=timeout)
    )
    made.api.account = tmp_path
    made.list_pods()
    assert Server.logins == ["Bearer secret"] and trusted == [str(tmp_path / "ca.crt")]


def test_rules_are_those_of_prometheus() -> None:
    """What the program makes of a pod is what other programs make of it."""
    rules = build_cluster_rules(SERVICES)
    for before in pod_links.list_containers(pod("api-1", "u1")):
        made = link_folder.relabel(rules, before)
        assert made == relabel(rules, before)
        assert (made["namespace"], made["pod"], made["container"]) == ("shop", "api-1", before[f"{POD}container_name"])
