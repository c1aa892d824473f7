"""What Promtail makes of a line: its level, the fields that become labels, those stored beside it.

Stages: https://grafana.com/docs/loki/latest/send-data/promtail/stages/.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from model.base import derive_label_name
from model.logs import IDENTITY, Logs

STRUCTURED = ("request_id", "trace_id", "span_id", "user_id")
"""Fields that people search by and that have too many values for an index: stored beside the line."""
IN_THE_LINE = frozenset({"level", "severity", "ts", "time", "timestamp", "msg", "message"})
"""Fields that nobody needs beside the line: Loki has level and time, and the message is what people read."""
LEVELS: Mapping[str, tuple[str, ...]] = {
    "trace": ("10", "trace", "trc", "verbose", "finer", "finest"),
    "debug": ("20", "debug", "dbg", "fine"),
    "info": ("30", "info", "inf", "information", "informational", "notice", "log", "i"),
    "warn": ("40", "warn", "wrn", "warning", "w"),
    "error": ("50", "error", "err", "severe", "e"),
    "critical": ("critical", "crit", "alert"),
    "fatal": ("60", "fatal", "ftl", "panic", "dpanic", "emerg", "emergency", "f"),
}
"""The label's values, and what programs write for them: pino's and bunyan's numbers, klog's letters, syslog's words."""
LEVEL_FIELDS = ("level", "severity", "lvl", "levelname", "log_level", "severity_text", "log.level", "@l")
"""Where the level of a JSON or logfmt line is, in the order in which it is looked for."""
_LEVEL_NAMES = (
    "TRACE|DEBUG|DBG|INFO|INF|NOTICE|WARN|WARNING|WRN|ERROR|ERR|SEVERE|CRITICAL|CRIT|ALERT|FATAL|FTL|PANIC|EMERG"
)
TEXT_LEVEL = (
    r"^(?P<klog>[IWEF])\d{4} "
    r"|(?i:\b(?:level|lvl|severity)[\"']?[=:] ?[\"']?(?P<pair>[a-z]+))"
    rf"|(?:\b|\x1b\[[0-9;]*m)(?P<word>{_LEVEL_NAMES})\b"
    r"|\b(?P<postgres>LOG):"
    r"|\[(?P<bracket>trace|debug|info|notice|warn|warning|error|crit|alert|emerg)\]"
    r"|^(?P<prefix>debug|info|warning|warn|error|panic|fatal)(?:\([\w.]+\))?: "
)
"""Where the level of any other line is: what klog, logfmt, most loggers, PostgreSQL, nginx and Zig or Go begin with.

Words inside of a sentence are lower-case, and are no level: "no error found".
"""
_TEXT_GROUPS = ("klog", "pair", "word", "postgres", "bracket", "prefix")


@dataclass(frozen=True, kw_only=True)
class Reading:
    """How lines are read: their format, which fields become labels, and which are stored beside the line."""

    format: Literal["json", "logfmt", "text"] = "json"
    labels: tuple[str, ...] = ()
    fields: tuple[str, ...] = STRUCTURED
    level_field: str | None = None


def build_reading(logs: Logs) -> Reading:
    """How the lines of a service are read; plain text has no fields."""
    if logs.format == "text":
        return Reading(format="text", fields=())
    labels = tuple(name for name in logs.labels if name != "level")
    hidden = IN_THE_LINE | IDENTITY | {*labels, logs.level_field}
    fields = tuple(dict.fromkeys(name for name in (*STRUCTURED, *logs.fields) if name not in hidden))
    return Reading(format=logs.format, labels=labels, fields=fields, level_field=logs.level_field)


def build_stages(readings: Mapping[str, Reading], usual: Reading | None = None) -> list[dict[str, Any]]:
    """The stages for lines of services that say how they are read, by name, and of all others.

    Services that are read alike share a stage, as each line is compared with each stage. A line whose level is
    nowhere else is searched for it as text.
    """
    usual = usual or Reading()
    special: dict[Reading, list[str]] = {}
    for service, how in sorted(readings.items()):
        if how != usual:
            special.setdefault(how, []).append(service)
    known = sorted(service for services in special.values() for service in services)
    matched = [_build_match_stage(f'{{service=~"{"|".join(services)}"}}', how) for how, services in special.items()]
    rest = f', service!~"{"|".join(known)}"' if known else ""
    matched.append(_build_match_stage(f'{{job=~".+"{rest}}}', usual))
    text = [{"regex": {"expression": TEXT_LEVEL}}, build_level_stage(_TEXT_GROUPS), {"labels": {"level": None}}]
    unread = {"match": {"selector": '{job=~".+", level=""}', "stages": text}}
    return [*(stage for stage in matched if stage), unread]


def _build_match_stage(selector: str, how: Reading) -> dict[str, Any]:
    """The stage for lines of a selector; empty where they have no fields."""
    if how.format == "text":
        return {}
    begins = r"^\s*\{" if how.format == "json" else r"\w="
    parsed = {"json": build_json_stages, "logfmt": build_logfmt_stages}[how.format](how)
    labels = {derive_label_name(name): None for name in ("level", *how.labels)}
    stages = [*parsed, {"labels": labels}]
    if how.fields:
        stages.append({"structured_metadata": {derive_label_name(name): None for name in how.fields}})
    return {"match": {"selector": f"{selector} |~ {json.dumps(begins)}", "stages": stages}}


def build_json_stages(how: Reading) -> list[dict[str, Any]]:
    """The fields of a JSON line. A name with a dot is one key, or leads into an object, as ECS has both.

    Source: https://jmespath.org/specification.html
    """
    looked = [*([how.level_field] if how.level_field else []), *LEVEL_FIELDS]
    expressions = {derive_label_name(name): quote_key(name) for name in (*how.labels, *how.fields)}
    return [
        {"json": {"expressions": {**expressions, "level": " || ".join(map(quote_key, looked))}}},
        build_level_stage(("level",)),
    ]


def quote_key(name: str) -> str:
    """A field of JSON as an expression of JMESPath."""
    quoted = json.dumps(name)
    return f"{quoted} || {'.'.join(map(json.dumps, name.split('.')))}" if "." in name else quoted


def build_logfmt_stages(how: Reading) -> list[dict[str, Any]]:
    """The fields of a logfmt line; the level is in the first of several keys that the line has."""
    looked = list(dict.fromkeys([*([how.level_field] if how.level_field else []), *LEVEL_FIELDS]))
    sources = {f"level_{number}": name for number, name in enumerate(looked)}
    mapping = {derive_label_name(name): name for name in (*how.labels, *how.fields)}
    return [{"logfmt": {"mapping": {**mapping, **sources}}}, build_level_stage(tuple(sources))]


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
