"""How documents are written."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from components.documents import render_yaml, render_yaml_documents


def test_order_and_text_are_kept() -> None:
    """Keys stand in the order written, and text that is not ASCII stays readable."""
    assert render_yaml({"b": 1, "a": "ä"}) == "b: 1\na: ä\n"


PLAIN: dict[Any, Any] = {
    "texts": [
        "",
        "a b",
        "true",
        "1",
        "1.0",
        "null",
        "~",
        "- a",
        "a: b",
        "#",
        "*a",
        "2026-01-01",
        "a\nb\n",
        " a ",
        "y",
        "=",
        "é",
    ],
    "numbers": [0, -1, 1.0, 1e30, True, False, None],
    "nested": {"empty": {}, "none": [], "pair": ("a", "b"), "deep": [[{"a": [1]}], []]},
    "long": " / ".join(["sum by (job) (rate(http_requests_total{code=~'5..'}[5m]))"] * 3),
    1: "a number as a key",
}


def test_the_text_is_that_of_the_representer() -> None:
    """Every kind of plain value is written as `yaml.safe_dump` writes it, and reads back as what it was."""
    text = yaml.safe_dump(PLAIN, sort_keys=False, width=120, allow_unicode=True)
    assert render_yaml(PLAIN) == text
    assert yaml.safe_load(text)["texts"] == PLAIN["texts"]
    assert render_yaml_documents([PLAIN, {"a": 1}]) == text + "---\na: 1\n"


@pytest.mark.parametrize("text", ["2006-01-02 15:04:05,000", "2006-1-2T3:4:5,6Z", "1e3", "-2E5", "0o17", "08"])
def test_no_text_is_a_number_or_a_date_to_a_program_in_go(text: str) -> None:
    """PyYAML writes these without quotes, and Go's YAML reads a date or a number where a text was given."""
    assert render_yaml({"a": text}) == f"a: '{text}'\n"
    assert render_yaml({"a": "1.2.3", "b": "10m", "c": "2006-01-02 x"}) == "a: 1.2.3\nb: 10m\nc: 2006-01-02 x\n"


def test_what_stands_twice_is_written_twice() -> None:
    """No anchors, which readers of a document would have to look up."""
    part = {"a": ["b"]}
    assert render_yaml({"x": part, "y": part}) == "x:\n  a:\n  - b\ny:\n  a:\n  - b\n"


@pytest.mark.parametrize("value", [object(), {"a": {1, 2}}, [range(2)]], ids=["object", "set", "range"])
def test_what_is_not_plain_is_refused(value: object) -> None:
    """A document holds texts, numbers, lists and mappings alone."""
    with pytest.raises((yaml.representer.RepresenterError, TypeError)):
        render_yaml(value)
