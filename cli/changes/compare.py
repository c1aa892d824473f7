"""All that differs between two renderings of a stack, in the order of importance."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from cli.changes import containers, dashboards, notifications, objects, rules, settings, targets
from cli.changes.values import AREAS, DOWNTIME, GONE, NEW, Change, Documents

Look = Callable[[Sequence[rules.Pair]], Mapping[int, str]]
"""Finds out how often rules would have fired: a sentence by the pair's place."""


def compare_stacks(
    before: Documents,
    after: Documents,
    costs: tuple[Mapping[str, Any], Mapping[str, Any]] = ({}, {}),
    look: Look | None = None,
) -> list[Change]:
    """What differs between the documents of a stack; `costs` are what `capacity --json` says before and after."""
    pairs = rules.pair_rules(before, after)
    made = [
        *containers.compare_containers(before, after),
        *objects.compare_objects(before, after),
        *rules.describe_pairs(pairs, look(pairs) if look else None),
        *targets.compare_targets(before, after),
        *notifications.compare_notifications(before, after),
        *dashboards.compare_dashboards(before, after),
        *settings.compare_capacity(*costs),
    ]
    left = {change.subject for change in made if change.area == DOWNTIME and change.verb in (NEW, GONE)}
    made += settings.compare_documents(before, after, left)
    made += settings.list_retention(made)
    made += settings.list_reloads(before, after, made)
    order = list(AREAS)
    return sorted(made, key=lambda change: order.index(change.area))
