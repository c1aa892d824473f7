"""Where the level of a line is, whatever programs call it and wherever they write it."""

from __future__ import annotations

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
