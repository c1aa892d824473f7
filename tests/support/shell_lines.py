"""Commands of shell text: split as a shell does, and as `make` would run them."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from collections.abc import Iterator
from functools import cache

from tests.support.pages import ROOT

MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
OURS = ("bin/observability", "observability")
_JOINS = set("();<>|&")
_ASSIGNED = re.compile(r"[A-Za-z_]\w*=")
_READ = re.compile(r"\$\((?:if \$\()?([A-Z_]+)\b")


def list_commands(text: str) -> Iterator[list[str]]:
    """The words of each simple command, also those in `$( )` and `<( )`, without comments and redirections.

    Raises:
        ValueError: a quotation does not end in its line.
    """
    for line in text.replace("\\\n", " ").splitlines():
        lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
        lexer.whitespace_split = True
        yield from _split_words(list(lexer))


def _split_words(words: list[str]) -> Iterator[list[str]]:
    command: list[str] = []
    redirected = False
    for word in [*words, ";"]:
        if word and set(word) <= _JOINS:
            redirected = bool(set(word) & set("<>")) and "(" not in word
            if command and not redirected:
                yield command
                command = []
        elif redirected:
            redirected = False
        elif command or not _ASSIGNED.match(word):
            command.append(word)
            for inner in re.findall(r"\$\(([^()]+)\)", word):
                yield from list_commands(inner)


def check_syntax(text: str) -> str:
    """What bash says of a script that it does not run; empty where that is nothing."""
    return subprocess.run(["bash", "-n"], input=text, capture_output=True, text=True, check=False).stderr


def list_targets() -> set[str]:
    """The targets of the Makefile."""
    return set(re.findall(r"^([a-z0-9-]+):", MAKEFILE, re.MULTILINE))


@cache
def list_variables(target: str) -> set[str]:
    """The variables that the Makefile reads for a target, also by way of others and of the targets before it."""
    lines = re.findall(rf"^{re.escape(target)}:(.*(?:\n\t.*)*)", MAKEFILE, re.MULTILINE)
    text = "\n".join(lines)
    names = set(_READ.findall(text))
    for name in [*names]:
        names |= set(_READ.findall("\n".join(re.findall(rf"\b{name} *[?:]?= *(.*)", MAKEFILE))))
    before = [word for line in lines if "=" not in line for word in line.partition("##")[0].split()]
    return names.union(*map(list_variables, list_targets().intersection(before)))


def list_unread(words: list[str]) -> list[str]:
    """The variables in the words of a call of `make` that the Makefile does not read for its targets."""
    given = [word.partition("=")[0] for word in words if _ASSIGNED.match(word)]
    targets = [word for word in words if not _ASSIGNED.match(word) and not word.startswith("-")]
    if "routes" in targets:  # it reads all that it is given: labels
        return []
    return [name for name in given if name not in set().union(*map(list_variables, targets or ["help"]))]


def expand_make(words: list[str]) -> list[list[str]]:
    """The commands that `make WORDS` would run.

    Raises:
        subprocess.CalledProcessError: there is no such target.
    """
    env = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}
    command = ["make", "-n", "-o", ".venv/.ready", *words]
    text = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=True).stdout
    return list(list_commands(text))
