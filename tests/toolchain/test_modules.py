"""Modules fetched ahead: in order, silently where that fails, and no longer than anybody builds."""

from __future__ import annotations

import threading

import pytest

from toolchain import modules
from toolchain.context import Context
from toolchain.errors import ToolchainError
from toolchain.golang import GoBuild
from toolchain.recipes import LOKI, PROMETHEUS, PROMTAIL


def test_all_are_fetched_in_order_and_failures_are_the_builds(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that cannot be fetched does not keep the next ones from it."""
    seen: list[str] = []
    done = threading.Event()

    def fetch(_: Context, build: GoBuild) -> None:
        seen.append(build.program)
        if build is PROMTAIL:
            done.set()
        raise ToolchainError("no proxy")

    monkeypatch.setattr(modules, "fetch_modules", fetch)
    with modules.fetching_modules(context, [PROMETHEUS, LOKI, PROMTAIL]):
        assert done.wait(10)
    assert seen == ["prometheus", "loki", "promtail"]


def test_nothing_more_is_fetched_when_the_builds_are_over(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    """The end of the body ends the row."""
    seen: list[str] = []
    begun, go_on, ended = threading.Event(), threading.Event(), threading.Event()

    def fetch(_: Context, build: GoBuild) -> None:
        seen.append(build.program)
        begun.set()
        assert go_on.wait(10)
        ended.set()

    monkeypatch.setattr(modules, "fetch_modules", fetch)
    with modules.fetching_modules(context, [PROMETHEUS, LOKI]):
        assert begun.wait(10)
    go_on.set()
    assert ended.wait(10)
    for thread in threading.enumerate():
        if thread.name == "go-modules":
            thread.join(10)
    assert seen == ["prometheus"]


def test_only_what_the_program_needs_is_listed(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    """The compiler's own question: dependencies of one package, under its tags."""
    commands: list[list[str]] = []
    monkeypatch.setattr(modules, "find_go", lambda _: "go")
    monkeypatch.setattr(modules, "build_go_environment", lambda *_: {})
    monkeypatch.setattr(modules, "run_command", lambda command, **_: commands.append(command))
    modules.fetch_modules(context, PROMETHEUS)
    (command,) = commands
    assert command[-1] == PROMETHEUS.package
    assert {"-deps", "-tags"} <= set(command)
