"""What a stack must still have after whatever happened to its containers: metrics and log lines from before."""

from __future__ import annotations

import time
import uuid

from tests.support.running import RunningStack
from tests.support.waiting import eventually

_SEEN = 'count_over_time(up{service="api"}[2m] @ %d)'


class Remembered:
    """A log line and the samples of two minutes, found in a stack at one moment and looked for again later."""

    def __init__(self, stack: RunningStack) -> None:
        self.stack, self.marker, self.moment = stack, uuid.uuid4().hex, int(time.time())
        stack.http("api", 4000, "POST", "/demo/logs", {"msg": self.marker, "level": "info"})
        eventually(self._line, timeout=60, what="the log line is stored")
        self.samples = self._samples()
        assert self.samples > 0

    def _line(self) -> list[str]:
        return self.stack.loki(f'{{job="containerlogs"}} |= "{self.marker}"')

    def _samples(self) -> float:
        return sum(float(item["value"][1]) for item in self.stack.prom(_SEEN % self.moment))

    def kept(self) -> None:
        """Asserts that both are there."""
        eventually(self._line, timeout=60, what="the log line from before")
        eventually(lambda: self._samples() >= self.samples, timeout=60, what="the samples from before")
