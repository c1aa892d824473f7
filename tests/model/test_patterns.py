"""Whoever writes a value that a pattern refuses reads words, and no expression."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from model import addresses, base, patterns
from model.images import ImagesFile
from stack import registry

MODELS = (registry.build_settings_model(), registry.build_system_model(), ImagesFile)
"""What people write."""

TEXTS = {**base.PATTERN_TEXTS, **addresses.PATTERN_TEXTS, **patterns.PATTERN_TEXTS}


def list_patterns(node: Any) -> Iterator[str]:
    """The patterns of values and of keys below a node of a JSON Schema."""
    if isinstance(node, list):
        for item in node:
            yield from list_patterns(item)
    if isinstance(node, dict):
        if isinstance(node.get("pattern"), str):
            yield node["pattern"]
        yield from node.get("patternProperties", {})
        for item in node.values():
            yield from list_patterns(item)


@pytest.mark.parametrize("model", MODELS)
def test_every_pattern_has_its_words(model: Any) -> None:
    """In each file."""
    assert set(list_patterns(model.model_json_schema())) - TEXTS.keys() == set()


def test_no_words_are_left_over() -> None:
    """Each stands for a pattern that there is, so that a changed one does not lose its words unseen."""
    every = {pattern for model in MODELS for pattern in list_patterns(model.model_json_schema())}
    assert patterns.PATTERN_TEXTS.keys() - every == set()
