"""Values of others in Markdown, so that none of them acts: no HTML, no mention, no link, no end of a block."""

from __future__ import annotations

import re
import unicodedata

MARKER = "<!-- observability diff -->"
"""The first line of the comment, by which a later run recognises it."""
LIMIT = 65_536
"""Characters of a comment on GitHub; bytes are counted, of which there are never less."""
LONGEST = 240
"""Characters of a value that are shown; of a longer one, what is around its difference."""
_AROUND = 60
"""Characters on each side of it."""
_HIDDEN = ("Cc", "Cf", "Cs", "Zl", "Zp")
"""Categories of characters that are not seen or change what is: controls, directions, halves of pairs."""


def show_hidden(text: str) -> str:
    """A text in which what cannot be seen is written out; lines and tabs stay."""
    return "".join(
        f"\\u{ord(each):04x}" if unicodedata.category(each) in _HIDDEN and each not in "\n\t" else each for each in text
    )


def format_code(text: str) -> str:
    """A value in one line, as code: forges neither render nor act upon what is in it."""
    line = " ".join(show_hidden(text).split())
    if not line:
        return "(empty)"
    if len(line) > LONGEST + 2 * _AROUND:
        line = f"{line[:LONGEST]}…"
    marks = "`" * (_find_longest(line) + 1)
    space = " " if line[0] == "`" or line[-1] == "`" else ""
    return f"{marks}{space}{line}{space}{marks}"


def format_block(text: str, language: str = "") -> str:
    """Lines as a block whose fence is longer than any run of its own."""
    fence = "`" * max(3, _find_longest(text) + 1)
    return f"{fence}{language}\n{show_hidden(text).rstrip()}\n{fence}\n"


def _find_longest(text: str) -> int:
    return max((len(run) for run in re.findall("`+", text)), default=0)


def shorten_pair(before: str, after: str) -> tuple[str, str]:
    """Two values; where they are long, what is around their difference alone."""
    one, other = " ".join(before.split()), " ".join(after.split())
    if max(len(one), len(other)) <= LONGEST:
        return one, other
    start = next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    most = min(len(one), len(other)) - start
    pairs = zip(reversed(one), reversed(other), strict=False)
    end = min(next((n for n, (a, b) in enumerate(pairs) if a != b), most), most)
    return _cut_around(one, start, end), _cut_around(other, start, end)


def _cut_around(text: str, start: int, end: int) -> str:
    """A text from before its first difference to behind its last one, at word boundaries where there are some."""
    first = max(0, start - _AROUND)
    first = text.find(" ", first, start) + 1 or first if first else 0
    last = min(len(text), len(text) - end + _AROUND)
    cut = text.rfind(" ", len(text) - end, last)
    last = cut if last < len(text) and cut > 0 else last
    return f"{'…' if first else ''}{text[first:last]}{'…' if last < len(text) else ''}"
