"""Variables on make's command line that are nearly one of the Makefile's: make takes any, and runs without its value.

The Makefile runs this before anything of the project is installed, so it needs Python alone.
"""

from __future__ import annotations

import difflib
import re
import sys
from collections.abc import Sequence
from pathlib import Path

_READ = re.compile(r"\$[({]([A-Z][A-Z0-9_]*)\b")
_GIVEN = re.compile(r"(?:^|\s)([A-Za-z_][A-Za-z0-9_]*):?=")
NEAR = 0.75
"""Of difflib's ratio: one letter of four."""


def list_known(makefile: str) -> list[str]:
    """The variables that a Makefile reads."""
    return sorted(set(_READ.findall(makefile)))


def find_misspelt(given: str, goals: Sequence[str], known: Sequence[str]) -> str:
    """What is wrong with the variables of a command line, as a sentence; empty where nothing is.

    `given` is make's MAKEOVERRIDES. What `make routes` takes are labels of alerts, in small letters.
    """
    for name in dict.fromkeys(_GIVEN.findall(given)):
        if name in known or ("routes" in goals and name.islower()):
            continue
        if near := difflib.get_close_matches(name.upper(), known, n=1, cutoff=NEAR):
            return f"{name}: there is no such variable; did you mean {near[0]}?"
    return ""


if __name__ == "__main__":
    print(find_misspelt(sys.argv[1], sys.argv[2:], list_known(Path("Makefile").read_text(encoding="utf-8"))))
