"""Checks commit messages: `python -m cli.commits BASE` looks at every commit after BASE, merges excepted.

A subject is `scope: what changes` of at most 60 characters, and a body says why. Exit code 1 where one is not so, 2
where BASE is not in the history.
"""

from __future__ import annotations

import argparse
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cli.workspace import ROOT

LONGEST = 60
"""Characters of a subject: what `git log --oneline` shows in half of a wide terminal, and forges without cutting it."""
_SUBJECT = re.compile(r"[a-z0-9][a-z0-9-]*: \S")
_TRAILER = re.compile(r"[A-Z][A-Za-z]*(-[A-Za-z]+)+: \S")
_END, _PART = "\x1e", "\x1f"


@dataclass(frozen=True)
class Commit:
    """A commit: its short name, the first line of its message, and the rest."""

    name: str
    subject: str
    body: str


def check_commit(commit: Commit) -> Iterator[str]:
    """What is wrong with a message, in words."""
    if not _SUBJECT.match(commit.subject):
        yield "the subject must be `scope: what changes`, with a scope of lower-case letters, digits and dashes"
    if len(commit.subject) > LONGEST:
        yield f"the subject has {len(commit.subject)} characters; {LONGEST} at most"
    if not [line for line in commit.body.splitlines() if line.strip() and not _TRAILER.match(line)]:
        yield "there is no body; say why"


def list_commits(folder: Path, base: str) -> list[Commit]:
    """The commits of a checkout after `base`, without merges, the oldest first.

    Format: https://git-scm.com/docs/pretty-formats.

    Raises:
        subprocess.CalledProcessError: `base` is not in the history.
    """
    form = f"--format=%h{_PART}%s{_PART}%b{_END}"
    command = ["git", "log", "--no-merges", "--reverse", form, f"{base}..HEAD", "--"]
    text = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout
    return [Commit(*entry.strip("\n").split(_PART)) for entry in text.split(_END) if entry.strip()]


def main(arguments: list[str] | None = None, folder: Path = ROOT) -> int:
    """Prints each problem with the commit that has it; returns the exit code."""
    parser = argparse.ArgumentParser(prog="cli.commits", description=__doc__)
    parser.add_argument("base", help="the commit after which messages are checked")
    base = parser.parse_args(arguments).base
    try:
        every = list_commits(folder, base)
    except subprocess.CalledProcessError as error:
        print(f"commits after {base} cannot be read: {error.stderr.strip()}")
        print("in a shallow clone: git fetch --unshallow")
        return 2
    wrong = [f"{commit.name} {commit.subject!r}: {text}" for commit in every for text in check_commit(commit)]
    print("\n".join([*wrong, f"{len(every)} commit messages after {base}, {len(wrong)} problems"]))
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
