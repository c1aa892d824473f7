"""Systems and settings as others have them: each works, by a fact of what is deployed, or is refused in these words.

The table is tests/support/foreign_inputs/*.yaml. An input that is accepted has a fact that decides whether it works,
such as the network that Prometheus joins or the port that is scraped; one that is refused has every problem in full.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from model.errors import ConfigError
from tests.support.foreign_cases import CASES, ForeignCase, find_documents, find_value, has, plan_case

FEWEST = 100
KINDS = {
    "addresses", "collisions", "health", "hostlogs", "https", "kubernetes", "logformats", "metrics", "names",
    "networks", "receivers", "subpaths",
}  # fmt: skip


@pytest.mark.exhaustive
@pytest.mark.parametrize("case", [case for case in CASES if case.facts], ids=lambda case: case.name)
def test_what_is_accepted_works(case: ForeignCase, tmp_path: Path) -> None:
    """Each fact holds of the documents and of the target's inputs."""
    documents = find_documents(plan_case(case, tmp_path))
    for fact in case.facts:
        value = find_value(documents, fact["in"], fact.get("at", []))
        wanted: Any = fact["is"] if "is" in fact else fact["has"]
        holds = value == wanted if "is" in fact else has(value, wanted)
        assert holds, (
            f"{fact['in']}: {fact.get('at')} is {value!r}, and should {'be' if 'is' in fact else 'have'} {wanted!r}"
        )


@pytest.mark.exhaustive
@pytest.mark.parametrize("case", [case for case in CASES if case.refused], ids=lambda case: case.name)
def test_what_is_refused_is_so_in_these_words(case: ForeignCase, tmp_path: Path) -> None:
    """Every problem, with its place, and no other one."""
    with pytest.raises(ConfigError) as caught:
        plan_case(case, tmp_path)
    assert [str(problem) for problem in caught.value.problems] == list(case.refused)


def test_there_are_many_inputs_of_all_kinds() -> None:
    """Each has one verdict and a name of its own."""
    assert len({case.name for case in CASES}) == len(CASES) >= FEWEST
    assert {case.kind for case in CASES} == KINDS
    assert [case.name for case in CASES if bool(case.facts) == bool(case.refused)] == []
