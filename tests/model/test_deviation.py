"""What is not as declared, in words."""

from __future__ import annotations

import pytest

from model.deviation import LONGEST, Deviation, Drift, format_value


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("", "none"),
        ([], "none"),
        (True, "yes"),
        (False, "no"),
        (0, "0"),
        (frozenset({"b", "a"}), "a, b"),
        (["serve", "--now"], "serve, --now"),
        ("a\n  b", "a b"),
        ("x" * 500, f"{'x' * (LONGEST - 1)}…"),
    ],
)
def test_values_are_short_and_say_nothing_as_none(value: object, text: str) -> None:
    """A script is one line that is cut, an empty list is none."""
    assert format_value(value) == text


def test_parts_add_up() -> None:
    """What each comparison says is there, in its order."""
    item = Deviation(kind="container", name="a", what="state", declared="running", running="exited")
    total = Drift(deviations=(item,)) + Drift(unread=("b",), notes=("c",)) + Drift(deviations=(item,))
    assert total == Drift(deviations=(item, item), unread=("b",), notes=("c",))
