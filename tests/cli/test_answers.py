"""Answers of servers, bounded, and never with a login for another server."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from cli.answers import read_answer


class Server(BaseHTTPRequestHandler):
    """Answers by path, and remembers who was seen."""

    seen: list[str]

    def do_GET(self) -> None:
        """The path's number is the status."""
        self.seen.append(self.path)
        self.send_response(int(self.path.strip("/")))
        self.send_header("Location", "/200")
        self.end_headers()
        with suppress(BrokenPipeError):  # whoever has read enough goes away
            self.wfile.write(b"x" * 2**20)

    def log_message(self, *args: Any) -> None:
        """Silent."""


@pytest.fixture
def server() -> Iterator[str]:
    """The address of a server."""
    Server.seen = []
    made = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    threading.Thread(target=made.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{made.server_port}"
    made.shutdown()
    made.server_close()


def test_an_answer_is_its_body(server: str) -> None:
    """As long as it is within its bound."""
    assert read_answer("GET", f"{server}/200", {}) == b"x" * 2**20
    with pytest.raises(RuntimeError, match="more than"):
        read_answer("GET", f"{server}/200", {}, most=2**20 - 1)


@pytest.mark.parametrize("status", [302, 307, 404, 500])
def test_an_error_or_a_redirection_is_none(status: int, server: str) -> None:
    """Nobody is followed: the login is for this server."""
    with pytest.raises(RuntimeError, match=f"status {status}"):
        read_answer("GET", f"{server}/{status}", {"Authorization": "secret"})
    assert Server.seen == [f"/{status}"]


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://127.0.0.1/x", "x"])
def test_only_http_is_spoken(url: str) -> None:
    """No file of this machine is an answer."""
    with pytest.raises(RuntimeError, match="no http"):
        read_answer("GET", url, {})


def test_nobody_there_is_an_error() -> None:
    """Its kind is said, no address."""
    with pytest.raises(RuntimeError, match=r"does not answer \(URLError\)"):
        read_answer("GET", "http://127.0.0.1:1/", {})
