"""Which agent reads the lines of a stack that is deployed by tests of either one.

`E2E_LINES_AGENT=collector make e2e-local TESTS=tests/e2e/test_guests.py` has the collector in Promtail's place.
"""

from __future__ import annotations

import os
from typing import Any

from model.settings import AGENTS

LINES_AGENT = os.environ.get("E2E_LINES_AGENT", "promtail")
assert LINES_AGENT in AGENTS, f"E2E_LINES_AGENT={LINES_AGENT}: {' or '.join(AGENTS)}"


def choose_lines_agent(config: dict[str, Any]) -> None:
    """Has the chosen agent in a stack's settings; what they say of the other one would be refused."""
    config["logs"] = {"agent": LINES_AGENT}
    for name in AGENTS:
        if name != LINES_AGENT:
            config.pop(name, None)
