"""Progress: what a step says when it ends."""

from __future__ import annotations

import io

import pytest

from toolchain.progress import Progress


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        monkeypatch.setattr("toolchain.progress.time.monotonic", lambda: self.now)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(60.0, "about 10 min to go"), (300.0, "about 30 min to go"), (0.0, "about 5 min to go")],
)
def test_what_remains_follows_from_what_was_slow(seconds: float, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A step that took as long as expected leaves the estimate as it is; a slower one stretches the rest."""
    clock, stream = Clock(monkeypatch), io.StringIO()
    shown = Progress(stream)
    shown.expect({"first": 60, "second": 600})
    with shown.step("first"):
        clock.now += seconds
    assert said in stream.getvalue()


def test_the_last_step_and_others_promise_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing is left, or a step was not expected, only its own time is said."""
    Clock(monkeypatch)
    stream = io.StringIO()
    shown = Progress(stream)
    shown.expect({"only": 60})
    with shown.step("another"), shown.step("only"):
        pass
    assert "to go" not in stream.getvalue()
