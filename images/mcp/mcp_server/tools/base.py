"""What a tool is: a name, words for whoever chooses it, its arguments, its answer, and how that is made."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from mcp_server.answers import Answer
from mcp_server.arguments import Arguments
from mcp_server.run import Run


@dataclass(frozen=True)
class Tool:
    """A tool; `sources` are those without which a stack does not offer it.

    Its description is text of ours alone: nothing that a watched system has written may stand in it.
    """

    name: str
    title: str
    description: str
    arguments: type[Arguments]
    answer: type[Answer]
    call: Callable[[Run, Any], Awaitable[Answer]]
    sources: tuple[str, ...] = ("prometheus",)
