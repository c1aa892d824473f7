"""Documents that are compared key by key, retention, and what changed documents need to take effect."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from cli.changes import containers, dashboards, notifications, objects, rules, targets
from cli.changes.values import (
    CHANGED,
    DATA,
    DOWNTIME,
    RESOURCES,
    SETTINGS,
    Change,
    Detail,
    Documents,
    compare_values,
    list_changed,
    parse_amount,
    parse_document,
)

_ELSEWHERE = (
    rules.FOLDER,
    targets.FOLDER,
    dashboards.FOLDER,
    containers.FOLDER,
    objects.FOLDER,
    notifications.DOCUMENT,
)
_SKIPPED = ("traefik/revision",)
"""Digests of other documents."""
_READABLE = (".yml", ".yaml", ".json")


def compare_documents(before: Documents, after: Documents, left: Collection[str]) -> Iterator[Change]:
    """All other documents, key by key, without those of the workloads in `left`, which are new or gone."""
    for path in list_changed(before, after):
        if path.startswith(_ELSEWHERE) or path in _SKIPPED or path.partition("/")[0] in left:
            continue
        old, new = before.get(path), after.get(path)
        details = tuple(_compare_texts(path, old, new))
        if path == targets.SCRAPE:
            details = tuple(item for item in details if not item.name.startswith("scrape_configs"))
        if details or not path.endswith(_READABLE):
            yield Change(SETTINGS, CHANGED, path, details)


def _compare_texts(path: str, old: str | None, new: str | None) -> Iterator[Detail]:
    if path.endswith(_READABLE):
        yield from compare_values(parse_document(old or "") or {}, parse_document(new or "") or {})


def list_reloads(before: Documents, after: Documents, changes: Sequence[Change]) -> Iterator[Change]:
    """Who takes changed documents while it runs: all that have some and are neither replaced nor new nor gone."""
    outside = ("docker", "kubernetes")
    owners = {path.partition("/")[0] for path in list_changed(before, after) if path not in _SKIPPED}
    named = {change.subject for change in changes if change.area == DOWNTIME}
    if reloading := sorted(owners - named - {*outside}):
        verb = "with changed documents: taken in place, without a restart"
        yield Change(DOWNTIME, verb, ", ".join(reloading))


def list_retention(changes: Sequence[Change]) -> Iterator[Change]:
    """Bounds in time and size: an entry of its own, which is a warning where something is deleted for it."""
    for change in changes:
        for item in change.details if change.area in (DOWNTIME, SETTINGS) else ():
            if "retention" in item.name.lower() and change.verb not in ("is new", "is removed"):
                subject = f"retention of {change.subject}"
                if _is_less(item):
                    note = "What is beyond the new bound is deleted for good."
                    yield Change(DATA, "becomes shorter", subject, (item,), note)
                else:
                    yield Change(RESOURCES, CHANGED, subject, (item,))


def _is_less(item: Detail) -> bool:
    old, new = parse_amount(item.before or ""), parse_amount(item.after or "")
    return new is not None and (old is None or new < old)


# -- cost ------------------------------------------------------------------------------------------------------------

_BYTES: Mapping[str, str] = {
    "memory": "memory limits of all parts",
    "prometheus_memory": "memory that Prometheus is expected to take",
    "prometheus_disk": "disk for Prometheus' retention",
    "loki_memory": "memory that Loki is expected to take",
    "loki_disk": "disk for Loki's retention",
}
_COUNTS: Mapping[str, str] = {"targets": "targets", "series": "series", "samples_per_second": "samples per second"}


def compare_capacity(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Change]:
    """What the stack is expected to need, as `capacity --json` says it; nothing where one side has none."""
    if not before or not after:
        return
    old, new = _list_numbers(before), _list_numbers(after)
    details = [
        Detail(text, *(form(float(side.get(key, 0))) for side in (old, new)))
        for names, form in ((_BYTES, format_size), (_COUNTS, "{:,.0f}".format))
        for key, text in names.items()
        if old.get(key) != new.get(key)
    ]
    if details := [item for item in details if item.before != item.after]:
        yield Change(RESOURCES, CHANGED, "cost of the stack", tuple(details))


def _list_numbers(capacity: Mapping[str, Any]) -> dict[str, Any]:
    limits = capacity.get("memory_limits") or {}
    return {**(capacity.get("expected") or {}), "memory": sum(limits.values())}


def format_size(count: float) -> str:
    """Bytes as GiB, or MiB where there are less."""
    return f"{count / 2**30:,.1f} GiB" if count >= 2**30 else f"{count / 2**20:,.0f} MiB"
