"""Settings that only some targets read: how they are marked, and how one that has no effect is found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from model.base import list_models

Target = Literal["docker", "kubernetes"]
"""A platform that stacks are deployed to."""
TARGETS: tuple[Target, ...] = get_args(Target)


@dataclass(frozen=True)
class OnlyOn:
    """Marks a setting that has an effect on one target alone: `port: Annotated[int, OnlyOn("docker")] = 80`.

    A stack whose `target` is another one may not have it.
    """

    target: Target


@dataclass(frozen=True)
class OwnOnly:
    """Marks a setting that only a program of the stack's own can have: `what` runs elsewhere for an operator."""

    what: str


OWN_ALERTMANAGER = OwnOnly("alertmanager")
"""Marks what an AlertmanagerConfig has no field for."""


def list_own_only(section: BaseModel, what: str, prefix: str = "") -> Iterator[str]:
    """Paths of settings in `section`, or below it, that were given and are marked as of the stack's own `what`."""
    for name, field in type(section).model_fields.items():
        if name not in section.model_fields_set:
            continue
        path = f"{prefix}{field.alias or name}"
        if OwnOnly(what) in field.metadata:
            yield path
            continue
        for inner_path, inner in _list_sections(getattr(section, name), path):
            yield from list_own_only(inner, what, f"{inner_path}.")


@dataclass(frozen=True)
class Idle:
    """A setting that was given and that the target does not read: its YAML path, and the target that does."""

    path: str
    target: str


def list_idle_settings(section: BaseModel, target: str, prefix: str = "") -> Iterator[Idle]:
    """Every setting in `section`, or in a section below it, that was given although `target` does not read it.

    Of a whole section without effect only the section is named.
    """
    for name, key, marked in _list_marked_fields(type(section)):
        if name not in section.model_fields_set:
            continue
        if isinstance(value := getattr(section, name), BaseModel) and not value.model_fields_set:
            continue  # Pulumi hands out the defaults of Pulumi.yaml, so an empty section says nothing
        path = f"{prefix}{key}"
        if other := next((only for only in marked if only != target), None):
            yield Idle(path, other)
            continue
        for inner_path, inner in _list_sections(value, path):
            yield from list_idle_settings(inner, target, f"{inner_path}.")


@cache
def _list_marked_fields(model: type[BaseModel]) -> tuple[tuple[str, str, tuple[Target, ...]], ...]:
    """The fields of a model that are marked, or below which one is: name, YAML key and the targets of the marks.

    Of thousands of services hardly a field can be meant, so the others need not be looked at.
    """
    return tuple(
        (name, field.alias or name, _list_targets(field))
        for name, field in model.model_fields.items()
        if _list_targets(field) or any(map(_has_marks, _list_deep_models(field.annotation, set())))
    )


def _list_targets(field: FieldInfo) -> tuple[Target, ...]:
    return tuple(mark.target for mark in field.metadata if isinstance(mark, OnlyOn))


def _has_marks(model: type[BaseModel]) -> bool:
    return any(map(_list_targets, model.model_fields.values()))


def _list_deep_models(annotation: Any, known: set[type[BaseModel]]) -> set[type[BaseModel]]:
    """`known`, with the models that a value of the annotation may hold, however deep."""
    for model in list_models(annotation):
        if model not in known:
            known.add(model)
            for field in model.model_fields.values():
                _list_deep_models(field.annotation, known)
    return known


def _list_sections(value: Any, path: str) -> Iterator[tuple[str, BaseModel]]:
    """The sections that a value is or holds, each with its path."""
    if isinstance(value, BaseModel):
        yield path, value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _list_sections(item, f"{path}.{key}")
    elif isinstance(value, (tuple, list)):
        for number, item in enumerate(value):
            yield from _list_sections(item, f"{path}[{number}]")
