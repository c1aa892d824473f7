"""What is made of a line, in the transformation language of OpenTelemetry: its level, its labels, its fields.

Language: https://pkg.go.dev/github.com/open-telemetry/opentelemetry-collector-contrib/pkg/ottl. The values of a line
are in `log.cache["line"]`, and what its level is called in `log.cache["level"]`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from components.lines.levels import LEVEL_FIELDS, TEXT_GROUPS, TEXT_LEVEL
from components.lines.reading import Reading, group_readings
from model.base import derive_label_name
from model.expressions import list_groups
from model.levels import LEVELS
from model.lines import IDS

BODY = "log.body"
SERVICE = 'resource.attributes["service"]'
_LINE, _LEVEL = 'log.cache["line"]', 'log.cache["level"]'
_LABEL = 'log.attributes["level"]'
_PAIRS = 'log.cache["pairs"]'
PAIR = r'([^\s="]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s"]*))|\S+'
"""A pair of logfmt, or a word that is none: https://brandur.org/logfmt."""
_ENTRY, _END = '"${1}":"${2}${3}",', '"":""}'


def build_groups(readings: Mapping[str, Reading], usual: Reading) -> list[dict[str, Any]]:
    """The statements for lines of services that say how they are read, by name, and of all others.

    A line whose level is nowhere else is searched for it as text.
    """
    special = group_readings(readings, usual)
    known = sorted(service for services in special.values() for service in services)
    made = [build_group(how, match_services(services)) for how, services in special.items()]
    made.append(build_group(usual, f"not {match_services(known)}" if known else ""))
    return [*filter(None, made), build_text_group()]


def match_services(names: Iterable[str]) -> str:
    """True of lines of one of the services."""
    return f"IsMatch({SERVICE}, {_match_word(map(re.escape, names))})"


def _match_word(words: Iterable[str]) -> str:
    return json.dumps(f"^(?:{'|'.join(words)})$")


def build_group(how: Reading, condition: str) -> dict[str, Any]:
    """The statements for lines that are read alike; empty where they have no fields."""
    if how.format == "text" and not how.expression:
        return {}
    begins = {"json": r"^\s*\{", "logfmt": r"\w=", "text": ""}[how.format]
    looks = f"IsMatch({BODY}, {json.dumps(begins)})" if begins else ""
    build = {"json": build_json_statements, "logfmt": build_logfmt_statements, "text": build_text_statements}
    conditions = [" and ".join(filter(None, (condition, looks)))]
    statements = [*build[how.format](how), *build_level_statements(), *_set_values(how)]
    return {**({"conditions": conditions} if any(conditions) else {}), "statements": statements}


def build_text_group() -> dict[str, Any]:
    """The statements that search a line for its level."""
    groups = ", ".join(f'{_LINE}["{name}"]' for name in TEXT_GROUPS)
    found = f'{_LINE}["{TEXT_GROUPS[0]}"] != nil'
    return {
        "conditions": [f"{_LABEL} == nil"],
        "statements": [
            f"set({_LINE}, ExtractPatterns({BODY}, {json.dumps(TEXT_LEVEL)}))",
            f'set({_LEVEL}, Concat([{groups}], "")) where {found}',  # all but one are empty
            *build_level_statements(),
        ],
    }


def build_level_statements() -> list[str]:
    """One of LEVELS for what the level is called; none for what is no level.

    Numbers between pino's own count as the one below, as pino says of levels that people add.
    """
    words = [
        f'set({_LABEL}, "{name}") where IsMatch({_LEVEL}, {_match_word(spellings)})'
        for name, spellings in LEVELS.items()
    ]
    return [
        f"set({_LEVEL}, ToLowerCase(String({_LEVEL}))) where {_LEVEL} != nil",
        f'replace_pattern({_LEVEL}, "^([1-6])[0-9]$", "${{1}}0") where {_LEVEL} != nil',
        *words,
    ]


def build_json_statements(how: Reading) -> list[str]:
    """The values of a JSON line. Serilog's compact format leaves the level out where it is Information.

    Source: https://github.com/serilog/serilog-formatting-compact#reified-properties
    """
    time, message, template = (f'{_LINE}["{name}"]' for name in ("@t", "@m", "@mt"))
    return [
        f"set({_LINE}, ParseJSON({BODY}))",
        f'set({_LEVEL}, "information") where {time} != nil and ({message} != nil or {template} != nil)',
        *_set_first(_LEVEL, _list_level_fields(how)),
    ]


def build_logfmt_statements(how: Reading) -> list[str]:
    """The values of a logfmt line, made JSON of: what the language has for pairs refuses a line for one word more."""
    return [
        f"set({_PAIRS}, {BODY})",
        f"replace_pattern({_PAIRS}, {json.dumps(PAIR)}, {json.dumps(_ENTRY)})",
        f'set({_LINE}, ParseJSON(Concat(["{{", {_PAIRS}, {json.dumps(_END)}], "")))',
        *_set_first(_LEVEL, _list_level_fields(how)),
    ]


def build_text_statements(how: Reading) -> list[str]:
    """The values of a line of text: the groups of an expression, which the line need not match."""
    groups = list_groups(how.expression)
    levels = [how.level_field] if how.level_field else [name for name in LEVEL_FIELDS if name in groups]
    return [f"set({_LINE}, ExtractPatterns({BODY}, {json.dumps(how.expression)}))", *_set_first(_LEVEL, levels)]


def _list_level_fields(how: Reading) -> list[str]:
    return [*([how.level_field] if how.level_field else []), *LEVEL_FIELDS]


def _set_values(how: Reading) -> list[str]:
    """The labels of a line and what is stored beside it, as attributes."""
    made = []
    for name in (*how.labels, *how.fields):
        target = f'log.attributes["{derive_label_name(name)}"]'
        made += _set_first(target, IDS.get(name, (name,)))
        if name in IDS:  # zeros stand for none: https://www.w3.org/TR/trace-context/#trace-id
            made.append(f'delete_key(log.attributes, "{name}") where IsMatch({target}, "^0+$")')
        else:
            made.append(f"set({target}, String({target})) where IsMap({target}) or IsList({target})")
    return made


def _set_first(target: str, names: Sequence[str]) -> list[str]:
    """The first of some values that is there and not empty: as each overwrites the one before, it is set last."""
    paths = [path for name in names for path in _list_paths(name)]
    return [f'set({target}, {path}) where {path} != nil and {path} != ""' for path in reversed(paths)]


def _list_paths(name: str) -> list[str]:
    """A name with a dot is one key, or leads into an object, as ECS has both."""
    ways = [[name], name.split(".")] if "." in name else [[name]]
    return [_LINE + "".join(f"[{json.dumps(part)}]" for part in way) for way in ways]
