"""Every key of a model of YAML, each with another valid value: found by walking the types, so a new key is in it."""

from __future__ import annotations

import copy
import dataclasses
import functools
import json
import re
import types
import typing
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Annotated, Any

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from model.base import parse_duration, parse_size
from model.descriptions import list_descriptions

Values = Mapping[str, Sequence[Any]]
"""Other values of keys by their pattern, where one made from the type alone would be refused for what it says."""
CERTIFICATE = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
TEXTS = (
    "changed", "anew", "changed.example.com", "anew.example.com:7777", "changed.example.com:7777",
    "http://changed.example.com:7777", "http://anew.example.com", "https://changed.example.com",
    "a@changed.example.com", "b@changed.example.com", "#changed", "#anew", "/changed/path", "/anew", "10.9.8.7",
    "Changed", "Anew", "CHANGED", "ANEW", "tcp://changed:1", "unix:///run/changed.sock", "7m", "11m", "77MiB", "777GiB",
    "/prometheus/changed.log", "changed=1", CERTIFICATE,
)  # fmt: skip
"""Texts of all kinds; those that a key's type takes are tried."""
MANY = 1000
"""Numbers are also made so many times larger: what is planned coarsely changes too."""
ONCE_WITHIN_ITSELF = 1
"""How often a model is looked at again within itself, such as routes below routes."""
_DURATION = re.compile(r"([0-9]+(ms|[ywdhms]))+")


@dataclass(frozen=True)
class With:
    """A value of a key that needs other keys beside it, or elsewhere by their paths, and would be refused without."""

    value: Any
    beside: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    elsewhere: Mapping[tuple[Any, ...], Any] = dataclasses.field(default_factory=dict)


@dataclass(frozen=True)
class Change:
    """A key, a document before it is changed, and documents in each of which it has another value.

    `key` has `*` for the keys of mappings and `[]` for entries of lists. `description` is the key's description.
    """

    key: str
    before: Mapping[str, Any]
    after: tuple[Mapping[str, Any], ...]
    description: str


@dataclass(frozen=True)
class _At:
    """A place in a document: the path to it, its key as a pattern, what is said of it, and the models around it."""

    path: tuple[Any, ...] = ()
    key: str = ""
    description: str = ""
    models: tuple[type[BaseModel], ...] = ()

    def field(self, alias: str, description: str) -> _At:
        """A key of the mapping here."""
        key = f"{self.key}.{alias}" if self.key else alias
        return replace(self, path=(*self.path, alias), key=key, description=description)

    def entry(self, name: Any) -> _At:
        """An entry of the list here, or of the mapping whose keys are free."""
        return replace(self, path=(*self.path, name), key=self.key + ("[]" if isinstance(name, int) else ".*"))


def changes(model: type[BaseModel], document: Mapping[str, Any], values: Values, top: str = "") -> Iterator[Change]:
    """A change of every key of a document of that model, or of all below `top`; also of those that it does not have."""
    yield from _Walk(document, values).model(model, document, _At(), top)


class _Walk:
    def __init__(self, root: Mapping[str, Any], values: Values) -> None:
        self._root, self._values = root, values

    def model(self, model: type[BaseModel], here: Mapping[str, Any], at: _At, only: str = "") -> Iterator[Change]:
        if at.models.count(model) > ONCE_WITHIN_ITSELF:
            return
        at = replace(at, models=(*at.models, model))
        said = list_descriptions(model)
        for name, field in model.model_fields.items():
            alias = field.alias or name
            if only in ("", alias):
                usual = None if field.is_required() else field.get_default(call_default_factory=True)
                current = here.get(alias, usual if isinstance(usual, (str, int, float)) else None)
                yield from self.value(_kind(field), current, at.field(alias, said[name]))

    def value(self, kind: Any, current: Any, at: _At) -> Iterator[Change]:
        part = _part(kind)
        held = _held(part)
        if _is_model(part):
            yield from self._below(part, current, at)
        elif held and _has_models(held):
            yield from self._entries(part, current, at)
        else:
            given = self._values.get(at.key)
            other = given if given is not None else others(kind, current)
            after = tuple(self._changed(at.path, value) for value in other if value != current)
            yield Change(at.key, self._root, after, at.description)

    def _changed(self, path: tuple[Any, ...], value: Any) -> dict[str, Any]:
        if not isinstance(value, With):
            return _put(self._root, path, value)
        changed = _put(self._root, path, value.value)
        for key, other in value.beside.items():
            changed = _put(changed, (*path[:-1], key), other)
        for place, other in value.elsewhere.items():
            changed = _put(changed, place, other)
        return changed

    def _below(self, model: type[BaseModel], current: Any, at: _At) -> Iterator[Change]:
        value = current if current is not None else self._first(model, at)
        walk = _Walk(_put(self._root, at.path, value), self._values)
        yield from walk.model(model, value, at)

    def _entries(self, part: Any, current: Any, at: _At) -> Iterator[Change]:
        entries = current or self._first(part, at)
        walk = _Walk(_put(self._root, at.path, entries), self._values)
        for name, value in entries.items() if _is_mapping(part) else enumerate(entries):
            yield from walk.value(_held(part), value, at.entry(name))

    def _first(self, kind: Any, at: _At) -> Any:
        return next(iter(self._values.get(at.key, ())), None) or sample(kind)


# -- values ----------------------------------------------------------------------------------------------------------


def others(kind: Any, current: Any) -> list[Any]:
    """Values that the type takes and that are not the current one, a few for each type; none where none is known."""
    found = [value for value in _candidates(kind, current) if value != current and fits(kind, value)]
    return found[:3] if not _choices(_part(kind)) else found


def sample(kind: Any) -> Any:
    """A value that the type takes; of a model the keys that it must have."""
    part = _part(kind)
    if _is_model(part):
        fields = part.model_fields.items()
        return {field.alias or name: sample(_kind(field)) for name, field in fields if field.is_required()}
    held = _held(part)
    if held and _is_mapping(part):
        return {sample(typing.get_args(part)[0]): sample(held)}
    if held:
        return [sample(held)]
    return others(kind, None)[0]


def fits(kind: Any, value: Any) -> bool:
    """Whether the type takes the value, as strictly as files are read."""
    try:
        _adapt(kind).validate_json(json.dumps(value), strict=True)
    except ValidationError:
        return False
    return True


@functools.cache
def _adapt(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def _candidates(kind: Any, current: Any) -> Iterator[Any]:
    part = _part(kind)
    held = _held(part)
    if choices := _choices(part):
        yield from choices
    elif held and _is_mapping(part):
        given = dict(current or {})
        yield from ({**given, sample(typing.get_args(part)[0]): value} for value in others(held, None))
    elif held:
        yield from ([*(current or ()), value] for value in others(held, None) if value not in (current or ()))
        yield from ([value] for value in others(held, None))
    elif part is bool:
        yield from (True, False)
    elif part in (int, float):
        yield from _numbers(part, current)
    else:
        yield from _texts(kind, current)


def _numbers(part: Any, current: Any) -> Iterator[Any]:
    start = current or part(1)
    yield from (start * MANY, start * 10, start * 2, start + 1, start / 2 if part is float else start - 1)
    yield from (part(value) for value in (77, 7, 2, 1)) if part is int else (0.77, 0.5, 7.7)


def _texts(kind: Any, current: Any) -> Iterator[str]:
    if isinstance(current, str) and _DURATION.fullmatch(current):
        yield from (f"{round(parse_duration(current) * factor * 1000)}ms" for factor in (2, 0.5))
    elif isinstance(current, str) and fits(kind, "77MiB") and not fits(kind, "changed"):
        yield f"{2 * parse_size(current)}B"
    yield from TEXTS


# -- types -----------------------------------------------------------------------------------------------------------


def _kind(field: FieldInfo) -> Any:
    """The type of a field with what is annotated to it."""
    return Annotated[tuple([field.annotation, *field.metadata])] if field.metadata else field.annotation


def _is_model(part: Any) -> bool:
    return isinstance(part, type) and issubclass(part, BaseModel)


def _part(kind: Any) -> Any:
    """A type without None, and without what is annotated to it."""
    origin = typing.get_origin(kind)
    if origin is Annotated:
        return _part(typing.get_args(kind)[0])
    if origin in (typing.Union, types.UnionType):
        return _part(next(part for part in typing.get_args(kind) if part is not type(None)))
    return kind


def _choices(part: Any) -> tuple[Any, ...]:
    return typing.get_args(part) if typing.get_origin(part) is typing.Literal else ()


def _is_mapping(part: Any) -> bool:
    origin = typing.get_origin(part)
    return isinstance(origin, type) and issubclass(origin, Mapping)


def _held(part: Any) -> Any:
    """What a list or a mapping holds; None of anything else."""
    origin, parts = typing.get_origin(part), typing.get_args(part)
    if not isinstance(origin, type) or not issubclass(origin, (Mapping, Sequence)):
        return None
    return parts[1] if issubclass(origin, Mapping) else parts[0]


def _has_models(kind: Any) -> bool:
    part = _part(kind)
    held = _held(part)
    return _has_models(held) if held else _is_model(part)


def _put(document: Mapping[str, Any], path: Sequence[Any], value: Any) -> dict[str, Any]:
    """A copy with the value at the path; mappings on the way are made where they are missing."""
    result = copy.deepcopy(dict(document))
    current: Any = result
    for step, following in pairwise(path):
        if not isinstance(current, list) and step not in current:
            current[step] = [] if isinstance(following, int) else {}
        current = current[step]
    current[path[-1]] = copy.deepcopy(value)
    return result
