"""What the very Promtail that is deployed makes of the lines of files, by the stages that it is given."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from components.promtail.multiline import build_joining_stages
from components.promtail.pipeline import build_reading, build_stages
from model.load import parse_model
from model.logs import Logs
from tests.support.pushed import Entry, pushed_lines

JAVA = """\
2026-11-29 10:00:00.123 ERROR 1 --- [main] c.e.App : cannot start
java.lang.IllegalStateException: no port
\tat com.example.App.main(App.java:12)
Caused by: java.io.IOException: in use
\tat com.example.Net.open(Net.java:7)
\t... 1 more
2026-11-29 10:00:01.000 INFO 1 --- [main] c.e.App : bye"""
PYTHON = """\
[2026-11-29 10:00:00,123] ERROR in app: cannot start
Traceback (most recent call last):
  File "app.py", line 1, in main
    open()
KeyError: 'port'

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "app.py", line 3, in main
    raise ValueError("no port")
ValueError: no port
[2026-11-29 10:00:01,000] INFO in app: bye"""
BESIDE_JSON = """\
{"level":30,"trace_id":"abc","msg":"starts"}
Traceback (most recent call last):
  File "app.py", line 1, in <module>
ValueError: no port
{"level":50,"msg":"restarts"}
Exception in thread "main" java.lang.IllegalStateException: no port
\tat com.example.App.main(App.java:12)
Caused by: java.io.IOException: in use"""
BARE = """\
TypeError: x is not a function
    at main (/app/a.js:1:1)
listens
java.io.IOException: in use
\tat com.example.Net.open(Net.java:7)
Caused by: java.io.IOException: other"""


def read(folder: Path, logs: dict[str, Any], lines: list[str], count: int) -> list[Entry]:
    """The entries that a service with these logs has, one of two that Promtail knows."""
    known = {"api": parse_model(Logs, logs, "api"), "other": parse_model(Logs, {"multiline": {}}, "other")}
    stages = [*build_joining_stages(known), *build_stages({key: build_reading(each) for key, each in known.items()})]
    return pushed_lines(folder, stages, lines, count, service="api")


# -- traces ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("logs", "text", "sizes"),
    [
        ({"format": "text", "multiline": {}}, JAVA, [6, 1]),
        ({"format": "text", "multiline": {}}, PYTHON, [12, 1]),
        ({"multiline": {}}, BESIDE_JSON, [1, 3, 1, 3]),
        ({"format": "text", "multiline": {"firstLine": "unindented"}}, BARE, [2, 1, 3]),
        ({"format": "text", "multiline": {"expression": "^(?:java|[A-Z][a-z]+Error)"}}, BARE, [3, 3]),
        ({"format": "text", "multiline": {"maxLines": 4}}, JAVA, [4, 2, 1]),
        ({"format": "text"}, BARE, [1, 1, 1, 1, 1, 1]),
    ],
    ids=["java", "python", "beside JSON", "unindented", "expression", "most lines", "none"],
)
def test_a_trace_is_one_entry(tmp_path: Path, logs: dict[str, Any], text: str, sizes: list[int]) -> None:
    """Entries are those of the text, whole and in any order, as Loki sorts by time; no line is lost or there twice."""
    lines, wanted = text.splitlines(), []
    for size in sizes:
        wanted.append("\n".join(lines[:size]))
        lines = lines[size:]
    entries = read(tmp_path, logs, text.splitlines(), len(sizes))
    assert sorted(entry.line for entry in entries) == sorted(wanted)


def test_an_entry_has_the_level_of_its_first_line(tmp_path: Path) -> None:
    """A search for its level shows the whole trace, and JSON beside traces has its fields."""
    entries = read(tmp_path, {"format": "text", "multiline": {}}, JAVA.splitlines(), 2)
    assert sorted(entry.labels["level"] for entry in entries) == ["error", "info"]
    entries = read(tmp_path / "json", {"multiline": {}}, BESIDE_JSON.splitlines(), 4)
    assert {"trace_id": "abc"} in [entry.beside for entry in entries]
