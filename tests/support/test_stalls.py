"""Stalls of the machine are measured."""

from __future__ import annotations

import ctypes

from tests.support.stalls import StallWatch


def test_a_stall_is_measured_and_none_is_not() -> None:
    """Where no thread of the process may run for a second, the longest stall is about as long."""
    with StallWatch() as watch:
        ctypes.PyDLL(None).sleep(1)  # which holds the interpreter's lock, as a machine that stands still does
    assert 0.5 < watch.longest < 60
    assert StallWatch().longest == 0
