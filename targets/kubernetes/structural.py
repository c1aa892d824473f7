"""Judges an object by the schema of its CustomResourceDefinition, as the API server would, but more strictly.

The API server silently drops fields that a schema does not know; here they are problems, since a misspelt field would
simply do nothing. Rules in CEL are left to the API server.
Format: https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#validation.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from model.errors import suggest_name

Schema = Mapping[str, Any]

_TYPES: Mapping[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list, tuple),
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
}
_SHOWN = 60
"""Characters of a bad value that a message repeats."""


def check_value(value: Any, schema: Schema, path: str = "") -> Iterator[str]:
    """Everything that is wrong with a value, each as `path: value, what would be right`."""
    if value is None and schema.get("nullable"):
        return
    if wrong := _check_type(value, schema):
        yield f"{path}: {wrong}"
        return
    if isinstance(value, Mapping):
        yield from _check_object(value, schema, path)
    elif isinstance(value, (list, tuple)):
        yield from _check_unique(value, schema, path)
        yield from _check_bounds(path, len(value), "entries", schema.get("minItems"), schema.get("maxItems"))
        for number, item in enumerate(value):
            yield from check_value(item, schema.get("items", {}), f"{path}[{number}]")
    else:
        yield from _check_scalar(value, schema, path)
    yield from _check_combined(value, schema, path)


def _check_type(value: Any, schema: Schema) -> str | None:
    kind = schema.get("type")
    if schema.get("x-kubernetes-int-or-string"):
        fits = isinstance(value, (int, str)) and not isinstance(value, bool)
        return None if fits else f"{format_value(value)} must be a number or text"
    if kind is None:
        return None
    fits = isinstance(value, _TYPES[kind]) and (kind == "boolean" or not isinstance(value, bool))
    return None if fits else f"{format_value(value)} must be of type {kind}"


def _check_object(value: Mapping[str, Any], schema: Schema, path: str) -> Iterator[str]:
    known: Mapping[str, Schema] = schema.get("properties", {})
    rest = schema.get("additionalProperties")
    for key in schema.get("required", ()):
        if key not in value:
            yield f"{_join_path(path, key)}: is required"
    for key, item in value.items():
        where = _join_path(path, key)
        if key in known:
            yield from check_value(item, known[key], where)
        elif isinstance(rest, Mapping):
            yield from check_value(item, rest, where)
        elif not rest and not schema.get("x-kubernetes-preserve-unknown-fields"):
            yield f"{where}: unknown field {key!r}; {suggest_name(key, known)}"


def _check_unique(value: Sequence[Any], schema: Schema, path: str) -> Iterator[str]:
    """Entries that a list may hold but once."""
    kind = schema.get("x-kubernetes-list-type", "atomic")
    keys = schema.get("x-kubernetes-list-map-keys", ())
    if kind == "atomic":
        return
    seen = [{key: item.get(key) for key in keys} if kind == "map" else item for item in value]
    for number, item in enumerate(seen):
        if item in seen[:number]:
            yield f"{path}[{number}]: {format_value(item)} stands there twice"


def _check_scalar(value: Any, schema: Schema, path: str) -> Iterator[str]:
    if "enum" in schema and value not in schema["enum"]:
        yield f"{path}: {format_value(value)} is not known; {suggest_name(str(value), map(str, schema['enum']))}"
    if isinstance(value, str):
        yield from _check_bounds(path, len(value), "characters", schema.get("minLength"), schema.get("maxLength"))
        pattern = schema.get("pattern")
        if pattern and not re.search(_anchor_pattern(pattern), value):
            yield f"{path}: {format_value(value)} must match {pattern}"
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        yield from _check_bounds(path, value, "", schema.get("minimum"), schema.get("maximum"))


def _check_bounds(path: str, value: float, unit: str, least: float | None, most: float | None) -> Iterator[str]:
    if least is not None and value < least:
        yield f"{path}: {value:g} {unit}".rstrip() + f", but {least:g} at least"
    if most is not None and value > most:
        yield f"{path}: {value:g} {unit}".rstrip() + f", but {most:g} at most"


def _check_combined(value: Any, schema: Schema, path: str) -> Iterator[str]:
    """What the schema's allOf, anyOf, oneOf and not ask for beyond its own fields, which these only constrain."""

    def fits(part: Schema) -> bool:
        open_part = {"x-kubernetes-preserve-unknown-fields": True, **part}
        if schema.get("x-kubernetes-int-or-string"):
            open_part.pop("type", None)
        return not [*check_value(value, open_part, path)]

    tests: Mapping[str, tuple[Callable[[int, int], bool], str]] = {
        "allOf": (lambda good, all_: good == all_, "must fit every part"),
        "anyOf": (lambda good, _: good > 0, "must fit one part at least"),
        "oneOf": (lambda good, _: good == 1, "must fit exactly one part"),
    }
    for key, (holds, text) in tests.items():
        if (parts := schema.get(key)) and not holds(sum(map(fits, parts)), len(parts)):
            yield f"{path}: {format_value(value)} {text} of {format_value(parts)}"
    if "not" in schema and fits(schema["not"]):
        yield f"{path}: {format_value(value)} must not fit {format_value(schema['not'])}"


def _anchor_pattern(pattern: str) -> str:
    """The pattern in Python's notation, its end being that of the text and not that of its last line.

    Go knows `((?i)a|b)`, a flag to the end of its group, which is `((?i:a|b))` in Python.
    """
    while (start := pattern.find("(?i)", 1)) > 0:
        end = _find_group_end(pattern, start + 4)
        pattern = f"{pattern[:start]}(?i:{pattern[start + 4 : end]}){pattern[end:]}"
    return pattern[:-1] + r"\Z" if pattern.endswith("$") and not pattern.endswith(r"\$") else pattern


def _find_group_end(pattern: str, start: int) -> int:
    """Where the group that `start` lies in ends; parentheses in brackets or behind backslashes are not looked for."""
    depth = 0
    for scope in range(start, len(pattern)):
        depth += {"(": 1, ")": -1}.get(pattern[scope], 0)
        if depth < 0:
            return scope
    return len(pattern)


def _join_path(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def format_value(value: Any) -> str:
    """A value as it stands in a message."""
    text = json.dumps(value, default=str)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "..."
