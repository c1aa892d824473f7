"""Waiting for a condition instead of for a time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def eventually(probe: Callable[[], T], *, timeout: float, what: str) -> T:
    """The first truthy answer of `probe`, asked again and again for at most `timeout` seconds.

    Raises:
        AssertionError: the time is over; the message names `what` and the last answer or error.
    """
    deadline = time.monotonic() + timeout
    last: object = None
    while True:
        try:
            answer = probe()
            if answer:
                return answer
            last = answer
        except (AssertionError, LookupError, OSError, RuntimeError, ValueError) as error:
            last = error
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout:g} s: {what}; last seen: {last!r}")
        time.sleep(0.2)
