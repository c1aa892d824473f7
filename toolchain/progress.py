"""Progress lines with elapsed time: what runs, since when, how each step ended. Safe for several threads."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TextIO

PLAIN_BEAT_SECONDS = 30.0
"""How often a running step is mentioned where the output is a log and not a terminal."""
TERMINAL_BEAT_SECONDS = 1.0
TRUST_SECONDS = 60.0
"""How long an estimate is believed beside what the first steps took: the first one says little of the others."""


def format_duration(seconds: float) -> str:
    """Seconds as a person reads them: 0.4 s, 12 s, 3 min 05 s."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{int(seconds) // 60} min {int(seconds) % 60:02d} s"


def format_minutes(seconds: float) -> str:
    """Seconds as the rounded guess that an estimate is: 12 min, or a minute."""
    return f"{seconds / 60:.0f} min" if seconds >= 90 else "a minute"


class Progress:
    """Writes steps to `stream`: one line when a step ends, and a beat while it runs."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self._terminal = self._stream.isatty()
        self._lock = threading.Lock()
        self._running: dict[str, float] = {}
        self._begun = time.monotonic()
        self._expected: dict[str, float] = {}
        self._done = 0.0
        self._expected_since = self._begun

    def expect(self, steps: Mapping[str, float]) -> None:
        """Steps to come one after the other, with the seconds that each may take: each end then says what remains."""
        self._expected, self._done, self._expected_since = dict(steps), 0.0, time.monotonic()

    def say(self, text: str) -> None:
        """Write one line with the time since the start."""
        with self._lock:
            clear = "\r\x1b[K" if self._terminal else ""
            elapsed = format_duration(time.monotonic() - self._begun)
            self._stream.write(f"{clear}[{elapsed:>12}] {text}\n")
            self._stream.flush()

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Announce `name`, beat while the body runs and say how long it took; failures pass through."""
        begun = time.monotonic()
        done = threading.Event()
        self._running[name] = begun
        if not self._terminal:
            self.say(f"{name} ...")
        beat = threading.Thread(target=self._beat, args=(name, begun, done), daemon=True)
        beat.start()
        ending = "failed after"
        try:
            yield
            ending = "done in"
        finally:
            done.set()
            beat.join()
            self._running.pop(name, None)
            self.say(f"{name}: {ending} {format_duration(time.monotonic() - begun)}{self._describe_rest(name)}")

    def _describe_rest(self, ended: str) -> str:
        """How long the expected steps that are left may take, by how long those before them took."""
        if ended not in self._expected:
            return ""
        self._done += self._expected.pop(ended)
        spent = time.monotonic() - self._expected_since
        rest = sum(self._expected.values()) * (spent + TRUST_SECONDS) / (self._done + TRUST_SECONDS)
        return f"; about {format_minutes(rest)} to go" if self._expected else ""

    def _beat(self, name: str, begun: float, done: threading.Event) -> None:
        while not done.wait(TERMINAL_BEAT_SECONDS if self._terminal else PLAIN_BEAT_SECONDS):
            if not self._terminal:
                self.say(f"{name}: still running, {format_duration(time.monotonic() - begun)}")
                continue
            now = time.monotonic()
            line = ", ".join(f"{n} {format_duration(now - since)}" for n, since in sorted(self._running.items()))
            with self._lock:
                self._stream.write(f"\r\x1b[K{line[:110]}")
                self._stream.flush()
