"""Proving a pack's alerts, on a service that uses the pack."""

from __future__ import annotations

import signal
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from model.dashboard_spec import Panel
from model.load import parse_model
from model.system import System
from model.telemetry import AlertRule, RecordingRule, RuleGroup
from packs.base import Subject
from packs.system import expand_system
from stack.memory import spare_collections
from tests.support.proving import prove, unproven
from tests.support.validating import tool

Proves = Callable[..., None]
Uses = Callable[..., Subject]


def pytest_sessionstart() -> None:
    """What is imported stays, and so do the reports that the workers send: garbage is looked for seldom.

    In the background of a script SIGINT is ignored, also by Pulumi's plugins, which are then waited for in vain.
    """
    spare_collections()
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_finish() -> None:
    """What is there once all modules are imported stays: no collection of garbage ever looks at it."""
    spare_collections()


@pytest.fixture
def proves(tmp_path: Path) -> Proves:
    """Asserts that each alert has an example, summary, description and steps, and that promtool agrees with all."""

    def check(alerts: Sequence[AlertRule], recordings: Sequence[RecordingRule] = ()) -> None:
        assert alerts
        group = RuleGroup(name="proven", recordings=tuple(recordings), alerts=tuple(alerts))
        assert not unproven(group)
        for alert in alerts:
            assert alert.summary and alert.description.endswith(".") and alert.steps, alert.name
        complaint = prove(group, str(tool("promtool")), tmp_path)
        assert not complaint, complaint

    return check


@pytest.fixture
def uses() -> Uses:
    """A service `x` of a system `s` that uses the packs, with more of its YAML where given."""

    def make(*packs: str, **more: Any) -> Subject:
        service = {"port": 80, "packs": list(packs), **more}
        return Subject(
            expand_system(parse_model(System, {"name": "s", "title": "S", "services": {"x": service}}, "s")), "x"
        )

    return make


@pytest.fixture
def explains() -> Callable[[Sequence[Panel]], None]:
    """Asserts that panels have titles of their own, say what they show, and stay with the dashboard's variables."""

    def check(panels: Sequence[Panel]) -> None:
        assert panels
        assert len({panel.title for panel in panels}) == len(panels)
        for panel in panels:
            assert panel.description.endswith("."), panel.title
            for query in panel.queries:
                assert "$environment" in query.expr or "{" not in query.expr, f"{panel.title}: {query.expr}"

    return check
