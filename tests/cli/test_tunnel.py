"""Connections into a stack, as the libraries of an engine and of a cluster hand them out."""

from __future__ import annotations

import socket
import ssl
import struct
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from docker.errors import APIError

from cli.tunnel import ExecTunnel, SocketTunnel, ask_tunnel
from tests.support.mailbox import contexts
from tests.support.waiting import eventually


class Stream:
    """What the engine's SDK gives for an exec: it is read, and its socket is written to."""

    def __init__(self, near: socket.socket) -> None:
        self._sock, self.closed = near, False

    def recv(self, size: int) -> bytes:
        """Reads."""
        return self._sock.recv(size)

    def fileno(self) -> int:
        """For those who wait for it."""
        return self._sock.fileno()

    def close(self) -> None:
        """Ends."""
        self.closed = True
        self._sock.close()


def frame(data: bytes) -> bytes:
    """A frame of standard output, as the engine sends them."""
    return struct.pack(">BxxxI", 1, len(data)) + data


def opened(near: socket.socket) -> ExecTunnel:
    """A tunnel whose exec is one end of a pair of sockets."""
    api = SimpleNamespace(exec_create=lambda *_, **__: {"Id": "x"}, exec_start=lambda *_, **__: Stream(near))
    container: Any = SimpleNamespace(id="c", name="dev-traefik")
    client: Any = SimpleNamespace(api=api)
    return ExecTunnel(client, container, 8080)


def test_an_exec_carries_bytes_both_ways() -> None:
    """What comes is taken out of the engine's frames; what goes has none."""
    near, far = socket.socketpair()
    tunnel = opened(near)
    tunnel.write(b"GET /")
    assert far.recv(100) == b"GET /"
    far.sendall(frame(b"200 ") + frame(b"OK"))
    far.close()
    assert b"".join(tunnel.read()) == b"200 OK"


def test_an_engine_that_is_reached_by_tls_waits_for_nothing(tmp_path: Path) -> None:
    """What came in one record is read at once, and a request is written while somebody waits for an answer."""
    server, authority = contexts(tmp_path)
    near, far = socket.socketpair()
    answers: list[bytes] = []

    def answer() -> None:
        with server.wrap_socket(far, server_side=True) as secure:
            for text in (b"first", b"second"):
                assert secure.recv(100) == b"GET /"
                secure.sendall(frame(text[:3]) + frame(text[3:] + b"."))

    serving = threading.Thread(target=answer, daemon=True)
    serving.start()
    client = ssl.create_default_context(cadata=authority)
    client.check_hostname = False
    tunnel = opened(client.wrap_socket(near))
    reading = threading.Thread(target=lambda: answers.extend(tunnel.read()), daemon=True)
    reading.start()
    for whole in (b"first.", b"first.second."):
        tunnel.write(b"GET /")
        eventually(lambda whole=whole: b"".join(answers) == whole, timeout=10, what="an answer")  # type: ignore[misc]
    reading.join(10)
    serving.join(10)
    assert not reading.is_alive() and not serving.is_alive()


def test_the_end_of_a_tunnel_is_seen_by_the_other_side() -> None:
    """Also while somebody waits for its next bytes."""
    near, far = socket.socketpair()
    opened(near).close()
    assert far.recv(1) == b""


def test_a_container_that_cannot_be_entered_is_named() -> None:
    """With the engine's own reason."""

    def refuse(*_: object, **__: object) -> None:
        raise APIError("conflict", explanation="container is paused")

    client: Any = SimpleNamespace(api=SimpleNamespace(exec_create=refuse))
    container: Any = SimpleNamespace(id="c", name="dev-traefik")
    with pytest.raises(RuntimeError, match="dev-traefik: container is paused"):
        ExecTunnel(client, container, 8080)


def test_a_socket_is_closed_with_its_owner() -> None:
    """The library's thread behind a forwarded port would go on otherwise."""
    near, far = socket.socketpair()
    owner = Stream(socket.socket())
    tunnel = SocketTunnel(near, owner)
    far.sendall(b"hello")
    assert next(tunnel.read()) == b"hello"
    tunnel.close()
    assert owner.closed and far.recv(1) == b""


@pytest.mark.parametrize(
    ("login", "said"), [(None, b""), (("admin", "s3cret"), b"Authorization: Basic YWRtaW46czNjcmV0")]
)
def test_a_request_has_a_login_where_one_is_given(login: tuple[str, str] | None, said: bytes) -> None:
    """As HTTP has it, and none by itself."""
    near, far = socket.socketpair()
    far.sendall(frame(b"HTTP/1.0 200 OK\r\n\r\nwell"))
    far.shutdown(socket.SHUT_WR)
    assert ask_tunnel(opened(near), "GET", "/api", login=login).text == "well"
    sent = far.recv(1000)
    assert (said in sent) and (b"Authorization" in sent) == bool(login)
