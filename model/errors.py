"""Problems found in a configuration: collected, each with its place, the bad value and what would be right."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong: where (`file: path.to.key`), and a sentence with the value and what would be right.

    `taken` is the name that something else has already, where that is what is wrong: it is said once.
    """

    where: str
    message: str
    taken: str = field(default="", compare=False)

    def __str__(self) -> str:
        return f"{self.where}: {self.message}" if self.where else self.message


class ConfigError(Exception):
    """All problems of a configuration at once; nothing has been touched when it is raised."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        count = len(self.problems)
        lines = "\n".join(f"  - {problem}" for problem in self.problems)
        super().__init__(f"{count} problem{'s' if count != 1 else ''} in the configuration:\n{lines}")


class Inconsistent(ValueError):
    """Raised by a model's own check: each problem's place is relative to that model."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(str(problem) for problem in self.problems))


def collect_problems(problems: list[Problem], make: Callable[[], T]) -> T | None:
    """What `make` returns, or None and the problems of its ConfigError added to the list."""
    try:
        return make()
    except ConfigError as error:
        problems += error.problems
        return None


def suggest_name(name: str, valid: Iterable[str]) -> str:
    """A hint that ends a message: the closest valid name, or all of them when none is close."""
    names = sorted(set(valid))
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.6) or _abbreviate_names(name, names)
    if close:
        return f"did you mean {close[0]!r}?"
    return f"valid are: {', '.join(names)}" if names else "none is defined"


def _abbreviate_names(name: str, names: list[str]) -> list[str]:
    return [valid for valid in names if len(name) > 2 and (valid.startswith(name) or name.startswith(valid))]
