"""The lock."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from backup_agent.errors import Failed, Refused
from backup_agent.lock import is_locked, locking
from tests.support.waiting import eventually


def test_one_has_it(tmp_path: Path) -> None:
    """A second one is refused in words after its wait, and says that it waits; afterwards it is free."""
    path = tmp_path / "lock"
    said: list[str] = []
    assert not is_locked(path)
    with locking(path, 0, said.append, "busy"):
        assert is_locked(path) and not said
        with pytest.raises(Refused, match="busy; try again"), locking(path, 0.1, said.append, "busy"):
            pass
    assert not is_locked(path) and said == ["busy: waiting for up to 0 s"]


def test_what_a_process_leaves_running_has_it(tmp_path: Path) -> None:
    """The lock ends with the last process that it was given to."""
    with locking(tmp_path / "lock", 0, print, "busy") as lock:
        left = subprocess.Popen(["cat"], stdin=subprocess.PIPE, pass_fds=(lock,))
    try:
        assert is_locked(tmp_path / "lock")
    finally:
        left.kill()
        left.communicate()
    eventually(lambda: not is_locked(tmp_path / "lock"), timeout=5, what="the lock is free")


def test_a_place_that_is_not_there_is_said(tmp_path: Path) -> None:
    """In words."""
    with pytest.raises(Failed, match="cannot be written"), locking(tmp_path / "none" / "lock", 0, print, "busy"):
        pass
