"""What is missing while a part is away."""

from __future__ import annotations

import pytest

from cli.changes.parts import explain_absence


@pytest.mark.parametrize(
    ("name", "words"),
    [("prometheus", "scraped"), ("loki-write", "Log lines"), ("node-exporter", "gap"), ("api", "does not answer")],
)
def test_each_part_is_explained(name: str, words: str) -> None:
    """Parts of one component by the component, exporters alike, others in general words."""
    assert words in explain_absence(name)
