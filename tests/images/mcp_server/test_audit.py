"""The audit line."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Any

import pytest

from mcp_server import audit


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """Where lines are written to."""
    before, stream = audit._stream, io.StringIO()
    audit.direct_audit(stream)
    yield stream
    audit.direct_audit(before)


def write(**arguments: Any) -> None:
    """Write the line of a call."""
    audit.write_audit(
        who="ann", tool="t", arguments=arguments, result="answered", complete=True, size=9, seconds=0.12345
    )


def test_a_line_says_who_did_what(lines: io.StringIO) -> None:
    """Who, tool, arguments, how it ended, size and time: one line of JSON."""
    write(query="up", limit=5, match=["a", "b"])
    line = json.loads(lines.getvalue())
    assert lines.getvalue().count("\n") == 1 and line.pop("time").endswith("+00:00")
    assert line == {
        "level": "info",
        "msg": "tool call",
        "who": "ann",
        "tool": "t",
        "arguments": {"query": "up", "limit": 5, "match": '["a", "b"]'},
        "result": "answered",
        "complete": True,
        "bytes": 9,
        "seconds": 0.123,
    }


def test_a_line_has_no_secret_and_is_bounded(lines: io.StringIO) -> None:
    """A password in a query is masked; a long argument and many arguments are cut."""
    write(query='{a="b"} |= "password=hunter2"', long="x" * 100_000, **{f"n{n}": 1 for n in range(1000)})
    assert "hunter2" not in lines.getvalue() and len(lines.getvalue()) < 2000


def test_a_caller_cannot_write_a_line_of_its_own(lines: io.StringIO) -> None:
    """A line break in an argument stays within the line."""
    write(query='x\n{"who": "root"}')
    assert lines.getvalue().count("\n") == 1
