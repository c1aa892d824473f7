"""Values of YAML side by side."""

from __future__ import annotations

from typing import Any

import pytest

from cli.changes.values import Detail, compare_values, list_changed, parse_amount, parse_documents


@pytest.mark.parametrize(
    ("before", "after", "details"),
    [
        ({"a": {"b": 1}}, {"a": {"b": 2}}, [Detail("a.b", "1", "2")]),
        ({"a": 1}, {"b": True}, [Detail("a", "1", None), Detail("b", None, "true")]),
        ([{"name": "x", "v": 1}], [{"name": "y", "v": 1}, {"name": "x", "v": 2}],
         [Detail("[x].v", "1", "2"), Detail("[y]", None, "{name: y, v: 1}")]),
        ({"c": ["--a=1", "--b=2"]}, {"c": ["--b=3", "--a=1"]}, [Detail("c --b", "2", "3")]),
        ({"c": ["--on", "--a=1"]}, {"c": ["--a=1"]}, [Detail("c --on", "", None)]),
        ({"c": ["x", "y"]}, {"c": ["y"]}, [Detail("c", "[x, y]", "[y]")]),
        ({"c": ["a=1", "b=2"]}, {"c": ["b=2", "a=1"]}, [Detail("c", "[a=1, b=2]", "[b=2, a=1]")]),
        ({"c": [{"name": "a"}, {"name": "a"}]}, {"c": []}, [Detail("c", "[{name: a}, {name: a}]", "[]")]),
        ({"a": None}, {"a": ""}, [Detail("a", "null", "")]),
        ({"a": 1}, {"a": 1}, []),
    ],
)  # fmt: skip
def test_differences_have_a_path_and_both_values(before: Any, after: Any, details: list[Detail]) -> None:
    """Keys, named items and flags are compared one by one, all else as a whole."""
    assert list(compare_values(before, after)) == details


def test_changed_documents_are_new_gone_or_other() -> None:
    """Equal ones are not among them."""
    assert list_changed({"a": "1", "b": "1", "c": "1"}, {"a": "1", "b": "2", "d": "1"}) == ["b", "c", "d"]


def test_what_is_no_yaml_is_no_error() -> None:
    """A text that cannot be read has no documents; an empty document is none."""
    assert parse_documents("a: [") == [] and parse_documents("---\n---\na: 1\n") == [{"a": 1}]


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("15d", 1296000),
        ("360h", 1296000),
        ("1h30m", 5400),
        ("8GB", 8 * 2**30),
        ("80Gi", 80 * 2**30),
        ("x", None),
        ("", None),
    ],
)
def test_amounts_are_durations_and_sizes(text: str, amount: float | None) -> None:
    """As Prometheus, Go and Kubernetes write them."""
    assert parse_amount(text) == amount
