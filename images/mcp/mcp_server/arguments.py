"""Arguments of tools: strictly of their type, and no other ones than a tool has."""

from __future__ import annotations

import difflib
import re
import time
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mcp_server.errors import Refused

_UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800, "y": 31536000}
_DURATION = r"(?:[0-9]+(?:ms|[smhdwy]))+"
Duration = Annotated[str, Field(pattern=rf"^{_DURATION}$", max_length=20, examples=["5m", "1h", "24h"])]
"""A duration as Prometheus has it: https://prometheus.io/docs/prometheus/latest/querying/basics/#float-literals-and-time-durations."""
Moment = Annotated[
    str,
    Field(
        max_length=40,
        description="now, now-1h, a time such as 2026-11-30T10:00:00Z, or seconds since 1970",
        examples=["now-1h"],
    ),
]
"""A point in time."""
Query = Annotated[str, Field(min_length=1, max_length=8000)]
Name = Annotated[str, Field(min_length=1, max_length=200)]


class Arguments(BaseModel):
    """The arguments of a tool; each field has a description for whoever calls it."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


A = TypeVar("A", bound=Arguments)


def parse_arguments(model: type[A], given: Mapping[str, Any]) -> A:
    """The arguments of a call.

    Raises:
        Refused: with every wrong argument, what is allowed, and the nearest valid name of an unknown one.
    """
    try:
        return model.model_validate(dict(given))
    except ValidationError as error:
        problems = [_describe_problem(model, item) for item in error.errors(include_input=False, include_url=False)]
        raise Refused("; ".join(problems)) from None


def _describe_problem(model: type[Arguments], item: Mapping[str, Any]) -> str:
    place = ".".join(map(str, item["loc"]))
    if item["type"] != "extra_forbidden":
        return f"argument {place[:60]}: {item['msg']}"
    valid = list(model.model_fields)
    near = difflib.get_close_matches(place, valid, 1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    return f"unknown argument {place[:60]!r}; {hint}valid: {', '.join(valid) or 'none'}"


def parse_duration(text: str) -> float:
    """Seconds of a duration such as 1h30m.

    Raises:
        Refused: the text is no duration.
    """
    if not re.fullmatch(_DURATION, text):
        raise Refused(f"{text[:40]!r} is no duration; write 30s, 5m, 1h or 7d")
    return sum(int(number) * _UNITS[unit] for number, unit in re.findall(r"([0-9]+)(ms|[smhdwy])", text))


def parse_moment(text: str, now: float | None = None) -> float:
    """Seconds since 1970 of a point in time.

    Raises:
        Refused: the text names none.
    """
    current = time.time() if now is None else now
    if match := re.fullmatch(rf"now(?:-({_DURATION}))?", text):
        return current - (parse_duration(match[1]) if match[1] else 0.0)
    if re.fullmatch(r"[0-9]{1,12}(\.[0-9]{1,9})?", text):
        return float(text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise Refused(f"{text!r} is no point in time; write now, now-1h, 2026-11-30T10:00:00Z or seconds since 1970")
    return moment.timestamp()


def parse_range(start: str, end: str, days: float) -> tuple[float, float]:
    """Beginning and end of a range of time, in seconds since 1970.

    Raises:
        Refused: it ends before it begins, or is longer than `days`.
    """
    now = time.time()
    begin, until = parse_moment(start, now), parse_moment(end, now)
    if begin >= until:
        raise Refused("start must be before end")
    if until - begin > days * 86400:
        raise Refused(f"the range is {(until - begin) / 86400:.1f} days long; {days:g} are allowed")
    return begin, until


def check_duration(text: str, days: float) -> float:
    """Seconds of a duration that is looked back over.

    Raises:
        Refused: it is none, is zero, or is longer than `days`.
    """
    seconds = parse_duration(text)
    if not 0 < seconds <= days * 86400:
        raise Refused(f"duration must be longer than 0s and {days:g}d at most")
    return seconds
