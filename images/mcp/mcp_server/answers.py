"""Answers: their shapes, and how they are shortened to the length that a call may have."""

from __future__ import annotations

import json
from typing import Any, ClassVar, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from mcp_server.text import NOTICE, estimate_tokens


class Shape(BaseModel):
    """A part of an answer."""

    model_config = ConfigDict(extra="forbid")


class Answer(Shape):
    """What a tool answers. `SHORTENED` names its lists, in the order in which they are cut when it is too long."""

    SHORTENED: ClassVar[tuple[str, ...]] = ()

    complete: bool = Field(default=True, description="Whether nothing was left out; see hint when false.")
    notice: str = Field(default=NOTICE, description="How to treat text of others in this answer.")
    hint: str = Field(default="", description="What to do for a complete answer, or to go on.")
    omitted: int = Field(default=0, description="Entries that were left out to bound the answer's length.")

    def drop_details(self) -> str:
        """Leave out what can be had by a narrower call; says what that was, or nothing where there is none."""
        return ""


N = TypeVar("N", bound=Answer)


def render_answer(answer: Answer) -> tuple[dict[str, Any], str]:
    """The answer as plain data, and as JSON text without spaces."""
    data = answer.model_dump(mode="json")
    return data, json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def fit_answer(answer: N, tokens: int) -> N:
    """The answer, shortened until it is about `tokens` long at most; it then says that it is not complete."""
    if _measure(answer) <= tokens:
        return answer
    answer.complete = False
    if dropped := answer.drop_details():
        answer.hint = _join(answer.hint, dropped)
        if _measure(answer) <= tokens:
            return answer
    for field in answer.SHORTENED:
        every = list(getattr(answer, field))
        before = answer.omitted
        count = _find_fitting_count(answer, field, every, before, tokens)
        _cut(answer, field, every, count, before)
        if _measure(answer) <= tokens:
            break
    answer.hint = _join(answer.hint, "The answer was too long: narrow the call, or aggregate in the query.")
    return answer


def _find_fitting_count(answer: Answer, field: str, every: list[Any], before: int, tokens: int) -> int:
    low, high = 0, len(every)
    room = tokens - 60  # for the hint that follows
    while low < high:
        middle = (low + high + 1) // 2
        _cut(answer, field, every, middle, before)
        low, high = (middle, high) if _measure(answer) <= room else (low, middle - 1)
    return low


def _cut(answer: Answer, field: str, every: list[Any], count: int, before: int) -> None:
    setattr(answer, field, every[:count])
    answer.omitted = before + len(every) - count


def _measure(answer: Answer) -> int:
    return estimate_tokens(render_answer(answer)[1])


def _join(hint: str, more: str) -> str:
    return f"{hint} {more}".strip()


# -- shapes that several tools have ----------------------------------------------------------------------------------


class LabelCount(Shape):
    """How many values a label has among the series that a query gives."""

    label: str
    values: int


class Breakdown(Shape):
    """Why a query has so many series, and queries that have fewer."""

    series: int | None = Field(description="Series that the query gives now; null where counting them failed too.")
    labels: list[LabelCount] = Field(description="Labels with the most values, which multiply the series.")
    try_instead: list[str] = Field(description="Queries that stay within the bounds.")


class RunbookText(Shape):
    """What to do about an alert."""

    severity: str
    description: str
    steps: list[str]
    url: str


class LogLine(Shape):
    """A line and where it comes from."""

    time: str
    labels: dict[str, str]
    line: str
