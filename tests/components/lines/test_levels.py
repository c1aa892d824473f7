"""Levels: the words for them, and where they are in a text."""

from __future__ import annotations

import re

import pytest

from components.lines.levels import TEXT_LEVEL


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("E0102 15:04:05.123456       1 main.go:7] failed", "E"),
        ("ts=1 level=warn msg=x", "warn"),
        ("2026-01-01 12:00:00.000 ERROR 1 --- [main] c.e.App : x", "ERROR"),
        ("2026-01-01 00:00:00 UTC [1] LOG:  ready", "LOG"),
        ("2026/01/01 00:00:00 [crit] 7#7: x", "crit"),
        ("error(http): x", "error"),
        ("\x1b[31mERROR\x1b[0m x", "ERROR"),
        ("2026-01-01T00:00:00Z ERR x", "ERR"),
        ("[Warning] x", "Warning"),
        ("<error> x", "error"),
        ("sev=crit msg=x", "crit"),
        ("Traceback (most recent call last):", "Traceback"),
        ('Exception in thread "main" java.lang.Error', "Exception in thread"),
        ("all is well, no error", None),
        ('{"errors":0}', None),
        ("0 errors, terrorism", None),
    ],
)
def test_a_text_has_its_level(line: str, word: str | None) -> None:
    """The usual forms of loggers have a level; a sentence that mentions an error has none."""
    match = re.search(TEXT_LEVEL, line)
    assert (next(filter(None, match.groups())) if match else None) == word
