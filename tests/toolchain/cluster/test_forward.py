"""The forwarder, between two sockets of this machine."""

from __future__ import annotations

import socket
import threading

from toolchain.cluster.forward import forward_connections


def test_both_directions_and_a_half_closed_one() -> None:
    """All bytes arrive, also those that are sent after the other side has finished sending."""
    with socket.create_server(("127.0.0.1", 0)) as target, socket.create_server(("127.0.0.1", 0)) as listener:
        address = ("127.0.0.1", target.getsockname()[1])
        threading.Thread(target=forward_connections, args=(listener, address), daemon=True).start()
        with socket.create_connection(("127.0.0.1", listener.getsockname()[1])) as client:
            client.sendall(b"question")
            client.shutdown(socket.SHUT_WR)
            served, _ = target.accept()
            with served:
                asked = b"".join(iter(lambda: served.recv(100), b""))
                served.sendall(asked + b" answered")
            assert b"".join(iter(lambda: client.recv(100), b"")) == b"question answered"
