"""What a plan would deploy is the same text for the same plan, and another one for another."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.deployed import Deployed, as_registered, as_text, planned
from tests.support.every_key import ENVIRONMENTS, SYSTEM


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_the_same_plan_is_the_same_text(name: str, tmp_path: Path) -> None:
    """Neither the order of registrations nor of sets makes a difference, so that a difference is an effect."""
    first, again = (planned(tmp_path, ENVIRONMENTS[name], SYSTEM) for _ in range(2))
    assert as_text(first) == as_text(again) and not Deployed(first).differs(Deployed(again))
    assert as_registered(first) == as_registered(first) == as_registered(again)


@pytest.mark.exhaustive
def test_what_only_a_provider_is_told_makes_a_difference(tmp_path: Path) -> None:
    """An engine's address stands in no workload, and is seen where it is registered."""
    here = planned(tmp_path, ENVIRONMENTS["docker"], SYSTEM)
    there = planned(tmp_path, {**ENVIRONMENTS["docker"], "docker": {"certPath": "/certs"}}, SYSTEM)
    assert as_text(here) == as_text(there)
    assert as_registered(here) != as_registered(there)
