"""A socket that leads to a Docker engine elsewhere, and may speak for an engine that can do less."""

from __future__ import annotations

import re
import socket
import threading
from pathlib import Path
from types import TracebackType

_SWAP = re.compile(rb'"MemorySwap":([1-9]\d+)')
_NUMBER = re.compile(rb'"MemorySwap":\d*')
_KEYS = (b'"MemorySwap":', b'"SwapLimit":true')
_LONGEST = 48
"""More bytes than any of the texts that are looked for."""


class ForwardedSocket:
    """A Unix socket at `path` that leads to the one at `engine`, for as long as the context lasts.

    With `swap` unset, what comes back is that of an engine without swap limits: `docker info` says so, and every
    container has -1 for them. Source: https://github.com/moby/moby/blob/v20.10.24/daemon/daemon_unix.go.
    """

    def __init__(self, path: Path, engine: Path, *, swap: bool = True) -> None:
        self.path, self._engine, self._swap = path, engine, swap

    def __enter__(self) -> ForwardedSocket:
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(self.path))
        self.path.chmod(0o660)
        self._listener.listen(128)
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.close()
        self.path.unlink()

    def _serve(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            far = socket.socket(socket.AF_UNIX)
            far.connect(str(self._engine))
            for source, sink, changed in ((near, far, False), (far, near, not self._swap)):
                threading.Thread(target=_pump, args=(source, sink, changed), daemon=True).start()


def _pump(source: socket.socket, sink: socket.socket, changed: bool) -> None:
    held = b""
    try:
        while data := source.recv(65536):
            data, held = without_swap(held + data) if changed else (data, b"")
            sink.sendall(data)
        sink.sendall(held)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        source.close()


def without_swap(data: bytes) -> tuple[bytes, bytes]:
    """The same number of bytes as an engine without swap limits says them, and the end that may go on in the next."""
    start = next((at for at in range(max(0, len(data) - _LONGEST), len(data)) if _goes_on(data[at:])), len(data))
    whole = _SWAP.sub(lambda found: b'"MemorySwap":' + b"-1".ljust(len(found[1])), data[:start])
    return whole.replace(b'"SwapLimit":true', b'"SwapLimit":null'), data[start:]


def _goes_on(end: bytes) -> bool:
    """Whether the end of some data may be the beginning of what is looked for."""
    return any(key.startswith(end) and key != end for key in _KEYS) or bool(_NUMBER.fullmatch(end))
