"""What a preview of Pulumi prints, without resources that were only read back: those are most lines and no change."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

Say = Callable[[str], object]
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_STEP = re.compile(r"^\s*\S*\s*[\w./-]+:[\w./-]+:\w+: \((?P<what>[\w -]+)\)$")
"""A step: `~ docker:index/container:Container: (refresh)`, `pulumi:pulumi:Stack: (same)`."""
_IDENTITY = re.compile(r"^\s+\[(id|urn|provider)=")
_PROPERTY = re.compile(r"^\s{4,}\S")
READ_BACK = "refresh"
EVERY = 5.0
"""Seconds between two lines that say how far it is."""


class Changes:
    """Takes the lines of `pulumi preview --diff` one by one, and hands on those that say what changes.

    `say` takes those, `progress` a line now and then while resources are read back; `clock` gives seconds.
    """

    def __init__(self, say: Say, progress: Say, clock: Callable[[], float] = time.monotonic) -> None:
        self._say, self._progress, self._clock = say, progress, clock
        self._pending: list[str] = []
        self._count, self._said = 0, clock()

    def take(self, line: str) -> None:
        """Takes the next line, without its end."""
        plain = _COLOUR.sub("", line).rstrip()
        step = _STEP.match(plain)
        if step and step["what"] == READ_BACK:
            self._pending = [line]
            self._count_one()
        elif self._pending and _IDENTITY.match(plain):
            self._pending.append(line)
        else:
            if self._pending and not step and _PROPERTY.match(plain):  # what was read back is another one
                for each in self._pending:
                    self._say(each)
            self._pending = []
            self._say(line)

    def _count_one(self) -> None:
        self._count += 1
        if self._clock() - self._said >= EVERY:
            self._progress(f"   read back so far: {self._count} resources")
            self._said = self._clock()
