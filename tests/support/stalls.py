"""How long this machine stood still: what is late by no more than that is no fault of who was late."""

from __future__ import annotations

import threading
import time
from types import TracebackType

_TICK = 0.2


class StallWatch:
    """Measures, while it is entered, by how many seconds a thread that only waits was ever woken too late."""

    def __init__(self) -> None:
        self.longest = 0.0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> StallWatch:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        before = time.monotonic()
        while not self._over.wait(_TICK):
            now = time.monotonic()
            self.longest, before = max(self.longest, now - before - _TICK), now
