"""Copies of frozen dataclasses."""

from __future__ import annotations

from dataclasses import replace

import pytest

from model.copies import copy_with
from model.telemetry import RuleGroup


def test_a_copy_is_that_of_replace() -> None:
    """A copy has the fields that are named, all others of the original, and leaves that as it is."""
    group = RuleGroup(name="a", board="b")
    assert copy_with(group, name="c", limit=1) == replace(group, name="c", limit=1)
    assert group == RuleGroup(name="a", board="b")


def test_a_field_that_does_not_exist_is_refused() -> None:
    """A misspelt field is an error and not one more."""
    with pytest.raises(TypeError, match="RuleGroup has no field bord"):
        copy_with(RuleGroup(name="a"), bord="b")
