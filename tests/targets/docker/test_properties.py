"""Two values are the same where they mean the same; parts that nobody knows before stand for anything."""

from __future__ import annotations

from typing import Any

import pytest

from targets.docker.properties import PROPERTIES, UNKNOWN, matches


@pytest.mark.parametrize(
    ("declared", "running", "same"),
    [
        ("a", "a", True),
        ("a", "b", False),
        (UNKNOWN, "anything", True),
        (f"HOST=grafana-{UNKNOWN}", "HOST=grafana-12ab", True),
        (f"HOST=grafana-{UNKNOWN}", "HOST=loki-12ab", False),
        ("a.c", "abc", False),
        (f"a.c{UNKNOWN}", "abc1", False),
        (["a", "b"], ["b", "a"], False),
        (["a"], ["a", "b"], False),
        (frozenset({"a", f"b{UNKNOWN}"}), frozenset({"b1", "a"}), True),
        (frozenset({"a"}), frozenset({"a", "b"}), False),
        (frozenset({"a", "b"}), frozenset({"a"}), False),
        (False, False, True),
        (True, False, False),
    ],
)
def test_values_are_compared_by_what_they_mean(declared: Any, running: Any, same: bool) -> None:
    """Order counts in a list alone, and what is unknown stands for any text, but for no other one beside it."""
    assert matches(declared, running) is same


def test_every_property_has_a_name_of_its_own() -> None:
    """People find by it what they have to look at."""
    names = [item.name for item in PROPERTIES]
    assert len(set(names)) == len(names)


def test_what_an_image_gives_counts_where_nothing_is_declared() -> None:
    """Its arguments only behind its own entry point, as an engine has it."""
    (command,) = (item for item in PROPERTIES if item.name == "command")
    image = {"Entrypoint": ["/p"], "Cmd": ["serve"]}
    inputs: list[dict[str, Any]] = [{}, {"command": ["x"]}, {"entrypoints": ["/q"]}, {"entrypoints": [], "command": []}]
    assert [command.declared(item, image) for item in inputs] == [["/p", "serve"], ["/p", "x"], ["/q"], []]
