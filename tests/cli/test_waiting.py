"""Waits that say what they wait for."""

from __future__ import annotations

from cli.waiting import AGAIN, SHOWN, SILENT, Wait, say_waiting
from model.checks.needs import shorten_names


class Clock:
    """A clock that goes on by what is slept."""

    def __init__(self) -> None:
        self.now = 100.0

    def read(self) -> float:
        """Seconds."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Lets them pass."""
        self.now += seconds


def wait_for(*whats: str, timeout: float) -> list[str]:
    """What a wait says that looks at these again and again, each for a while, until its time is over."""
    clock, said = Clock(), list[str]()
    with say_waiting(said.append):
        wait = Wait(timeout, clock.read, clock.sleep)
        while wait.goes_on(whats[min(len(whats) - 1, int((clock.now - 100) // 10))]):
            pass
    assert wait.remaining == 0 and clock.now - 100 <= timeout + 1
    return said


def test_a_short_wait_says_nothing() -> None:
    """Most things are well at once."""
    assert wait_for("loki (starting)", timeout=SILENT - 0.5) == []


def test_a_long_wait_says_for_what_and_until_when() -> None:
    """Once, and again when a quarter of a minute has passed; at once where it is something else."""
    said = wait_for("loki [starting]", "grafana", timeout=SILENT + AGAIN + 10)
    assert said[0] == "   3 s: waiting for loki \\[starting], until 28 s"
    assert [line.split(" for ")[1].split(",")[0] for line in said] == ["loki \\[starting]", "grafana", "grafana"]


def test_nothing_is_said_to_programs() -> None:
    """Standard output is theirs, and one who did not ask for words gets none."""
    clock = Clock()
    with say_waiting(None):
        wait = Wait(60, clock.read, clock.sleep)
        while wait.goes_on("x"):
            pass
    assert clock.now > 160


def test_of_many_names_some_are_shown() -> None:
    """With how many are left out."""
    assert shorten_names(["a", "b"], SHOWN) == "a, b"
    assert shorten_names([*"abcdef"], SHOWN) == "a, b, c, d and 2 more"
