"""Which lines are one entry, as Promtail joins them: a stack trace and the line before it.

Stage: https://grafana.com/docs/loki/latest/send-data/promtail/stages/multiline/.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

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


def build_joined(how: Multiline, line_format: LineFormat, selector: str) -> dict[str, Any]:
    """The stage that joins the lines of a selector such as `{service=~"api"}`.

    It is the first of a pipeline: the stage drops what others stored beside the line, and a `match` before it would
    let lines overtake each other. In a log of JSON what is no JSON object can only be a trace or a text of its own.
    """
    first = how.expression or _WORDS[how.first_line]
    among = ""
    if line_format == "json":
        among = f" !~ {json.dumps(WHOLE_JSON)}"
        first = first if how.expression else f"{first}|{BARE_TRACE}"
    stage = {"firstline": first, "max_lines": how.max_lines, "max_wait_time": how.max_wait}
    return {"match": {"selector": f"{selector}{among}", "stages": [{"multiline": stage}]}}


def build_joining_stages(services: Mapping[str, Logs]) -> list[dict[str, Any]]:
    """The stages for the lines of services, by name; those that are read alike share one, as with all other stages."""
    alike: dict[tuple[Multiline, LineFormat], list[str]] = {}
    for service, logs in sorted(services.items()):
        if logs.multiline:
            alike.setdefault((logs.multiline, logs.format), []).append(service)
    return [
        build_joined(how, line_format, f'{{service=~"{"|".join(names)}"}}')
        for (how, line_format), names in alike.items()
    ]
