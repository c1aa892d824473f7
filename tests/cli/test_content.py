"""Pages of a stack are opened with all that they name."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from cli.content import list_empty_pages
from model.route import Route

PAGE = '<!doctype html><HTML><link rel="stylesheet" href="public/a.css"><script type=module src="./b.js"></script>'
ROUTE = Route(name="prometheus", prefix="/prometheus", url="http://prometheus:9090", page="/prometheus/")


class FakeTunnel:
    """One request to a part that has these answers, by path."""

    def __init__(self, answers: dict[str, str], asked: list[str]) -> None:
        self._answers, self._asked = answers, asked

    def write(self, data: bytes) -> None:
        """Takes the request."""
        self._asked.append(data.decode().split()[1])

    def read(self) -> Iterator[bytes]:
        """Answers it."""
        yield self._answers.get(self._asked[-1], "404 Not Found\r\n\r\n").join(["HTTP/1.0 ", ""]).encode()

    def close(self) -> None:
        """Nothing is left to close."""


def find_empty(answers: dict[str, str], *routes: Route) -> tuple[list[str], list[str]]:
    """What is said of a stack with these routes whose parts answer so, and which paths were opened."""
    asked: list[str] = []

    def open_tunnel(workload: str, port: int) -> FakeTunnel:
        assert (workload, port) == ("prometheus", 9090)
        return FakeTunnel(answers, asked)

    telemetry = SimpleNamespace(routes=routes or (ROUTE,))
    plan: Any = SimpleNamespace(telemetry=telemetry, list_workloads=lambda: [SimpleNamespace(name="prometheus")])
    host: Any = SimpleNamespace(open_tunnel=open_tunnel)
    return list_empty_pages(plan, host), asked


GOOD = {
    "/prometheus/": "302 Found\r\nLocation: /prometheus/query\r\n\r\n",
    "/prometheus/query": f"200 OK\r\n\r\n{PAGE}",
    "/prometheus/public/a.css": "200 OK\r\n\r\nbody{}",
    "/prometheus/b.js": "200 OK\r\n\r\nlet b",
}


def test_a_page_is_opened_with_its_assets() -> None:
    """Behind its redirection, as a browser finds them."""
    said, asked = find_empty(GOOD)
    assert said == [] and asked == [*GOOD]


@pytest.mark.parametrize(
    ("path", "answer", "words"),
    [
        ("/prometheus/query", "404 Not Found\r\n\r\n", "does not open: GET /prometheus/query: 404 Not Found"),
        ("/prometheus/query", "200 OK\r\n\r\nError opening React index.html", "at /prometheus/query has no content"),
        ("/prometheus/b.js", "404 Not Found\r\n\r\n", "does not open: GET /prometheus/b.js"),
        ("/prometheus/", "302 Found\r\nLocation: /prometheus/\r\n\r\n", "has no content"),
    ],
)
def test_what_is_no_page_is_named(path: str, answer: str, words: str) -> None:
    """An error, a text, an absent script, a redirection to itself."""
    (said,), _ = find_empty({**GOOD, path: answer})
    assert said.startswith("the page of prometheus") and words in said


def test_a_page_in_place_of_a_script_is_named() -> None:
    """Jaeger answers every path that it does not know with its page."""
    (said,), _ = find_empty({**GOOD, "/prometheus/b.js": f"200 OK\r\n\r\n{PAGE}"})
    assert said == "the page of prometheus names /prometheus/b.js, where a page is"


def test_pages_of_others_are_theirs() -> None:
    """A route of a user's own leads to a program that we do not know, and Traefik's leads into itself."""
    theirs = Route(name="shop", prefix="/shop", url="http://shop.internal:80", page="/shop")
    own = Route(name="traefik", prefix="/traefik", url="api@internal", page="/traefik/dashboard/")
    assert find_empty({}, theirs, own) == ([], [])
