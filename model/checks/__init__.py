"""What a configuration says that could not work, or would be ignored: each check gives problems with their places."""

from __future__ import annotations

from typing import TYPE_CHECKING

from model.checks.entry import check_entry
from model.checks.labels import check_labels
from model.checks.networks import check_networks
from model.checks.repeated import check_repeated
from model.checks.targets import check_targets
from model.errors import Problem

if TYPE_CHECKING:
    from model.component import Planned


def check_stack(context: Planned) -> list[Problem]:
    """What can be said of a system and a stack without what others contribute."""
    checks = (check_labels, check_targets, check_repeated, check_networks, check_entry)
    return [problem for check in checks for problem in check(context)]
