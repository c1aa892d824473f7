"""Run a command; a failure names the command, its exit status and its last words."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from toolchain.errors import ToolchainError

SHOWN_LINES = 20
"""How much of a failed command's output is shown: enough for a compiler's or apt's own message."""

_LIVE: set[subprocess.Popen[str]] = set()


def run_command(
    command: Sequence[str],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    advice: str = "",
    timeout: float | None = None,
    to_the_end: bool = False,
) -> str:
    """Run `command` and give its standard output.

    `env` replaces the environment where given, `timeout` is in seconds. What runs `to_the_end` is not cut short when
    another job fails: a half-done system installation would be in the way of everything later. Raises ToolchainError
    when the command is absent, exits with another status than 0 or takes too long.
    """
    shown = shlex.join(command)
    try:
        process = subprocess.Popen(
            list(command),
            cwd=cwd,
            env=env,
            text=True,
            errors="replace",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
    except FileNotFoundError as error:
        raise ToolchainError(f"{command[0]} is not installed (needed for: {shown})", advice=advice) from error
    if not to_the_end:
        _LIVE.add(process)
    try:
        stdout, stderr = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired as error:
        process.kill()
        process.communicate()
        raise ToolchainError(f"{shown} did not end within {timeout:.0f} s", advice=advice) from error
    finally:
        _LIVE.discard(process)
    if process.returncode != 0:
        raise ToolchainError(format_failure(shown, process.returncode, stdout + stderr), advice=advice)
    return stdout


def end_all_commands() -> None:
    """End every command that still runs: once one job has failed, the others' minutes would be wasted."""
    for process in list(_LIVE):
        process.terminate()


def format_failure(shown: str, status: int, output: str) -> str:
    """The text for a command that failed: what it was, its status, its last lines."""
    tail = output.strip().splitlines()[-SHOWN_LINES:]
    lines = "\n".join(f"    {line}" for line in tail) if tail else "    (it said nothing)"
    return f"{shown}\n  ended with status {status}; its last lines:\n{lines}"
