"""What is done with a line where it is read: the runtime's form taken off, parts and traces joined, its time found.

Operators: https://pkg.go.dev/github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza. Expressions:
https://expr-lang.org/docs/language-definition.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from components.lines.joining import WHOLE_JSON, build_first_line, group_joined
from components.lines.times import UNREAD, build_beginning
from model.expressions import list_groups
from model.lines import TIME_FIELDS, LineFormat, LineTime, Multiline
from model.logs import Logs

Operator = dict[str, Any]
PATH = 'attributes["log.file.path"]'
DOCKER_FORM = """body startsWith '{"log":"'"""
STREAM = "attributes.source"
"""Stream of a container, within which parts and lines are joined."""
ENTRY_BYTES = 229376
"""Parts of an entry are joined until it has more, which is 16 KiB below what Loki takes of one."""
RFC3339 = "2006-01-02T15:04:05.999999999Z07:00"
_COMPACT = RFC3339.replace("Z07:00", "Z0700")
_FOUND, _RAW = "attributes.found", "attributes.time_raw"
_NUMBER = r"^[1-9][0-9]{9}([0-9]{3}|[0-9]{6}|[0-9]{9})?([.][0-9]+)?$"
_SCALES = (
    *(("1e9", "1e10", "int(n * 1e9)"), ("1e12", "1e13", "int(n) * 1000000")),
    *(("1e15", "1e16", "int(n) * 1000"), ("1e18", "1e19", "int(n)")),
)
"""Which numbers are seconds, milliseconds, ..., from and below, and their nanoseconds."""


def build_docker_operators() -> list[Operator]:
    """What Docker puts around a line: JSON, with parts of 16 KiB of which the last one alone ends with a newline.

    Source: https://docs.docker.com/engine/logging/drivers/json-file/
    """
    return [_parse_runtime("json_parser"), *_build_part_operators()]


def build_pod_operators() -> list[Operator]:
    """What the runtime of a node puts around a line: what Docker does, or the form that all others have.

    A part of a line has the tag P, and the last one F: then it ends with a newline as Docker's does.
    Source: https://github.com/kubernetes/design-proposals-archive/blob/main/node/kubelet-cri-logging.md
    """
    form = r"^(?P<time>\S+) (?P<stream>stdout|stderr) (?P<tag>\S+) ?(?P<log>.*)$"
    return [
        _parse_runtime("json_parser", **{"if": DOCKER_FORM}),
        _parse_runtime("regex_parser", **{"if": f"not ({DOCKER_FORM})"}, regex=form),
        {
            "type": "add",
            "if": "attributes.tag != nil and not (attributes.tag startsWith 'P')",
            "field": "attributes.log",
            "value": r'EXPR(attributes.log + "\n")',
        },
        *_build_part_operators(),
        {"type": "copy", "from": "attributes.stream", "to": "resource.stream"},
    ]


def _parse_runtime(kind: str, **options: str) -> Operator:
    time = {"parse_from": "attributes.time", "layout_type": "gotime", "layout": RFC3339}
    return {"type": kind, "parse_to": "attributes", "timestamp": time, "on_error": "drop_quiet", **options}


def _build_part_operators() -> list[Operator]:
    """What joins the parts of a line within a stream."""
    return [
        {"type": "add", "field": STREAM, "value": f'EXPR({PATH} + " " + attributes.stream)'},
        {
            "type": "recombine",
            "combine_field": "attributes.log",
            "combine_with": "",
            "is_last_entry": r'attributes.log endsWith "\n"',
            "source_identifier": STREAM,
            "max_log_size": ENTRY_BYTES,
            "max_unmatched_batch_size": 0,
            "force_flush_period": "5s",
        },
        {"type": "add", "field": "body", "value": r'EXPR(trimSuffix(trimSuffix(attributes.log, "\n"), "\r"))'},
    ]


def build_joining_operators(services: Mapping[str, Logs]) -> list[Operator]:
    """What joins the lines of services, by name, within one container."""
    return [
        build_joined(how, line_format, f"resource.service in {json.dumps(names)}")
        for (how, line_format), names in group_joined(services).items()
    ]


def build_joined(how: Multiline, line_format: LineFormat, condition: str = "true", within: str = STREAM) -> Operator:
    """What joins the lines of which a condition is true. Nothing is joined to an object of JSON."""
    among = f" and not (body matches {json.dumps(WHOLE_JSON)})" if line_format == "json" else ""
    return {
        "type": "recombine",
        "if": condition + among,
        "combine_field": "body",
        "is_first_entry": f"body matches {json.dumps(build_first_line(how, line_format))}",
        "source_identifier": within,
        "max_batch_size": how.max_lines,
        "max_unmatched_batch_size": how.max_lines,
        "force_flush_period": how.max_wait,
    }


# -- times -----------------------------------------------------------------------------------------------------------


def build_time_operators(how: LineTime, line_format: LineFormat, expression: str | None = None) -> list[Operator]:
    """What gives lines of a file their own time, and marks those that have none."""
    fields = (how.field,) if how.field else TIME_FIELDS
    made: list[Operator] = []
    sources: list[str] = []
    if line_format == "json":
        made.append(_parse("json_parser", r"^\s*\{"))
        sources += [path for name in fields for path in _list_paths(name)]
    elif line_format == "logfmt":
        for number, name in enumerate(fields):
            made.append(_parse_pair(name, number))
            sources += [f"{_FOUND}?.plain_{number}", f"{_FOUND}?.quoted_{number}"]
    if expression and (named := [name for name in fields if name in list_groups(expression)]):
        made.append(_parse("regex_parser", expression, regex=expression))
        sources += [f"{_FOUND}?.{name}" for name in named]
    if not how.field:
        beginning = build_beginning(how)
        made.append(_parse("regex_parser", beginning, regex=beginning))
        sources.append(f"{_FOUND}?.time_text")
    first = f"find([{', '.join(sources)}], # != nil and # != '')"
    made.append({"type": "add", "field": _RAW, "value": f"EXPR({first})", "on_error": "send_quiet"})
    made += _read_layout(how) if how.layout else _read_usual()
    return [*made, {"type": "add", "if": "timestamp.IsZero()", "field": f"attributes.{UNREAD}", "value": "reading"}]


def _parse(kind: str, begins: str, **options: str) -> Operator:
    condition = f"body matches {json.dumps(begins)}"
    return {"type": kind, "if": condition, "parse_to": _FOUND, "on_error": "send_quiet", **options}


def _parse_pair(name: str, number: int) -> Operator:
    pair = rf'(?:^|\s){re.escape(name)}=(?:"(?P<quoted_{number}>[^"]*)"|(?P<plain_{number}>[^\s"]+))'
    return _parse("regex_parser", pair, regex=pair)


def _list_paths(name: str) -> list[str]:
    """A name with a dot is one key, or leads into an object."""
    outer, _, inner = name.partition(".")
    nested = f"get(type({_FOUND}?.[{outer!r}]) == 'map' ? {_FOUND}[{outer!r}] : {{}}, {inner!r})"
    return [f"{_FOUND}?.[{name!r}]", *([nested] if inner else [])]


def _read_layout(how: LineTime) -> list[Operator]:
    zone = {"location": how.zone} if how.zone else {}
    return [_read_time("type({}) == 'string'", layout_type="gotime", layout=how.layout or "", **zone)]


def _read_usual() -> list[Operator]:
    """RFC 3339, or a number since 1970 by its digits: what is neither of these could be a duration."""
    number = f"type({_RAW}) == 'float' or type({_RAW}) == 'string' and {_RAW} matches {json.dumps(_NUMBER)}"
    scaled = " : ".join(f"n >= {low} and n < {high} ? {each}" for low, high, each in _SCALES)
    nanoseconds = f"let n = float({_RAW}); {scaled} : {_RAW}"
    text = f"replace(upper({_RAW}), ' ', 'T')"
    offset = json.dumps("[+-][0-9]{4}$")
    return [
        {"type": "add", "if": number, "field": _RAW, "value": f"EXPR({nanoseconds})"},
        {"type": "add", "if": f"type({_RAW}) == 'string'", "field": _RAW, "value": f"EXPR({text})"},
        _read_time("type({}) == 'int'", layout_type="epoch", layout="ns"),
        _read_time(f"type({{}}) == 'string' and {{}} matches {offset}", layout_type="gotime", layout=_COMPACT),
        _read_time(f"type({{}}) == 'string' and not ({{}} matches {offset})", layout_type="gotime", layout=RFC3339),
    ]


def _read_time(condition: str, **how: str) -> Operator:
    return {
        "type": "time_parser", "if": condition.replace("{}", _RAW), "parse_from": _RAW, "on_error": "send_quiet", **how
    }  # fmt: skip
