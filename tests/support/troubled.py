"""Systems while everything that a test knows goes wrong with them: what fires, and what is sent."""

from __future__ import annotations

import time
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field

from tests.support import causes, troubles
from tests.support.running import RunningStack
from tests.support.waiting import eventually


def list_firing(stack: RunningStack) -> set[tuple[str, str]]:
    """Name and service of each alert that fires."""
    found = stack.prom('ALERTS{alertstate="firing"}')
    return {(series["metric"]["alertname"], series["metric"].get("service", "")) for series in found}


@dataclass(frozen=True)
class Fired:
    """What the causes raised: the alerts that they must raise, those that fired, and when all was mended."""

    wanted: dict[str, set[tuple[str, str]]]
    seen: dict[str, set[tuple[str, str]]]
    seconds: float
    mended: float

    def missing(self) -> dict[str, list[tuple[str, str]]]:
        """Alerts that never fired, by system."""
        return {system: sorted(left) for system, pairs in self.wanted.items() if (left := pairs - self.seen[system])}


Running = list[tuple[causes.Cause, ExitStack, troubles.Poke]]


@dataclass
class Troubled:
    """A system while all its causes are at work: what they must raise, what fired, and what nobody was notified of.

    Each system has a thread: what one of them waits for does not delay the faults and mends of another.
    """

    system: str
    stack: RunningStack
    began: float
    seen: set[tuple[str, str]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.causes = [cause for cause in causes.CAUSES if cause.system == self.system]
        self.wanted = {pair for cause in self.causes for pair in cause.alerts}
        self.unsent = set(self.wanted)

    def drive(self, timeout: float) -> None:
        """Lets everything go wrong, each until its alerts fired and were sent; `timeout` in seconds."""
        with ExitStack() as all_mended:
            running = self._begin(all_mended)
            with suppress(AssertionError):  # the test says which ones are missing; the others still need mended stacks
                eventually(lambda: self._advance(running), timeout=timeout, what=f"{self.system}: every alert fires")

    def _begin(self, all_mended: ExitStack) -> Running:
        running: Running = []
        for cause in self.causes:
            own = all_mended.enter_context(ExitStack())
            running.append((cause, own, own.enter_context(cause.trouble(self.stack))))
        return running

    def _advance(self, running: Running) -> bool:
        """Looks at what fires, goes on with what must go on, mends what did its work; true where all of it did."""
        now = list_firing(self.stack)
        for name, service in sorted((now - self.seen) & self.wanted):
            print(f"{time.monotonic() - self.began:4.0f} s  {self.system}: {name} ({service})")
        self.seen |= now
        brief = [(own, set(cause.alerts) <= self.seen) for cause, own, _ in running if cause.brief]
        for own, done in brief:
            if done:
                own.close()
        if all(done for _, done in brief):  # until then the receiver does not answer
            self.unsent = list_unsent(self.stack, self.wanted)
        # what ends within the time that a group waits for is sent to nobody, so it goes on until it is
        for cause, own, poke in running:
            if set(cause.alerts) & (self.unsent | (self.wanted - self.seen)):
                poke()
            else:
                own.close()
        return self.wanted <= self.seen and not self.unsent


def list_unsent(stack: RunningStack, pairs: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """Those alerts that the receiver was not notified of."""
    sent = {(alert["labels"]["alertname"], alert["labels"].get("service", "")) for alert in stack.list_sent_alerts()}
    return pairs - sent
