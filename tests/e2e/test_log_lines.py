"""What the very agents that are deployed make of lines, each by the document that it is given."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from model.lines import IDS, LineFormat, LineTime
from model.load import parse_model
from model.logs import Logs
from tests.support.line_agents import AGENTS, LineAgent
from tests.support.pushed import Entry, pushed

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


@pytest.fixture(params=AGENTS)
def agent(request: pytest.FixtureRequest) -> LineAgent:
    """Each agent: lines are the same whichever reads them."""
    return AGENTS[request.param]


def read(agent: LineAgent, folder: Path, logs: dict[str, Any], lines: list[str], count: int) -> list[Entry]:
    """The entries that a service with these logs has, one of two that the agent knows."""
    known = {"api": parse_model(Logs, logs, "api"), "other": parse_model(Logs, {"multiline": {}}, "other")}
    return agent.read_service(folder, known, lines, count, "api")


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
def test_a_trace_is_one_entry(
    agent: LineAgent, tmp_path: Path, logs: dict[str, Any], text: str, sizes: list[int]
) -> None:
    """Entries are those of the text, whole and in any order, as Loki sorts by time; no line is lost or there twice."""
    lines, wanted = text.splitlines(), []
    for size in sizes:
        wanted.append("\n".join(lines[:size]))
        lines = lines[size:]
    entries = read(agent, tmp_path, logs, text.splitlines(), len(sizes))
    assert sorted(entry.line for entry in entries) == sorted(wanted)


def test_an_entry_has_the_level_of_its_first_line(agent: LineAgent, tmp_path: Path) -> None:
    """A search for its level shows the whole trace, and JSON beside traces has its fields."""
    entries = read(agent, tmp_path, {"format": "text", "multiline": {}}, JAVA.splitlines(), 2)
    assert sorted(entry.labels["level"] for entry in entries) == ["error", "info"]
    entries = read(agent, tmp_path / "json", {"multiline": {}}, BESIDE_JSON.splitlines(), 4)
    assert {"trace_id": "abc"} in [entry.beside for entry in entries]


# -- times -----------------------------------------------------------------------------------------------------------

BEFORE = datetime.now(UTC).replace(microsecond=123000) - timedelta(minutes=10)
"""As long as an agent may have been away when it reads the lines."""
SECONDS, MILLISECONDS = int(BEFORE.timestamp()), round(BEFORE.timestamp() * 1000)
ISO = BEFORE.strftime("%Y-%m-%dT%H:%M:%S.123")
LOCAL: dict[str, Any] = {"layout": "2006-01-02 15:04:05,000", "zone": "Asia/Tokyo"}
TOKYO = BEFORE + timedelta(hours=9)
TIMES: tuple[tuple[LineFormat, dict[str, Any], str], ...] = (
    ("json", {}, f'{{"time":"{ISO}Z"}}'),
    ("json", {}, f'{{"@timestamp":"{TOKYO.strftime("%Y-%m-%dT%H:%M:%S,123")}+0900"}}'),
    ("json", {}, f'{{"@t":"{ISO}Z","level":"info"}}'),
    ("json", {}, f'{{"ts":{SECONDS}.123}}'),
    ("json", {}, f'{{"ts":"{SECONDS}.123"}}'),
    ("json", {}, f'{{"timestamp":{MILLISECONDS}}}'),
    ("json", {}, f'{{"ts":{MILLISECONDS}000}}'),
    ("json", {}, f'{{"ts":{MILLISECONDS}000000}}'),
    ("json", {}, f"{ISO}Z ERROR a text among objects"),
    ("json", {"field": "at.time"}, f'{{"at":{{"time":"{ISO}Z"}},"time":"other"}}'),
    ("json", {"field": "at", **LOCAL}, f'{{"at":"{TOKYO.strftime("%Y-%m-%d %H:%M:%S,123")}"}}'),
    ("logfmt", {}, f"level=info ts={ISO}Z msg=x"),
    ("logfmt", {}, f"level=info time={SECONDS}.123 msg=x"),
    ("text", {}, f"[{ISO.replace('T', ' ')}+00:00] x"),
    ("text", LOCAL, f"{TOKYO.strftime('%Y-%m-%d %H:%M:%S,123')} x"),
)
UNREAD = ('{"time":35}', '{"time":"yesterday"}', '{"ts":7}', '{"time":{"a":1}}', "plain", "2026-13-45T10:00:00Z x")


@pytest.mark.parametrize(("line_format", "how", "line"), TIMES, ids=map(str, range(len(TIMES))))
def test_a_line_has_its_own_time(
    agent: LineAgent, tmp_path: Path, line_format: LineFormat, how: dict[str, Any], line: str
) -> None:
    """What was written while nobody read has the time at which it was written."""
    (entry,) = agent.read_file(tmp_path, parse_model(LineTime, how, "time"), line_format, [line], 1)
    assert abs(entry.time - BEFORE) < timedelta(milliseconds=2) and not entry.beside


def test_a_line_without_a_time_says_so(agent: LineAgent, tmp_path: Path) -> None:
    """It has the time of reading, also behind a line that has one, and can be searched for."""
    entries = agent.read_file(tmp_path, LineTime(), "json", [TIMES[0][2], *UNREAD], len(UNREAD) + 1)
    unread = {entry.line: entry.time for entry in entries if entry.beside == {"time_from": "reading"}}
    assert set(unread) == set(UNREAD)
    assert all(time > BEFORE + timedelta(minutes=9) for time in unread.values())


def test_a_year_is_that_of_reading(agent: LineAgent, tmp_path: Path) -> None:
    """Times of syslog have none."""
    how = LineTime(layout="Jan _2 15:04:05", zone="UTC")
    line = f"{BEFORE.strftime('%b')} {BEFORE.day:2} {BEFORE.strftime('%H:%M:%S')} host app[7]: x"
    (entry,) = agent.read_file(tmp_path, how, "text", [line], 1)
    assert abs(entry.time - BEFORE) < timedelta(seconds=1)


def test_an_absence_changes_no_time(agent: LineAgent, tmp_path: Path) -> None:
    """Lines that are written while an agent is away are read from where it was, with their times; none comes twice."""
    first, second = TIMES[0][2], f'{{"time":"{ISO}Z","msg":"later"}}'
    agent.read_file(tmp_path, LineTime(), "json", [first], 1)
    (entry,) = agent.read_file(tmp_path, LineTime(), "json", [first, second], 1)
    assert entry.line == second and abs(entry.time - BEFORE) < timedelta(milliseconds=2)


def test_files_are_left_out(tmp_path: Path) -> None:
    """Files that one of several patterns in braces means are not read."""
    for name in ("a.log", "b.gz", "c.log"):
        (tmp_path / name).write_text(f"{name}\n", encoding="utf-8")
    left_out = f"{{{tmp_path}/*.gz,{tmp_path}/c.log}}"
    labels = {"job": "a", "__path__": f"{tmp_path}/[a-c].*", "__path_exclude__": left_out}
    target = {"targets": ["localhost"], "labels": labels}
    assert [entry.line for entry in pushed(tmp_path, [{"job_name": "a", "static_configs": [target]}], 1)] == ["a.log"]


# -- fields and levels -----------------------------------------------------------------------------------------------

ACCESS = r'^(?P<ip>\S+) "(?P<method>[A-Z]+) (?P<path>\S+)" (?P<status>\d+) (?P<lvl>\w+) (?P<traceId>\w+)$'


def test_text_has_the_groups_of_its_expression(agent: LineAgent, tmp_path: Path) -> None:
    """Groups become labels, or are stored beside the line; a line that does not match is still there."""
    logs = {"format": "text", "expression": ACCESS, "labels": ["level", "method"]}
    line = '10.0.0.1 "GET /a" 500 WARN 4bf92f'
    entries = {entry.line: entry for entry in read(agent, tmp_path, logs, [line, "ERROR none"], 2)}
    labels = entries[line].labels
    assert (labels["level"], labels["method"]) == ("warn", "GET") and "method" not in entries["ERROR none"].labels
    assert entries[line].beside == {"ip": "10.0.0.1", "path": "/a", "status": "500", "trace_id": "4bf92f"}
    assert entries["ERROR none"].labels["level"] == "error" and not entries["ERROR none"].beside


LOGGERS: tuple[tuple[dict[str, Any], str, str], ...] = (
    ({}, '{"level":50,"time":1700000000123,"pid":1,"msg":"pino"}', "error"),
    ({}, '{"name":"a","level":40,"msg":"bunyan","v":0}', "warn"),
    ({}, '{"level":"dpanic","ts":1700000000.123,"msg":"zap"}', "fatal"),
    ({}, '{"event":"structlog","level":"warning"}', "warn"),
    ({}, '{"levelname":"CRITICAL","message":"python-json-logger"}', "critical"),
    ({}, '{"@t":"2026-01-01T00:00:00Z","@mt":"Serilog"}', "info"),
    ({}, '{"@t":"2026-01-01T00:00:00Z","@mt":"Serilog","@l":"Warning"}', "warn"),
    ({}, '{"log.level":"error","message":"ECS"}', "error"),
    ({}, '{"sev":"notice"}', "info"),
    ({}, '{"severity":"emerg"}', "fatal"),
    ({"format": "text"}, "10:00:00.123 [main] ERROR c.e.App - logback", "error"),
    ({"format": "text"}, "2026-01-01 [Error] x", "error"),
    ({"format": "text"}, "Traceback (most recent call last):", "error"),
    ({"format": "logfmt"}, "ts=1 level=warn msg=logfmt", "warn"),
    ({"format": "text"}, "Nov 29 10:00:00 host app[7]: <crit> syslog", "critical"),
)


@pytest.mark.parametrize(("logs", "line", "level"), LOGGERS, ids=[line for _, line, _ in LOGGERS])
def test_each_logger_has_its_level(
    agent: LineAgent, tmp_path: Path, logs: dict[str, Any], line: str, level: str
) -> None:
    """As the usual libraries write it."""
    (entry,) = read(agent, tmp_path, logs, [line], 1)
    assert entry.labels["level"] == level


@pytest.mark.parametrize(
    ("line_format", "line", "wanted"),
    [
        *(("json", f'{{"{name}":"4bf92f"}}', "4bf92f") for name in IDS["trace_id"]),
        ("json", '{"trace":{"id":"4bf92f"}}', "4bf92f"),
        ("json", '{"dd":{"trace_id":"4bf92f"}}', "4bf92f"),
        ("json", '{"otelTraceID":"0"}', None),
        ("logfmt", "level=info traceID=4bf92f", "4bf92f"),
    ],
)
def test_a_trace_has_one_name(
    agent: LineAgent, tmp_path: Path, line_format: str, line: str, wanted: str | None
) -> None:
    """Whatever a library calls it, one query reaches all lines of a trace; zeros are none."""
    (entry,) = read(agent, tmp_path, {"format": line_format}, [line], 1)
    assert entry.beside.get("trace_id") == wanted


def test_lines_that_loki_would_refuse_are_not_sent(agent: LineAgent, tmp_path: Path) -> None:
    """At a first start beside old files: no alert says that lines are lost, as none of these is."""
    now = datetime.now(UTC)
    old, new = (json.dumps({"time": (now - timedelta(days=days)).isoformat(), "msg": days}) for days in (8, 6))
    assert [entry.line for entry in agent.read_file(tmp_path, LineTime(), "json", [old, new], 1)] == [new]
