"""How lines are read: which of their fields become labels, and which are stored beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from components.lines.levels import LEVEL_FIELDS
from model.expressions import list_groups
from model.lines import IDS, TIME_FIELDS, LineFormat
from model.logs import IDENTITY, Logs

STRUCTURED = ("request_id", "trace_id", "span_id", "user_id")
"""Fields that people search by and that have too many values for an index: stored beside the line."""
IN_THE_LINE = frozenset({"level", "severity", "ts", "time", "timestamp", "msg", "message"})
"""Fields that nobody needs beside the line: Loki has level and time, and the message is what people read."""

_OF_LEVEL, _OF_TIME = frozenset(LEVEL_FIELDS), frozenset(TIME_FIELDS)


@dataclass(frozen=True, kw_only=True)
class Reading:
    """How lines are read: their format, which fields become labels, and which are stored beside the line."""

    format: LineFormat = "json"
    labels: tuple[str, ...] = ()
    fields: tuple[str, ...] = STRUCTURED
    level_field: str | None = None
    expression: str | None = None


def build_reading(logs: Logs) -> Reading:
    """How the lines of a service are read; plain text has no fields."""
    fields = logs.fields if "fields" in logs.model_fields_set or not logs.expression else ()
    return select_fields(
        Reading(format=logs.format, level_field=logs.level_field, expression=logs.expression), logs.labels, fields
    )


def select_fields(how: Reading, labels: Sequence[str], fields: Sequence[str]) -> Reading:
    """A reading with its labels and with the fields that are stored beside a line, each under its usual name.

    Text has those that its expression names, all of them where none is chosen.
    """
    usual: Sequence[str] = STRUCTURED
    if how.format == "text":
        groups = list_groups(how.expression)
        fields = fields or [name for name in groups if name not in _OF_LEVEL | _OF_TIME]
        usual = [name for name in STRUCTURED if name in map(derive_usual_name, groups)]
    chosen = tuple(name for name in labels if name != "level")
    hidden = IN_THE_LINE | IDENTITY | {*chosen, how.level_field}
    named = map(derive_usual_name, (*usual, *(name for name in fields if name not in hidden)))
    return replace(how, labels=chosen, fields=tuple(dict.fromkeys(name for name in named if name not in hidden)))


def derive_usual_name(field: str) -> str:
    """The name under which a field is stored: `derive_usual_name("traceId") == "trace_id"`."""
    return next((name for name, others in IDS.items() if field in others), field)


def build_readings(services: Mapping[str, Logs]) -> dict[str, Reading]:
    """How the lines of services are read, by name; those that say the same share one."""
    made = {number: build_reading(each) for number, each in {id(each): each for each in services.values()}.items()}
    return {key: made[id(each)] for key, each in services.items()}


def group_readings(readings: Mapping[str, Reading], usual: Reading) -> dict[Reading, list[str]]:
    """The services that are read otherwise than usual, by how: each line is compared with each group."""
    special: dict[Reading, list[str]] = {}
    for service, how in sorted(readings.items()):
        if how != usual:
            special.setdefault(how, []).append(service)
    return special
