"""What runs otherwise than it is declared, as plain data: targets say it, `make drift` shows it."""

from __future__ import annotations

from dataclasses import dataclass

UP = "make up puts it right"
"""What repairs most of it."""
LONGEST = 120
"""Characters of a value that are shown: an entry point may be a script."""


@dataclass(frozen=True, kw_only=True)
class Deviation:
    """One property of one thing that is not as declared.

    Attributes:
        kind: what the thing is: `container`.
        name: which one: `dev-loki`.
        what: its property: `memory limit`.
        declared: what the stack's files say.
        running: what the engine, the cluster or the process says.
        repair: what puts it right.
    """

    kind: str
    name: str
    what: str
    declared: str
    running: str
    repair: str = UP


@dataclass(frozen=True, kw_only=True)
class Drift:
    """All that was compared.

    Attributes:
        deviations: what is not as declared.
        unread: what could not be looked at and why, as sentences: nobody knows whether it is as declared.
        notes: what is no drift and worth knowing, as sentences.
    """

    deviations: tuple[Deviation, ...] = ()
    unread: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def __add__(self, other: Drift) -> Drift:
        """Both together."""
        return Drift(
            deviations=self.deviations + other.deviations,
            unread=self.unread + other.unread,
            notes=self.notes + other.notes,
        )


def format_value(value: object) -> str:
    """A value for people: nothing is `none`, a list has commas, and what is long is cut."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (set, frozenset)):
        value = sorted(value)
    text = ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
    text = " ".join(text.split())
    return (text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…") or "none"
