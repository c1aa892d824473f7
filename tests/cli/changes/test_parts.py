"""What is missing while a part is away."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli.changes.parts import explain_absence
from tests.support.line_agents import AGENTS
from tests.support.validating import everything


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("prometheus", "scraped"),
        ("loki-write", "Log lines"),
        ("backup-loki", "A backup"),
        ("node-exporter", "gap"),
        ("api", "does not answer"),
    ],
)
def test_each_part_is_explained(name: str, words: str) -> None:
    """Parts of one component by the component, exporters alike, others in general words."""
    assert words in explain_absence(name)


@pytest.mark.parametrize("agent", AGENTS)
def test_no_part_of_a_whole_stack_is_left_to_general_words(agent: str, tmp_path: Path) -> None:
    """Each workload that a component brings has words of its own."""
    names = [workload.name for workload in everything(tmp_path, agent=agent).list_workloads()]
    assert not [name for name in names if explain_absence(name) == explain_absence("api")]
