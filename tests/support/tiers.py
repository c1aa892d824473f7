"""Which parameters of a test `make test` runs itself, and which it leaves to `make test-exhaustive`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest


def leave_all_but(quick: Iterable[Any], values: Iterable[Any]) -> list[Any]:
    """All values, as parameters of one test: those that are not `quick` are marked as exhaustive.

    Raises:
        ValueError: a quick one is not among the values.
    """
    every, first = list(values), list(quick)
    if absent := [value for value in first if value not in every]:
        raise ValueError(f"no such parameter: {absent}")
    return [value if value in first else pytest.param(value, marks=pytest.mark.exhaustive) for value in every]
