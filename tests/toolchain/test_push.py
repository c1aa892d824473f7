"""Pushing to a registry, against a small one in memory."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from toolchain.errors import ToolchainError
from toolchain.images import ImageSpec
from toolchain.layer import Layer
from toolchain.oci import BuiltImage, ImageConfig, write_image
from toolchain.push import RegistryClient

SPEC = ImageSpec("tool", "team/tool", "v1", None)


class Handler(BaseHTTPRequestHandler):
    """Keeps blobs and manifests in `store`; refuses what its digest does not fit."""

    store: dict[str, bytes]
    requests: list[str]

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""

    def _answer(self, status: int, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": "0", **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()

    def do_HEAD(self) -> None:
        """Tell whether a blob or a manifest is there."""
        data = self.store.get(self.path)
        digest = "sha256:" + hashlib.sha256(data or b"").hexdigest()
        self._answer(404 if data is None else 200, {"Docker-Content-Digest": digest})

    def do_POST(self) -> None:
        """Open an upload."""
        self._answer(202, {"Location": f"{self.path}1?state=x"})

    def do_PUT(self) -> None:
        """Take a blob or a manifest."""
        data = self.rfile.read(int(self.headers["Content-Length"]))
        parts = urlsplit(self.path)
        self.requests.append(f"PUT {parts.path}")
        if "/manifests/" in parts.path:
            self.store[parts.path] = data
            return self._answer(201)
        digest = parse_qs(parts.query)["digest"][0]
        if digest != "sha256:" + hashlib.sha256(data).hexdigest():
            return self._answer(400)
        self.store[f"/v2/team/tool/blobs/{digest}"] = data
        return self._answer(201)


@pytest.fixture
def server() -> Iterator[ThreadingHTTPServer]:
    """A registry on loopback."""
    Handler.store, Handler.requests = {}, []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def image(tmp_path: Path) -> BuiltImage:
    """An image of one file."""
    layer = Layer()
    layer.add_text("a", "b")
    return write_image(tmp_path, layer, ImageConfig(command=("a",)), "amd64")


def client(server: ThreadingHTTPServer) -> RegistryClient:
    """A client of the server."""
    return RegistryClient(f"127.0.0.1:{server.server_port}")


def test_pushed_image_is_served(server: ThreadingHTTPServer, image: BuiltImage) -> None:
    """After a push the registry names the image's own digest, and holds both blobs."""
    assert client(server).find_digest(SPEC) is None
    assert client(server).push(SPEC, image)
    assert client(server).find_digest(SPEC) == image.digest
    assert {f"/v2/team/tool/blobs/{digest}" for digest, _ in image.blobs} <= set(Handler.store)


def test_second_push_sends_nothing(server: ThreadingHTTPServer, image: BuiltImage) -> None:
    """What the registry serves already is not sent again."""
    client(server).push(SPEC, image)
    Handler.requests.clear()
    assert not client(server).push(SPEC, image)
    assert Handler.requests == []


def test_known_blobs_are_not_sent(server: ThreadingHTTPServer, image: BuiltImage) -> None:
    """An interrupted push goes on with what is missing: here only the manifest."""
    for digest, file in image.blobs:
        Handler.store[f"/v2/team/tool/blobs/{digest}"] = file.read_bytes()
    client(server).push(SPEC, image)
    assert Handler.requests == ["PUT /v2/team/tool/manifests/v1"]


def test_no_registry_is_told() -> None:
    """A registry that does not answer is named, with the command that starts it."""
    with pytest.raises(ToolchainError, match=r"127\.0\.0\.1:1 does not answer.*\n.*toolchain registry"):
        RegistryClient("127.0.0.1:1").find_digest(SPEC)
