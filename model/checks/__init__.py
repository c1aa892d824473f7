"""What a configuration says that could not work, or would be ignored: each check gives problems with their places."""

from __future__ import annotations

from typing import TYPE_CHECKING

from model.checks import entry, labels, networks, repeated, targets
from model.errors import Problem

if TYPE_CHECKING:
    from model.component import Planned


def problems(context: Planned) -> list[Problem]:
    """What can be said of a system and a stack without what others contribute."""
    return [problem for check in (labels, targets, repeated, networks, entry) for problem in check.problems(context)]
