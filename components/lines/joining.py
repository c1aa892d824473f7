"""Which lines are one entry: a stack trace and the line before it."""

from __future__ import annotations

from collections.abc import Mapping

from model.lines import LineFormat, Multiline
from model.logs import Logs

_MONTH_OR_DAY = r"[A-Z][a-z]{2}"
_TIMES = (
    r"\d{4}[-/.]\d\d[-/.]\d\d",  # 2026-11-29T10:00:00, 2026/11/29 10:00:00
    rf"\d\d[-/. ](?:\d\d|{_MONTH_OR_DAY})[-/. ]\d{{4}}",  # 29/Nov/2026, 29.11.2026
    rf"(?:{_MONTH_OR_DAY},? )?{_MONTH_OR_DAY} [ \d]?\d,? (?:\d{{4}},? )?\d\d?:\d\d",  # syslog, ANSI C, Java
    r"\d\d:\d\d:\d\d",
    r"\d{10}(?:\d{3}){0,3}(?:\.\d+)?\b",  # seconds, milliseconds, ... since 1970
)
_LEVELS = "TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|SEVERE|CRITICAL|CRIT|ALERT|FATAL|PANIC|EMERG"
TIMESTAMP = (
    r"^(?:\x1b\[[0-9;]*m)*(?:"
    rf"[\[(<\"']?(?:{'|'.join(_TIMES)})"
    rf"|[\[(<]?(?i:level=)?(?:{_LEVELS})\b"
    r"|[IWEF]\d{4} \d\d:"  # klog
    r"|(?:ts|time|timestamp|t|level|lvl|severity|msg)=\S"  # logfmt
    r"|\{)"
)
"""Lines that begin with a time, a level, a key of logfmt or a JSON object."""
_TRACES = (
    r"Traceback \(most recent call last\)",
    "Exception in thread ",
    r"(?:java|javax|jakarta|kotlin|scala|org|com|io|net)\.[\w.$]*(?:Exception|Error)\b",
    "panic: ",
    "fatal error: ",
    "Unhandled exception",
    "Uncaught ",
)
BARE_TRACE = f"^(?:{'|'.join(_TRACES)})"
"""First lines of the traces that runtimes write by themselves, past any logger: Python, Java, Go, .NET and Node.js."""
WHOLE_JSON = r"^\s*\{.*\}\s*$"
"""A JSON object of one line: an entry of its own, which nothing is joined to, or it could not be read any more."""


def exclude_prefix(first: str, prefix: str) -> str:
    """Texts whose first character is one of a class and that do not begin with `prefix`; RE2 has no look-ahead.

    `exclude_prefix(r"^\\s", "ab")` is `^(?:[^\\sa]|a(?:$|[^b]))`.
    """
    rest = ""
    for character in reversed(prefix[1:]):
        rest = f"(?:$|[^{character}]{f'|{character}{rest}' if rest else ''})"
    return f"^(?:[{first}{prefix[0]}]|{prefix[0]}{rest})"


UNINDENTED = exclude_prefix(r"^\s})\]", "Caused by:")
"""Lines without spaces before them that are no part of a Java trace and close no bracket."""
_WORDS: Mapping[str, str] = {"timestamp": TIMESTAMP, "unindented": UNINDENTED}


def build_first_line(how: Multiline, line_format: LineFormat) -> str:
    """What an entry begins with, as an expression of RE2.

    In a log of JSON what is no JSON object can only be a trace or a text of its own.
    """
    first = _WORDS[how.first_line]
    if how.expression or line_format != "json":
        return how.expression or first
    return f"{first}|{BARE_TRACE}"


def group_joined(services: Mapping[str, Logs]) -> dict[tuple[Multiline, LineFormat], list[str]]:
    """The services whose lines are joined, by how; those that are read alike share a stage."""
    alike: dict[tuple[Multiline, LineFormat], list[str]] = {}
    for service, logs in sorted(services.items()):
        if logs.multiline:
            alike.setdefault((logs.multiline, logs.format), []).append(service)
    return alike
