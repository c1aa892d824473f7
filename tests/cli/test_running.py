"""A running stack as commands get it: files, secrets and platform of the same stack."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from cli import running


def test_all_three_are_of_the_stack_that_was_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The platform is the one that its settings name, and the plan has its secrets."""
    space = SimpleNamespace(directory="/files")
    monkeypatch.setattr("cli.engine.build_tool_env", lambda: {"PATH": "/tools"})
    monkeypatch.setattr(running, "open_workspace", lambda stack, env: space if env["PATH"] == "/tools" else stack)
    monkeypatch.setattr(running, "read_settings", lambda folder, stack: (folder, stack))
    monkeypatch.setattr(running, "build_location", lambda settings: ("place", *settings))
    monkeypatch.setattr(running, "plan_workspace", lambda opened: ("plan", opened))
    monkeypatch.setattr(running, "open_host", lambda stack, location: (stack, location))
    opened: object = running.open_running("shop")
    assert opened == (space, ("plan", space), ("shop", ("place", "/files", "shop")))
