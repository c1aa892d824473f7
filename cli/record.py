"""What an upgrade has stored of a stack, as it is read: `cli.workspace` needs it, and `cli.held` writes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml


@dataclass(frozen=True, kw_only=True)
class Underway:
    """A step of an upgrade that has begun and was not seen to end: what it is compared with.

    Attributes:
        name: the image's name; `before` its tag.
        known: how often each kind of trouble was there before.
        stored: what was stored, as `cli.stored` has it; `moment` is until when, in seconds of the Unix epoch.
    """

    name: str
    before: str
    known: Mapping[str, int] = field(default_factory=dict)
    stored: Mapping[str, float] = field(default_factory=dict)
    moment: float = 0


@dataclass(frozen=True, kw_only=True)
class Record:
    """What is stored.

    Attributes:
        held: tags by the images' names.
        said: what the stack's own file said in their place, where that is where they stand.
        underway: the step that has begun.
    """

    held: Mapping[str, str] = field(default_factory=dict)
    said: Mapping[str, str] = field(default_factory=dict)
    underway: Underway | None = None


def read_record(path: Path) -> Record:
    """What a file says that `cli.held` has written; nothing where no upgrade holds anything, so that there is none."""
    values: dict[str, Any] = (yaml.safe_load(path.read_text(encoding="utf-8")) or {}) if path.exists() else {}
    underway = values.get("underway")
    return Record(
        held=values.get("held", {}), said=values.get("said", {}), underway=Underway(**underway) if underway else None
    )
