"""What every process has: memory, CPU, open files."""

from __future__ import annotations

from typing import Any

from packs import process


def test_alerts_fire_just_past_their_conditions(proves: Any, uses: Any) -> None:
    """Open files near their limit fire, below it they do not."""
    proves(process.rules(uses("python")).alerts)


def test_panels_explain_themselves(uses: Any, explains: Any) -> None:
    """Each panel has a title of its own and says what it shows."""
    explains(process.panels([uses("python")]))


def test_what_is_not_measured_is_not_drawn(uses: Any) -> None:
    """A service that measures its memory alone has a panel of that alone."""
    metrics = {"rss": {"type": "gauge", "role": "memory", "unit": "bytes"}}
    assert [panel.title for panel in process.panels([uses(metrics=metrics)])] == ["Memory"]
