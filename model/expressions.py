"""Regular expressions as Go has them (RE2), which is what all programs that read them from a document understand.

Syntax: https://github.com/google/re2/wiki/Syntax.
"""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field

_TOKEN = re.compile(
    r"\\Q.*?(?:\\E|$)"  # literal text
    r"|\[\^?\]?(?:\\.|\[:\^?\w+:\]|[^\]\\])*\]"  # a class of characters
    r"|\\p\{\^?\w+\}|\\p\w|\\P\{\^?\w+\}|\\P\w|\\x\{[0-9a-fA-F]+\}|\\."  # escapes
    r"|\(\?(?:P?<[=!]|P[=>]|[=!>(#|&]|P?<\w+>|[imsU]*-?[imsU]*[:)])?"  # what begins with (?
    r"|(?:[*+?]|\{\d+(?:,\d*)?\})[+]",  # a possessive repetition
    re.DOTALL,
)
_FOREIGN = {
    r"\(\?[=!]": "looks ahead",
    r"\(\?P?<[=!]": "looks behind",
    r"\(\?>|.*\+$": "never steps back",
    r"\(\?P[=>]|\\[1-9]": "refers to a group of its own",
    r"\(\?[(#|&]": "is a condition or a comment",
    r"\\[ZGKhRXuN]": "is no escape of it",
}
"""What other dialects have and RE2 does not, as patterns of whole tokens."""
_FLAGS = re.compile(r"\(\?[imsU]*-?[imsU]*([:)])")
_LONGEST = 1000
"""RE2 repeats nothing more often, and nobody can read an expression of more characters."""


def find_foreign(text: str) -> str | None:
    """The first part of an expression that RE2 does not have, with the reason; None when all of it is RE2's."""
    for part in _TOKEN.findall(text):
        for pattern, reason in _FOREIGN.items():
            if not part.startswith((r"\Q", "[")) and re.fullmatch(pattern, part):
                return f"{part} {reason}"
    return None


def compile_expression(text: str) -> re.Pattern[str]:
    """An expression of RE2 as one of Python: for its syntax and its groups, and for ordinary lines.

    Raises:
        ValueError: the text is no expression of RE2; the message says why.
    """
    if foreign := find_foreign(text):
        raise ValueError(f"is no expression of RE2: {foreign}, which RE2 cannot do")
    try:
        compiled = re.compile(_TOKEN.sub(_translate, text))
    except (re.error, OverflowError) as error:
        raise ValueError(f"is no regular expression: {error}") from error
    if most := [count for count in map(int, re.findall(r"\{(?:\d+,)?(\d+)\}", text)) if count > _LONGEST]:
        raise ValueError(f"is no expression of RE2: it repeats something {most[0]} times, and {_LONGEST} is the most")
    return compiled


def list_groups(text: str | None) -> tuple[str, ...]:
    """The names of the groups of an expression; none where there is none."""
    return tuple(compile_expression(text).groupindex) if text else ()


def _translate(match: re.Match[str]) -> str:
    """A token as Python writes it; classes of Unicode are narrowed to letters, as only the form matters."""
    part = match[0]
    if part.startswith(r"\Q"):
        return re.escape(part[2:].removesuffix(r"\E"))
    if part.startswith("["):
        return re.sub(r"\[:\^?\w+:\]", "a-z", re.sub(r"\\[pP](?:\{\^?\w+\}|\w)", r"\\w", part))
    if flags := _FLAGS.fullmatch(part):
        return "(?:" if flags[1] == ":" else "(?:)"
    if part == r"\z":
        return r"\Z"
    return re.sub(r"^\\(?:[pP].*|x\{.*)", r"\\w", re.sub(r"^\(\?<", "(?P<", part))


def _check_expression(value: str) -> str:
    compile_expression(value)
    return value


Expression = Annotated[str, Field(min_length=1, max_length=_LONGEST), AfterValidator(_check_expression)]
"""A regular expression of RE2."""
