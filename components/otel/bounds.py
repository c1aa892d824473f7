"""How large spans and log records may be, so that their stores take whatever a sender got an answer for.

A store refuses a record that is too large, too old or too new, and then it is gone, as its sender has its answer by
that time. So bounds are derived from the limits of the store; what is beyond them is cut, and an attribute says so.
Sizes are bytes; that of attributes is that of their JSON, which is never shorter than names and values together.
What Loki counts: https://github.com/grafana/loki/blob/v3.7.6/pkg/distributor/validator.go
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from model.base import format_duration, format_go_duration, parse_duration
from model.stores import LogLimits

ATTRIBUTES = 64
"""Attributes of a span, an event of a span, or a record at most."""
LENGTH = 4096
"""Bytes of an attribute's value at most."""
RESOURCE_ATTRIBUTES, RESOURCE_LENGTH, RESOURCE_BYTES = 32, 1024, 8192
"""Attributes of a sender at most, bytes of a value, and of all of them; a store has them at each of its records."""
SCOPE_ATTRIBUTES, SCOPE_LENGTH = 8, 128
"""Attributes of an instrumentation scope at most, and bytes of a value, of a name and of its version."""
NAME = 128
"""Characters of an attribute's name where space is short; those of semantic conventions have 50 at most."""
SPAN_BYTES = 56 * 1024
"""All attributes of a span or event: a value is part of a key of Jaeger's store, which has 65,000 bytes at most."""
SPAN_NAME = 1024
"""Bytes of the name of a span or event."""
WORD = 64
"""Bytes of the text of a level."""
FIELDS, FIELD_BYTES = 11, 1024
"""What a store has of a record beside its attributes and MARKS: ids, times, level, name and version of its scope."""
CUT = "..."
"""How a value ends that was cut."""
BODY, SIZE, TIME = MARKS = ("gateway.body_bytes", "gateway.attributes_bytes", "gateway.sent_time")
"""Attributes of a record that was changed: size of its body and of its attributes before, and its own time."""
_UNNAMED = '"^[^a-zA-Z0-9]*$"'
"""Names that no label can be made of; Loki refuses a whole request for one."""


def choose_record_bytes(limits: LogLimits) -> int:
    """All attributes of a record: what the store takes, less those of its sender and scope and its own fields."""
    scope = SCOPE_ATTRIBUTES * (WORD + SCOPE_LENGTH) + 2 * SCOPE_LENGTH
    return limits.metadata_bytes - RESOURCE_BYTES - scope - FIELD_BYTES


def derive_times(limits: LogLimits) -> tuple[str, str]:
    """How old a record may be, and how far ahead.

    A store takes nothing that is older than the newest of its stream by its window. That one may be ahead, and what
    was sent at once may arrive in another order: so it is three quarters of that window, and half of what may be ahead.
    """
    late = min(parse_duration(limits.window), parse_duration(limits.oldest)) * 3 / 4
    return format_go_duration(format_duration(late)), format_go_duration(
        format_duration(parse_duration(limits.ahead) / 2)
    )


def build_sender_statements(first: Sequence[str]) -> list[str]:
    """Bounded attributes of senders and scopes, all of them text, as stores have them; `first` names what is left."""
    sender, scope = "resource.attributes", "scope.attributes"
    return [
        f"delete_matching_keys({sender}, {_UNNAMED})",
        f"limit({sender}, {RESOURCE_ATTRIBUTES}, {json.dumps(list(first))})",
        f"stringify_all({sender})",
        f'truncate_all({sender}, {RESOURCE_LENGTH}, true, "{CUT}")',
        *_squeeze(sender, RESOURCE_ATTRIBUTES, RESOURCE_BYTES, f"Len(String({sender})) > {RESOURCE_BYTES}"),
        f"delete_matching_keys({scope}, {_UNNAMED})",
        f"delete_matching_keys({scope}, {_match_long(WORD)})",
        f"limit({scope}, {SCOPE_ATTRIBUTES}, [])",
        f"stringify_all({scope})",
        f'truncate_all({scope}, {SCOPE_LENGTH}, true, "{CUT}")',
        *(_shorten(f"scope.{field}", SCOPE_LENGTH) for field in ("name", "version")),
    ]


def build_span_statements() -> list[str]:
    """Spans of a bounded size."""
    return [*_bound_span("span"), _shorten("span.status.message", LENGTH)]


def build_event_statements() -> list[str]:
    """Events of spans of a bounded size, such as exceptions."""
    return _bound_span("spanevent")


def _bound_span(kind: str) -> list[str]:
    own = f"{kind}.attributes"
    large = f"Len(String({own})) > {SPAN_BYTES}"
    return [
        f"set({kind}.dropped_attributes_count, {kind}.dropped_attributes_count + Len({own}) - {ATTRIBUTES})"
        f" where Len({own}) > {ATTRIBUTES}",
        f"limit({own}, {ATTRIBUTES}, [])",
        f'truncate_all({own}, {LENGTH}, true, "{CUT}")',
        f"stringify_all({own}) where {large}",  # lists and maps, which have no length of their own
        *_squeeze(own, ATTRIBUTES, SPAN_BYTES, large),
        _shorten(f"{kind}.name", SPAN_NAME),
    ]


def build_record_statements(limits: LogLimits) -> list[str]:
    """Records of a bounded size and of a time that the store takes; a body is the text that the store makes of it."""
    own, size, most = "log.attributes", 'log.cache["size"]', choose_record_bytes(limits)
    return [
        f"delete_matching_keys({own}, {_UNNAMED})",
        f"stringify_all({own})",  # a map would be as many attributes as it has keys
        f"set({size}, Len(String({own})))",
        f"set(log.dropped_attributes_count, log.dropped_attributes_count + Len({own}) - {ATTRIBUTES})"
        f" where Len({own}) > {ATTRIBUTES}",
        f"limit({own}, {ATTRIBUTES}, [])",
        f'truncate_all({own}, {LENGTH}, true, "{CUT}") where {size} > {LENGTH}',
        *_squeeze(own, ATTRIBUTES, most, f"{size} > {most} and Len(String({own})) > {most}"),
        f'set({own}["{SIZE}"], {size}) where {size} > {LENGTH} and Len(String({own})) < {size}',
        "set(log.body, String(log.body)) where log.body != nil and not IsString(log.body)",
        f'set({own}["{BODY}"], Len(log.body)) where log.body != nil and Len(log.body) > {limits.line_bytes}',
        _shorten("log.body", limits.line_bytes, "log.body != nil and "),
        _shorten("log.severity_text", WORD),
        _shorten("log.event_name", SCOPE_LENGTH),
        *build_time_statements(limits),
    ]


def build_time_statements(limits: LogLimits) -> list[str]:
    """What is too old or too new for the store has the time of its arrival, as has what says no time."""
    late, early = derive_times(limits)
    bad = 'log.{0} < Now() - Duration("{1}") or log.{0} > Now() + Duration("{2}")'
    time, arrival = (bad.format(name, late, early) for name in ("time", "observed_time"))
    return [
        f"set(log.observed_time, Now()) where {arrival}",
        f'set(log.attributes["{TIME}"], FormatTime(log.time, "%Y-%m-%dT%H:%M:%S.%LZ"))'
        f" where log.time_unix_nano != 0 and ({time})",
        f"set(log.time, log.observed_time) where {time}",
    ]


def _match_long(length: int) -> str:
    """A quoted pattern of names with more characters."""
    return f'"(?s)^.{{{length + 1},}}$"'


def _squeeze(attributes: str, count: int, total: int, condition: str) -> list[str]:
    """Attributes within `total` where the condition says that they are beyond it: short names, short values."""
    return [
        f"delete_matching_keys({attributes}, {_match_long(NAME)}) where {condition}",
        f'truncate_all({attributes}, {total // count - NAME}, true, "{CUT}") where {condition}',
    ]


def _shorten(field: str, length: int, condition: str = "") -> str:
    return f"set({field}, Substring({field}, 0, {length}, true)) where {condition}Len({field}) > {length}"
