"""Waits that have an end, and say what they wait for: whoever looks at a silent command takes it for one that hangs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from rich.markup import escape

EVERY = 0.5
"""Seconds between two looks."""
SILENT, AGAIN = 3.0, 15.0
"""Seconds after which a wait says something, and after which it says the same again."""
SHOWN = 4
"""Names in a line; it need not be all of fifty."""
Say = Callable[[str], object]
_say: ContextVar[Say | None] = ContextVar("say", default=None)


@contextmanager
def say_waiting(say: Say | None) -> Iterator[None]:
    """Has the waits that are inside say what they wait for, as markup; None has them say nothing."""
    before = _say.set(say)
    try:
        yield
    finally:
        _say.reset(before)


class Wait:
    """A wait of `timeout` seconds at most; `clock` gives seconds, `sleep` lets some pass."""

    def __init__(
        self,
        timeout: float,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._clock, self._sleep = clock, sleep
        self._began = clock()
        self._end = self._began + timeout
        self._last, self._said = "", self._began

    @property
    def remaining(self) -> float:
        """Seconds that are left, 0 where there are none."""
        return max(0.0, self._end - self._clock())

    def goes_on(self, what: str) -> bool:
        """Whether there is time left for `what`; then some of it has passed, and it was said where that is due."""
        now = self._clock()
        if now > self._end:
            return False
        due = now - self._began >= SILENT and (what != self._last or now - self._said >= AGAIN)
        if due and (say := _say.get()):
            say(f"   {now - self._began:.0f} s: waiting for {escape(what)}, until {self._end - self._began:.0f} s")
            self._last, self._said = what, now
        self._sleep(EVERY)
        return True
