"""A plain TCP forwarder: from a socket of the host into the cluster's network namespace."""

from __future__ import annotations

import contextlib
import socket
import threading

_CHUNK = 65536


def forward_connections(listener: socket.socket, target: tuple[str, int]) -> None:
    """Serve every connection of `listener` at `target`, until the process ends."""
    while True:
        try:
            client, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=_serve_connection, args=(client, target), daemon=True).start()


def _serve_connection(client: socket.socket, target: tuple[str, int]) -> None:
    with client:
        try:
            upstream = socket.create_connection(target)
        except OSError:
            return
        with upstream:
            back = threading.Thread(target=_pump_data, args=(upstream, client), daemon=True)
            back.start()
            _pump_data(client, upstream)
            back.join()


def _pump_data(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(_CHUNK):
            sink.sendall(data)
    # Only the direction that ended: the other one may have bytes on their way.
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_WR)
