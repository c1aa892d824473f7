"""Detached processes: found again, stopped, and never confused with others."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from toolchain.daemon import Daemon
from toolchain.errors import ToolchainError


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    """A daemon that is stopped when the test ends."""
    daemon = Daemon("sleeper", tmp_path)
    yield daemon
    daemon.stop()


def test_started_process_is_found_and_stopped(daemon: Daemon) -> None:
    """A process runs in a session of its own, is known by its pid file, and stop ends it."""
    pid = daemon.start(["sleep", "60"])
    assert Daemon("sleeper", daemon.directory).find_pid() == pid
    assert os.getsid(pid) == pid
    assert daemon.stop()
    assert daemon.find_pid() is None
    assert not daemon.stop()


def test_reused_pid_is_not_ours(daemon: Daemon) -> None:
    """A pid file that names another process's number, such as our own, is not believed."""
    (daemon.directory / "sleeper.pid").write_text(f"{os.getpid()} 1\n")
    assert daemon.find_pid() is None
    assert not daemon.stop()


def test_early_end_is_told_with_the_log(daemon: Daemon) -> None:
    """A process that ends while starting fails at once with its own last words."""
    daemon.start(["sh", "-c", "echo cannot bind; exit 1"])
    with pytest.raises(ToolchainError, match="cannot bind"):
        daemon.await_ready(lambda: False, seconds=10, advice="free the port")


def test_not_ready_in_time_is_told(daemon: Daemon) -> None:
    """A process that runs but never answers is told after the time it was given."""
    daemon.start(["sleep", "60"])
    with pytest.raises(ToolchainError, match="is not ready"):
        daemon.await_ready(lambda: False, seconds=0.05, advice="")


def test_a_daemon_has_not_the_niceness_of_its_starter(tmp_path: Path) -> None:
    """It outlives the command, and so do the containers of an engine, which take its niceness over."""
    code = "from pathlib import Path; from toolchain.daemon import Daemon; "
    code += f"Daemon('d', Path({str(tmp_path)!r})).start(['sleep', '60'])"
    subprocess.run(["nice", "-n", "5", sys.executable, "-c", code], check=True)
    daemon = Daemon("d", tmp_path)
    pid = daemon.find_pid()
    assert pid is not None
    try:
        assert os.getpriority(os.PRIO_PROCESS, pid) == (0 if os.geteuid() == 0 else 5)
    finally:
        daemon.stop()
