"""A forge on loopback: the parts of GitHub's and GitLab's APIs that comments need."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

BOT: dict[str, Any] = {"user": {"type": "Bot"}, "author": {"id": 7}}
PERSON: dict[str, Any] = {"user": {"type": "User"}, "author": {"id": 8}}


class Forge:
    """Pull requests by head, and comments; `calls` are the methods and paths that were asked."""

    def __init__(self) -> None:
        self.url, self.calls = "", list[str]()
        self.pulls: list[dict[str, Any]] = []
        self.comments: list[dict[str, Any]] = []
        self.tokens = set[str]()

    def answer(self, method: str, path: str, query: dict[str, list[str]], body: Any) -> tuple[int, Any]:
        """Status and content."""
        page, size = int(query.get("page", ["1"])[0]), int(query.get("per_page", ["30"])[0])
        start = (page - 1) * size
        if path == "/user":
            return 200, {"id": 7}
        if path.endswith("/pulls"):
            owner, _, branch = query["head"][0].partition(":")
            return 200, [pull for pull in self.pulls if (pull["owner"], pull["branch"]) == (owner, branch)][start:][
                :size
            ]
        if method == "GET":
            return 200, self.comments[start:][:size]
        if method == "POST":
            self.comments.append({"id": len(self.comments) + 1, **BOT, **body})
            return 201, {}
        number = int(re.findall(r"\d+$", path)[0])
        self.comments[number - 1] |= body
        return 200, {}


@contextmanager
def serve_forge() -> Iterator[Forge]:
    """A forge that answers as long as the context lasts."""
    forge = Forge()

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            address = urlsplit(self.path)
            forge.calls.append(f"{self.command} {address.path}")
            forge.tokens.add(self.headers.get("Authorization") or self.headers.get("PRIVATE-TOKEN") or "")
            body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"null")
            status, content = forge.answer(self.command, address.path, parse_qs(address.query), body)
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps(content).encode())

        do_GET = do_POST = do_PATCH = do_PUT = _answer

        def log_message(self, *args: Any) -> None:
            """Silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    forge.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield forge
    finally:
        server.shutdown()
        server.server_close()
