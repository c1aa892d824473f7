"""One connection into a running stack, through an engine or a cluster, as a command uses it."""

from __future__ import annotations

import contextlib
import email
import json
import selectors
import socket
import ssl
import threading
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import docker
from docker.errors import APIError
from docker.models.containers import Container

_CHUNK = 65_536
_HEADER = 8
"""Bytes before each piece of output: which stream it is of, and in the last four of them its length."""
_OK = 400
"""The first status of an answer that is an error."""


class Tunnel(Protocol):
    """A connection: bytes there, and bytes back until it ends."""

    def write(self, data: bytes) -> None:
        """Sends. Raises OSError where the other side is gone."""

    def read(self) -> Iterator[bytes]:
        """What comes, as it comes."""

    def close(self) -> None:
        """Ends it."""


class SocketTunnel:
    """A tunnel that a client library gives as a socket; `owner` is what has to be closed with it."""

    def __init__(self, near: socket.socket, owner: Any) -> None:
        self._near, self._owner = near, owner

    def write(self, data: bytes) -> None:
        """See `Tunnel`."""
        self._near.sendall(data)

    def read(self) -> Iterator[bytes]:
        """See `Tunnel`."""
        while data := self._near.recv(_CHUNK):
            yield data

    def close(self) -> None:
        """See `Tunnel`."""
        self._near.close()
        self._owner.close()


class ExecTunnel:
    """A tunnel to a port of a container: `nc` in it, whose input and output travel with an exec of the engine.

    So engines that are reached over TCP or SSH work like that of this machine.
    Format: https://docs.docker.com/reference/api/engine/version/v1.41/#tag/Exec/operation/ExecStart.
    """

    def __init__(self, client: docker.DockerClient, container: Container, port: int) -> None:
        command = ["/tools/busybox", "nc", "127.0.0.1", str(port)]
        api: Any = client.api
        try:
            made = api.exec_create(container.id, command, stdin=True, stderr=False)
            self._stream = api.exec_start(made["Id"], socket=True)
        except APIError as error:
            raise RuntimeError(f"{container.name}: {error.explanation}") from None
        self._near: socket.socket = getattr(self._stream, "_sock", self._stream)  # the stream itself is for reading
        self._secure, self._lock = isinstance(self._near, ssl.SSLSocket), threading.Lock()

    def write(self, data: bytes) -> None:
        """See `Tunnel`."""
        with self._lock:
            self._near.sendall(data)

    def read(self) -> Iterator[bytes]:
        """See `Tunnel`."""
        with contextlib.suppress(EOFError):
            while True:
                length = int.from_bytes(b"".join(self._receive(_HEADER))[_HEADER // 2 :], "big")
                yield from self._receive(length)

    def _receive(self, length: int) -> Iterator[bytes]:
        """So many bytes, in pieces as they come. Raises EOFError where it ends before.

        Of TLS, one thread reads or writes at a time, as a session is not made for two; and what a record held beyond
        the last read is there already: to wait for the network before each read, as the engine's SDK does, is to hang.
        """
        while length:
            data = self._receive_secure(length) if self._secure else self._near.recv(min(length, _CHUNK))
            if not data:
                raise EOFError
            length -= len(data)
            yield data

    def _receive_secure(self, length: int) -> bytes:
        while True:
            with self._lock:
                self._near.setblocking(False)  # what came may be no data, such as a ticket for the next session
                try:
                    return self._near.recv(min(length, _CHUNK))
                except ssl.SSLWantReadError:
                    pass
                finally:
                    self._near.setblocking(True)
            with selectors.DefaultSelector() as waiting:
                waiting.register(self._near, selectors.EVENT_READ)
                waiting.select()

    def close(self) -> None:
        """See `Tunnel`."""
        with contextlib.suppress(OSError):
            # a reader that waits for the next bytes is woken by this alone
            self._near.shutdown(socket.SHUT_RDWR)
        self._stream.close()


@dataclass(frozen=True)
class Answer:
    """The body of an answer as text, and where it leads, empty where it leads nowhere."""

    text: str
    location: str = ""


def ask_tunnel(
    tunnel: Tunnel, method: str, path: str, body: object = None, *, login: tuple[str, str] | None = None
) -> Answer:
    """The answer to one request of HTTP, whose body is JSON where it has one; ends the tunnel.

    With `login` it is asked with that user and password.

    Raises:
        RuntimeError: the answer is an error, or is none.
    """
    data = b"" if body is None else json.dumps(body).encode()
    # version 1.0: the answer ends with the connection, and is in one piece
    kind, length = "Content-Type: application/json", f"Content-Length: {len(data)}"
    known = [f"Authorization: Basic {b64encode(':'.join(login).encode()).decode()}"] if login else []
    head = "\r\n".join((f"{method} {path} HTTP/1.0", "Host: localhost", kind, length, *known, "", ""))
    with contextlib.closing(tunnel):
        tunnel.write(head.encode() + data)
        answer = b"".join(tunnel.read())
    first, _, text = answer.partition(b"\r\n\r\n")
    words = first.split(b"\r\n")[0].decode(errors="replace").split(" ", 2)
    if len(words) < 2 or not words[1].isdigit():
        raise RuntimeError(f"{method} {path}: no answer")
    if int(words[1]) >= _OK:
        raise RuntimeError(f"{method} {path}: {' '.join(words[1:])}: {text.decode(errors='replace')[:300].strip()}")
    headers = email.message_from_bytes(first.partition(b"\r\n")[2])
    return Answer(text.decode(errors="replace"), headers.get("Location", ""))
