"""A comparison as Markdown for a pull request: what matters first, the raw difference folded at the end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from cli.changes.values import (
    AREAS,
    DASHBOARDS,
    DATA,
    DOWNTIME,
    GONE,
    NEW,
    NOTIFICATIONS,
    RESOURCES,
    RULES,
    SETTINGS,
    TARGETS,
    Change,
    Detail,
)
from cli.changes.words import LIMIT, MARKER, format_block, format_code, shorten_pair

SHOWN = 12
"""Changes of an area that are seen at once; the others are folded."""
_MOST_DETAILS = 8
_LONGEST_FAILURE = 6_000
_RESERVED = 2_000
"""Bytes for what has to be said at the end: what was left out."""


@dataclass(frozen=True)
class Comparison:
    """What came of comparing stacks: changes and raw differences by stack, failures in words, and against what."""

    base: str
    changes: Mapping[str, Sequence[Change]]
    failures: Mapping[str, str] = field(default_factory=dict)
    differences: Mapping[tuple[str, str], Sequence[str]] = field(default_factory=dict)
    previews: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def merge_changes(by_stack: Mapping[str, Sequence[Change]]) -> dict[Change, list[str]]:
    """The stacks that have a change in common, in the order of importance."""
    made: dict[Change, list[str]] = {}
    for stack, changes in by_stack.items():
        for change in changes:
            stacks = made.setdefault(change, [])
            if stack not in stacks:
                stacks.append(stack)
    order = list(AREAS)
    return dict(sorted(made.items(), key=lambda item: order.index(item[0].area)))


class _Text:
    """Text that grows as long as it is within the limit."""

    def __init__(self, limit: int) -> None:
        self.parts, self.left, self.out = list[str](), limit, list[str]()

    def add(self, text: str) -> bool:
        """Adds a part, where there is room for it."""
        size = len(text.encode())
        if size > self.left:
            return False
        self.parts.append(text)
        self.left -= size
        return True


def render_comment(comparison: Comparison, limit: int = LIMIT) -> str:
    """The comment on a comparison, at most `limit` bytes long; a clean one is a single sentence."""
    merged, stacks = merge_changes(comparison.changes), list(comparison.changes)
    named = ", ".join(map(format_code, stacks))
    against = f"compared with {format_code(comparison.base)}"
    if not (merged or comparison.failures or comparison.differences or comparison.notes):
        which = f"stack {named}" if len(stacks) == 1 else f"{len(stacks)} stacks"
        return f"{MARKER}\n**Nothing that is deployed changes** ({which}, {against}).\n"
    text = _Text(limit - _RESERVED)
    heading = f"stack {named}" if len(stacks) == 1 else "what would be deployed"
    text.add(f"{MARKER}\n### Changes of {heading}, {against}\n\n")
    _add_failures(text, comparison.failures)
    for note in comparison.notes:
        text.add(f"{note}\n\n")
    text.add(f"{summarize(merged)}\n\n" if merged else "")
    _add_areas(text, merged, len(stacks))
    _add_folded(text, comparison, len(stacks))
    left = "".join(f"- {line}\n" for line in text.out)
    return "".join(text.parts) + (f"\n**Left out, as a comment has an end:**\n\n{left}" if left else "")


def _add_failures(text: _Text, failures: Mapping[str, str]) -> None:
    """Why stacks could not be compared, each reason once."""
    by_reason: dict[str, list[str]] = {}
    for stack, reason in failures.items():
        by_reason.setdefault(reason, []).append(stack)
    left = 0
    for reason, stacks in by_reason.items():
        named = ", ".join(map(format_code, stacks))
        block = format_block(reason[-_LONGEST_FAILURE:], "text")
        left += 0 if text.add(f"**Not compared: {named}.**\n\n{block}\n") else len(stacks)
    if left:
        text.out.append(f"why {_count(left, 'more stack')} could not be compared")


def summarize(merged: Mapping[Change, Sequence[str]]) -> str:
    """The sentence that is read first: what happens to data and parts, and how many other changes there are."""
    loud = [change for change in merged if change.area == DATA]
    parts = [change for change in merged if change.area == DOWNTIME and "in place" not in change.verb]
    first = f"**{_count(len(loud), 'warning')} about data.** " if loud else ""
    if parts:
        verbs = dict.fromkeys(part.verb for part in parts)
        named = (f"{verb.removeprefix('is ').removeprefix('gets ')}: {_join_subjects(parts, verb)}" for verb in verbs)
        text = "; ".join(named)
        first += f"{text[0].upper()}{text[1:]}."
    else:
        first += "**Nothing is replaced or restarted.**"
    words = {RULES: "rule", TARGETS: "target", NOTIFICATIONS: "notification setting", DASHBOARDS: "dashboard"}
    words |= {RESOURCES: "limit", SETTINGS: "other setting"}
    numbers = ((sum(1 for change in merged if change.area == area), word) for area, word in words.items())
    counts = ", ".join(_count(number, word) for number, word in numbers if number)
    return f"{first} Also: {counts}." if counts else first


def _join_subjects(parts: Sequence[Change], verb: str) -> str:
    names = list(dict.fromkeys(part.subject for part in parts if part.verb == verb))
    return ", ".join(f"**{format_code(name)}**" for name in names[:SHOWN]) + (
        f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    )


def _count(number: int, word: str) -> str:
    return f"{number:,} {word}{'' if number == 1 else 's'}"


@dataclass
class _Area:
    """An area's changes as lines: how many are seen at once, and how many are folded."""

    heading: str
    lines: Sequence[str]
    shown: int = 0
    folded: int = 0

    def compose(self) -> str:
        """Its text, where what has no room is absent."""
        end = self.shown + self.folded
        more = _fold(f"{self.folded:,} more", "".join(self.lines[self.shown : end])) if self.folded else ""
        return f"#### {self.heading}\n\n{''.join(self.lines[: self.shown])}{more}\n"


def _add_areas(text: _Text, merged: Mapping[Change, Sequence[str]], stacks: int) -> None:
    """The changes of each area: first ones of all areas before the others, which are folded; the rest is counted."""
    areas = list[_Area]()
    for key, heading in AREAS.items():
        items = [(change, where) for change, where in merged.items() if change.area == key]
        if items:
            areas.append(
                _Area(heading, [format_change(change, _name_stacks(where, stacks)) for change, where in items])
            )
    room = text.left - sum(len(area.compose().encode()) for area in areas)
    for area in areas:
        area.shown, room = _count_fitting(area.lines[:SHOWN], room)
    for area in areas:
        area.folded, room = _count_fitting(area.lines[area.shown :], room - len(_fold("1,000 more", "")))
        text.add(area.compose())
        if left := len(area.lines) - area.shown - area.folded:
            text.out.append(f"{left:,} of {len(area.lines):,} entries under “{area.heading}”")


def _count_fitting(lines: Sequence[str], room: int) -> tuple[int, int]:
    """How many of some lines fit into so many bytes, and how many bytes are left."""
    for count, line in enumerate(lines):
        size = len(line.encode())
        if size > room:
            return count, room
        room -= size
    return len(lines), room


def _fold(title: str, body: str) -> str:
    """A folded part; `title` is ours."""
    return f"\n<details><summary>{title}</summary>\n\n{body}\n</details>\n"


def _name_stacks(where: Sequence[str], stacks: int) -> str:
    return "" if len(where) == stacks else f" (in {', '.join(map(format_code, where))})"


def format_change(change: Change, where: str = "") -> str:
    """A change as an item of a list, with its details as items below it."""
    note = f": {change.note}" if change.note and not change.details else f". {change.note}" if change.note else ""
    lines = [f"- **{format_code(change.subject)}** {change.verb}{where}{note}"]
    whole = change.verb in (NEW, GONE)
    lines += [f"  - {line}" for item in change.details[:_MOST_DETAILS] for line in format_detail(item, whole=whole)]
    if (more := len(change.details) - _MOST_DETAILS) > 0:
        lines.append(f"  - and {more:,} more")
    return "\n".join(lines) + "\n"


def format_detail(item: Detail, *, whole: bool = False) -> Iterator[str]:
    """A value before and after, in one line or in two where it is long; of what is new or gone as a `whole`, one."""
    name = format_code(item.name)
    if whole and (item.before is None) != (item.after is None):
        yield f"{name}: {format_code(str(item.after or item.before or ''))}"
        return
    if item.before is None and item.after is None:
        yield name
    elif item.before is None:
        yield f"{name}: {format_code(item.after or '')} (new)"
    elif item.after is None:
        yield f"{name}: {format_code(item.before)} (removed)"
    elif item.before == item.after:
        yield f"{name}: {format_code(item.after)} changes"
    else:
        before, after = shorten_pair(item.before, item.after)
        if len(before) + len(after) < 100:
            yield f"{name}: {format_code(before)} → {format_code(after)}"
        else:
            yield f"{name} before: {format_code(before)}"
            yield f"{name} after: {format_code(after)}"


def _add_folded(text: _Text, comparison: Comparison, stacks: int) -> None:
    """Pulumi's own previews and the raw difference, each folded; of what has no room, its size."""
    left = 0
    for stack, preview in comparison.previews.items():
        left += not text.add(_fold(f"Pulumi's own preview of {stack}", format_block(preview, "diff")))
    if left:
        text.out.append(f"{_count(left, 'preview')} of Pulumi's own")
    if not comparison.differences:
        return
    lines = sum(body.count("\n") for _, body in comparison.differences)
    title = f"Raw difference: {_count(len(comparison.differences), 'document')}, {_count(lines, 'line')}"
    room, parts = text.left - 200, list[str]()
    left_documents = left_lines = 0
    for (path, body), where in comparison.differences.items():
        part = f"{format_code(path)}{_name_stacks(where, stacks)}\n\n{format_block(body, 'diff')}\n"
        if len(part.encode()) <= room:
            parts.append(part)
            room -= len(part.encode())
        else:
            left_documents, left_lines = left_documents + 1, left_lines + body.count("\n")
    if parts:
        text.add(_fold(title, "".join(parts)))
    if left_documents:
        part = f"{_count(left_documents, 'document')} of {len(comparison.differences):,}, {_count(left_lines, 'line')}"
        text.out.append(f"raw difference of {part}")
