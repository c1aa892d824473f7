"""The level of a line, as stages of Promtail: one of seven words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from model.levels import LEVELS

SERILOG = '"@t" && ("@mt" || "@m") && \'information\''
"""Serilog's compact format leaves the level out where it is Information, as an expression of JMESPath.

Source: https://github.com/serilog/serilog-formatting-compact#reified-properties.
"""


def build_level_stage(sources: Sequence[str]) -> dict[str, Any]:
    """The stage that makes one of LEVELS of the first source that is not empty; none of what is no level.

    A level that is unknown would be a label with any number of values. Numbers between pino's own count as the one
    below, as pino says of levels that people add.
    """
    pairs = " ".join(f'"{spelling}" "{name}"' for name, spellings in LEVELS.items() for spelling in spellings)
    first = " ".join(f".{source}" for source in sources)
    spelling = f'(or {first} "" | ToLower)'
    tens = f'(regexReplaceAll "^([1-6])[0-9]$" {spelling} "${{1}}0")'
    return {"template": {"source": "level", "template": f"{{{{ get (dict {pairs}) {tens} }}}}"}}
