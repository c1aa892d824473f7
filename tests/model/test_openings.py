"""What of each API comes in from outside: nothing that ends, loads, writes or deletes."""

from __future__ import annotations

import pytest

from model.openings import ALERTMANAGER, LOKI, PROMETHEUS
from model.route import READ, Opening


@pytest.mark.parametrize("openings", [PROMETHEUS, ALERTMANAGER, LOKI])
def test_whoever_signs_in_reads(openings: tuple[Opening, ...]) -> None:
    """What changes something is closed, or needs a grant of its own; queries may be long, hence POST."""
    for opening in openings:
        if opening.grant == "people" and not set(opening.methods) <= set(READ):
            assert opening.methods == ("POST",) and opening.paths != ("",)
            assert all(
                path.removeprefix("/api/v1/").startswith(("query", "series", "label", "format", "parse"))
                for path in opening.paths
            )
