"""How documents are written."""

from __future__ import annotations

from components.documents import render_yaml


def test_order_and_text_are_kept() -> None:
    """Keys stand in the order written, and text that is not ASCII stays readable."""
    assert render_yaml({"b": 1, "a": "ä"}) == "b: 1\na: ä\n"
