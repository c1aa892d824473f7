"""The level of a line: one of seven words, whatever programs call it and wherever they write it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from model.levels import LEVELS

LEVEL_FIELDS = (
    *("level", "severity", "lvl", "levelname", "log_level", "loglevel", "severity_text", "log.level", "@l", "sev"),
)
"""Where the level of a JSON or logfmt line is, in the order in which it is looked for."""
_LEVEL_NAMES = (
    "TRACE|TRC|DEBUG|DBG|INFO|INF|NOTICE|WARN|WARNING|WRN|ERROR|ERR|SEVERE|CRITICAL|CRIT|ALERT|FATAL|FTL|PANIC"
    "|EMERG|EMERGENCY"
)
TEXT_LEVEL = (
    r"^(?P<klog>[IWEF])\d{4} "
    r"|(?i:\b(?:level|lvl|severity|sev|levelname|log_?level)[\"']?[=:] ?[\"']?(?P<pair>[a-z]+))"
    rf"|(?:\b|\x1b\[[0-9;]*m)(?P<word>{_LEVEL_NAMES})\b"
    r"|\b(?P<postgres>LOG):"
    rf"|[\[<](?P<bracket>(?i:{_LEVEL_NAMES}))[\]>]"
    r"|^(?P<trace>Traceback|Exception in thread)\b"
    r"|^(?P<prefix>debug|info|warning|warn|error|panic|fatal)(?:\([\w.]+\))?: "
)
"""Where the level of any other line is: what klog, logfmt, most loggers, PostgreSQL, nginx and Zig or Go begin with,
and what runtimes write of an exception that nobody caught.

Words inside of a sentence are lower-case, and are no level: "no error found".
"""
TEXT_GROUPS = ("klog", "pair", "word", "postgres", "bracket", "trace", "prefix")
"""Its groups: the first that is not empty is the level."""
SERILOG = '"@t" && ("@mt" || "@m") && \'information\''
"""Serilog's compact format leaves the level out where it is Information, as an expression of JMESPath.

Source: https://github.com/serilog/serilog-formatting-compact#reified-properties.
"""


def build_level_stage(sources: Sequence[str]) -> dict[str, Any]:
    """The stage that makes one of LEVELS of the first source that is not empty; none of what is no level.

    A level that is unknown would be a label with any number of values. Numbers between pino's own count as the one
    below, as pino says of levels that people add.
    """
    pairs = " ".join(f'"{spelling}" "{name}"' for name, spellings in LEVELS.items() for spelling in spellings)
    first = " ".join(f".{source}" for source in sources)
    spelling = f'(or {first} "" | ToLower)'
    tens = f'(regexReplaceAll "^([1-6])[0-9]$" {spelling} "${{1}}0")'
    return {"template": {"source": "level", "template": f"{{{{ get (dict {pairs}) {tens} }}}}"}}
