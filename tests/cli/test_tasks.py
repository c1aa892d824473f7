"""Programs that run once: their lines."""

from __future__ import annotations

import pytest

from cli.tasks import Task, read_lines
from tests.support.workloads import PLAIN


@pytest.mark.parametrize(
    ("chunks", "lines"),
    [
        ([b"a\nb", b"c\n", b"d"], ["a", "bc", "d"]),
        ([b"a\r\n", b"\n"], ["a", ""]),
        ([], []),
        ([b"\xff\n"], ["\ufffd"]),
        ([b"\xc3", b"\xa9\n"], ["\u00e9"]),
    ],
)
def test_lines_come_whole(chunks: list[bytes], lines: list[str]) -> None:
    """However they are cut on their way, also within a letter, and the last one without its end."""
    said: list[str] = []
    read_lines(iter(chunks), said.append)
    assert said == lines


def test_lines_come_at_once() -> None:
    """The first is handed on before the second has come: whoever waits sees what is going on."""
    said: list[str] = []

    def chunks() -> object:
        yield b"first\n"
        assert said == ["first"]
        yield b"second\n"

    read_lines(chunks(), said.append)  # type: ignore[arg-type]
    assert said == ["first", "second"]


def test_a_task_does_not_show_its_secrets() -> None:
    """Neither in an error nor in a trace."""
    assert "canary" not in repr(Task(agent=PLAIN, command=("x",), secrets={"/run/secrets/a": "canary"}))
