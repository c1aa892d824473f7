"""Failures name the command, its status and its last words."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support.waiting import eventually
from toolchain.errors import ToolchainError
from toolchain.run import SHOWN_LINES, end_all_commands, format_failure, run_command


def test_output_is_given() -> None:
    """Standard output is the result."""
    assert run_command(["sh", "-c", "echo out; echo err >&2"]) == "out\n"


def test_failure_names_everything() -> None:
    """The error holds the command, the status, what it said and what to do."""
    with pytest.raises(ToolchainError) as caught:
        run_command(["sh", "-c", "echo broken >&2; exit 3"], advice="mend it")
    for part in ("sh -c", "status 3", "broken", "what to do: mend it"):
        assert part in str(caught.value)


def test_missing_command_is_named() -> None:
    """A program that is not installed is told apart from one that failed."""
    with pytest.raises(ToolchainError, match="no-such-program is not installed"):
        run_command(["no-such-program", "--flag"])


def test_timeout_is_told() -> None:
    """A command that hangs is ended, and the error says how long was waited."""
    with pytest.raises(ToolchainError, match="did not end within"):
        run_command(["sleep", "30"], timeout=0.05)


def test_only_last_lines_are_shown() -> None:
    """Of a long output only the end is repeated."""
    shown = format_failure("cmd", 1, "\n".join(f"line {i}" for i in range(100)))
    assert "line 99" in shown
    assert f"line {99 - SHOWN_LINES}" not in shown


def test_what_runs_to_the_end_is_not_cut_short(tmp_path: Path) -> None:
    """Ending all commands leaves a system installation alone: half-done, it would be in the way of everything later."""
    began, done = tmp_path / "began", tmp_path / "done"
    script = f"touch {began}; while [ ! -e {tmp_path}/go ]; do sleep 0.02; done; touch {done}"
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(run_command, ["sh", "-c", script], to_the_end=True)
        eventually(began.exists, timeout=30, what="the command begins")
        end_all_commands()
        (tmp_path / "go").touch()
        running.result()
    assert done.exists()
