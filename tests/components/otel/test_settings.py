"""The gateway's settings: what is said of sampling and queues."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from components.otel.settings import Sampling, Settings


def test_it_is_off_and_keeps_every_trace() -> None:
    """Nothing is deployed, and nothing left out, that nobody asked for."""
    assert not Settings().enabled and Settings().sampling is None


@pytest.mark.parametrize("percentage", [0, 100, -1])
def test_a_share_leaves_some_out(percentage: float) -> None:
    """A share of none would lose traces without a word, and one of all is no sampling."""
    with pytest.raises(ValidationError):
        Sampling(percentage=percentage)
