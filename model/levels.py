"""The levels of log lines: one of seven words, whatever programs call it."""

from __future__ import annotations

from collections.abc import Mapping

LEVELS: Mapping[str, tuple[str, ...]] = {
    "trace": ("10", "trace", "trc", "verbose", "finer", "finest"),
    "debug": ("20", "debug", "dbg", "fine"),
    "info": ("30", "info", "inf", "information", "informational", "notice", "log", "i"),
    "warn": ("40", "warn", "wrn", "warning", "w"),
    "error": ("50", "error", "err", "severe", "e", "traceback", "exception in thread"),
    "critical": ("critical", "crit", "alert"),
    "fatal": ("60", "fatal", "ftl", "panic", "dpanic", "emerg", "emergency", "f"),
}
"""The label's values, and what programs write for them: pino's and bunyan's numbers, klog's letters, syslog's words."""
