"""A change as plain data: its area, what is done to what, and the values before and after."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

DATA, DOWNTIME, RULES, TARGETS, NOTIFICATIONS = "data", "downtime", "rules", "targets", "notifications"
RESOURCES, DASHBOARDS, SETTINGS = "resources", "dashboards", "settings"
AREAS: Mapping[str, str] = {
    DATA: "Data",
    DOWNTIME: "Replacements and downtime",
    RULES: "Rules",
    TARGETS: "Targets",
    NOTIFICATIONS: "Notifications",
    RESOURCES: "Retention, limits and cost",
    DASHBOARDS: "Dashboards",
    SETTINGS: "Other settings",
}
"""The heading of each area, in the order of importance."""
NEW, GONE, CHANGED = "is new", "is removed", "changes"
Documents = Mapping[str, str]
"""What a stack renders: the text of each document by its path."""
_NAMES = ("name", "job_name", "alert", "record", "uid", "containerPath", "container_path", "mountPath", "target_label")
"""Keys by which items of a list are recognised, in the order in which they are tried."""
_ABSENT = object()
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True)
class Detail:
    """A value before and after, None where there is none; one that is twice the same is a thing that changes inside."""

    name: str
    before: str | None = None
    after: str | None = None


@dataclass(frozen=True)
class Change:
    """What is done to a subject; `note` is a sentence of ours, without a value of anybody else's."""

    area: str
    verb: str
    subject: str
    details: tuple[Detail, ...] = ()
    note: str = ""


def parse_documents(text: str) -> list[Any]:
    """The YAML documents of a text; none where it is no YAML."""
    try:
        return [item for item in yaml.load_all(text, _LOADER) if item is not None]
    except yaml.YAMLError:
        return []


def parse_document(text: str) -> Any:
    """The only YAML document of a text; an empty mapping where there is none."""
    return next(iter(parse_documents(text)), {})


def list_changed(before: Documents, after: Documents, start: str = "") -> list[str]:
    """Paths of documents that are new, gone or changed, below `start`."""
    every = sorted(path for path in before.keys() | after.keys() if path.startswith(start))
    return [path for path in every if before.get(path) != after.get(path)]


def compare_values(before: Any, after: Any, path: str = "") -> Iterator[Detail]:
    """Where two values of YAML differ, by path; items of a list are compared by their name where they have one."""
    if before is after or before == after:
        return
    ways = _pair_items(before, after)
    if ways is None:
        yield Detail(path, _format_present(before), _format_present(after))
        return
    for key, old, new in ways:
        yield from compare_values(old, new, f"{path}.{key}" if path and key[0] not in "[ " else f"{path}{key}".strip())


def _pair_items(before: Any, after: Any) -> list[tuple[str, Any, Any]] | None:
    """The parts of two values of one kind side by side; None where they are to be shown as they are."""
    if isinstance(before, dict) and isinstance(after, dict):
        one, other, form = before, after, "{}"
    elif isinstance(before, list) and isinstance(after, list):
        keyed = _name_items(before), _name_items(after)
        if keyed[0] is None or keyed[1] is None or keyed[0].keys() == keyed[1].keys() == set():
            return None
        one, other, form = keyed[0], keyed[1], " {}" if isinstance((before or after)[0], str) else "[{}]"
        if one == other:  # in another order
            return None
    else:
        return None
    every = [*one, *(key for key in other if key not in one)]
    return [(form.format(key), one.get(key, _ABSENT), other.get(key, _ABSENT)) for key in every]


def _name_items(items: Sequence[Any]) -> dict[str, Any] | None:
    """Items of a list by their name, or as `name=value`; None where they have none or share one."""
    if all(isinstance(item, str) and ("=" in item or item.startswith("-")) for item in items):
        pairs = [item.partition("=") for item in items]
        named = {name: value for name, _, value in pairs}
        return named if len(named) == len(items) else None
    if not all(isinstance(item, dict) for item in items):
        return None
    for key in _NAMES:
        named = {str(item.get(key)): item for item in items if item.get(key)}
        if len(named) == len(items):
            return named
    return None


def _format_present(value: Any) -> str | None:
    return None if value is _ABSENT else format_value(value)


def format_value(value: Any) -> str:
    """A value of YAML in one line."""
    if isinstance(value, str):
        return value
    text = yaml.safe_dump(value, default_flow_style=True, width=10**6, allow_unicode=True, sort_keys=False)
    return text.removesuffix("...\n").strip()


_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d|w|y)")
_SIZE = re.compile(r"(\d+(?:\.\d+)?) ?([KMGTPE]?)i?B?")
_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800, "y": 31536000}


def parse_amount(text: str) -> float | None:
    """A duration in seconds or a size in bytes, as configurations write them; None for anything else."""
    if text and not _DURATION.sub("", text):
        return sum(float(count) * _SECONDS[unit] for count, unit in _DURATION.findall(text))
    if size := _SIZE.fullmatch(text):
        return float(size[1]) * float(1024 ** " KMGTPE".index(size[2] or " "))
    return None
