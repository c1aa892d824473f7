"""Pages of the documentation as a reader goes through them: blocks of code in their order, and what they show."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RUNBOOKS = ROOT / "docs" / "runbooks"
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
]
FENCED = re.compile(r"^(?P<indent> *)```(?P<language>\w*)\n(?P<text>.*?)^(?P=indent)```$", re.DOTALL | re.MULTILINE)
STACK = re.compile(r"^<!-- stack: (?P<stack>\S+) -->$", re.MULTILINE)
"""From here on a reader is at this stack as it is shipped; before the first one it is `dev`."""
PROMPT = "$ "
ANYTHING = "…"
"""In an output that is shown: whatever is there, a line of it alone for any lines."""


@dataclass(frozen=True)
class Block:
    """A block of code with its language and the line at which it begins; of language `stack` it names another stack."""

    language: str
    text: str
    line: int


@dataclass(frozen=True)
class Shown:
    """A command after a prompt, and what a page shows as its output."""

    command: str
    output: str


def list_blocks(text: str) -> list[Block]:
    """The blocks of a page, from top to bottom."""
    fenced = [(each.start(), each["language"], each["text"]) for each in FENCED.finditer(text)]
    stacks = [(each.start(), "stack", each["stack"]) for each in STACK.finditer(text)]
    return [Block(kind, inside, text.count("\n", 0, at) + 1) for at, kind, inside in sorted(fenced + stacks)]


def remove_blocks(text: str) -> str:
    """A page without its blocks."""
    return FENCED.sub("", text)


def list_shown(block: Block) -> Iterator[Shown]:
    """The commands of a block of text that has prompts, each with its output."""
    for part in re.split(rf"^{re.escape(PROMPT)}", block.text, flags=re.MULTILINE)[1:]:
        command, _, output = part.partition("\n")
        yield Shown(command, output)


def compare_output(shown: str, real: str) -> str:
    """What is wrong with an output that is shown; empty where it is the real one."""
    pattern = "".join(_match_line(line) for line in shown.rstrip().splitlines())
    lines = [line.rstrip() for line in real.strip("\n").splitlines()]
    return "" if re.fullmatch(pattern, "".join(f"{line}\n" for line in lines)) else f"shown:\n{shown}\nreal:\n{real}"


def _match_line(line: str) -> str:
    if line.strip() == ANYTHING:
        return r"(?:.*\n)*"
    return ".*".join(map(re.escape, line.rstrip().split(ANYTHING))) + r"\n"
