"""How lines become entries of a log: which of them belong together."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from model.base import Duration, Strict, parse_duration
from model.errors import Inconsistent, Problem
from model.expressions import Expression

LineFormat = Literal["json", "logfmt", "text"]
LONGEST_WAIT = "30s"
"""Nobody sees a line before its entry is complete, and alerts on lines look at the last minutes."""
MOST_LINES = 1000
"""Loki takes no entry of more than 256 KB: https://grafana.com/docs/loki/latest/configure/#limits_config."""


def _check_wait(value: str) -> str:
    if parse_duration(value) > parse_duration(LONGEST_WAIT):
        raise ValueError(f"must be {LONGEST_WAIT} at most: a line is seen only after that time")
    return value


class Multiline(Strict):
    """Lines that are one entry together, such as a stack trace. JSON objects of one line are entries of their own."""

    first_line: Literal["timestamp", "unindented"] = "timestamp"
    """What an entry begins with: timestamp is a time, a level, a key of logfmt or JSON; unindented is any line without
    spaces before it, as of programs that write bare traces (Java, Node.js), but no "Caused by:" or closing bracket."""
    expression: Expression | None = None
    """What the first line of an entry matches (RE2), where neither word of firstLine is right."""
    max_wait: Annotated[Duration, AfterValidator(_check_wait)] = "3s"
    """How long an entry waits for its next line, 30s at most."""
    max_lines: Annotated[int, Field(ge=2, le=MOST_LINES)] = 500
    """Lines of an entry; those after them are an entry of their own."""

    @model_validator(mode="after")
    def _check_first_line(self) -> Multiline:
        if self.expression and "first_line" in self.model_fields_set:
            raise Inconsistent([Problem("", "give one of firstLine, expression: an entry begins in one way")])
        return self
