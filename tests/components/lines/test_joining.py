"""First lines of entries; tests/e2e/test_log_lines.py shows what the agents themselves join."""

from __future__ import annotations

import re

import pytest

from components.lines.joining import BARE_TRACE, TIMESTAMP, UNINDENTED, exclude_prefix


@pytest.mark.parametrize(
    "line",
    [
        "2026-11-29T10:00:00.123Z INFO x",
        "[2026-11-29 10:00:00,123] ERROR in app: x",
        "2026/11/29 10:00:00 [error] 7#7: x",
        '[29/Nov/2026:10:00:00 +0000] "GET /"',
        "29.11.2026 10:00:00 x",
        "Nov 29 10:00:00 host app[7]: x",
        "Nov  2 10:00:00 host app[7]: x",
        "Nov 29, 2026 10:00:00 AM com.example.App main",
        "Sun Nov 29 10:00:00 2026 x",
        "10:00:00.123 [main] ERROR c.e.App - x",
        "1700000000.123 x",
        "1700000000123456789 x",
        "\x1b[2m2026-11-29T10:00:00Z\x1b[0m x",
        "\x1b[31mERROR\x1b[0m x",
        "ERROR:root:x",
        "[ERROR] x",
        "E1129 10:00:00.000000       1 a.go:7] x",
        "level=error msg=x",
        "ts=2026-11-29T10:00:00Z level=info",
        '{"level":30}',
    ],
)
def test_lines_of_loggers_begin_an_entry(line: str) -> None:
    """What loggers begin a line with begins an entry."""
    assert re.search(TIMESTAMP, line)


@pytest.mark.parametrize(
    "line",
    [
        "\tat com.example.App.main(App.java:1)",
        "Caused by: java.io.IOException: x",
        "\t... 3 more",
        "Traceback (most recent call last):",
        '  File "app.py", line 1, in <module>',
        "ValueError: 2026-11-29 is no number",
        "",
        "During handling of the above exception, another exception occurred:",
        "  2026-11-29 an indented date",
        "    ERROR is a word of the source",
    ],
)
def test_lines_of_traces_continue_an_entry(line: str) -> None:
    """What a trace has beside its first line does not begin an entry."""
    assert not re.search(TIMESTAMP, line)


@pytest.mark.parametrize(
    ("line", "begins"),
    [
        ("java.lang.IllegalStateException: x", True),
        ("TypeError: x is not a function", True),
        ("Cause", True),
        ("C", True),
        ("Caused by: java.io.IOException: x", False),
        ("\tat com.example.App.main(App.java:1)", False),
        ("    at Object.<anonymous> (/app/a.js:1:1)", False),
        ("} {", False),
        ("", False),
    ],
)
def test_a_bare_trace_begins_without_spaces(line: str, begins: bool) -> None:
    """Where traces come without a time, each line without spaces before it begins one, but for what closes it."""
    assert bool(re.search(UNINDENTED, line)) is begins


def test_traces_beside_json_begin_an_entry() -> None:
    """A runtime writes them past the logger, so that nothing else would begin them; Python's last line does not."""
    for line in (
        "Traceback (most recent call last):",
        'Exception in thread "main" x',
        "panic: x",
        "java.io.IOException",
    ):
        assert re.search(BARE_TRACE, line), line
    assert not re.search(BARE_TRACE, "requests.exceptions.HTTPError: 500")


def test_a_prefix_is_excluded_without_looking_ahead() -> None:
    """Every text that does not begin with the prefix matches, also one that ends inside of it."""
    pattern = exclude_prefix(r"^\s", "ab:")
    assert [bool(re.search(pattern, text)) for text in ("ab:", "ab", "a", "ac", "b", "", " x")] == [
        False, True, True, True, True, False, False,
    ]  # fmt: skip
