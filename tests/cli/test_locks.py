"""Locks of a backend of files, and what is left of runs that were killed."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cli import locks, workspace
from cli.workspace import Workspace
from tests.support import fakes
from tests.support.waiting import eventually


def lock(folder: Path, content: object, name: str = "one") -> Path:
    """A lock of the file backend in `folder`."""
    path = folder / ".pulumi/locks/organization/observability/dev" / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def dead_pid() -> int:
    """The number of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def stale(space: Workspace) -> set[Path]:
    """The locks of runs that are over."""
    return {lock.path for lock in locks.list_locks(space.backend, space.stack) if lock.stale}


def ago(seconds: float) -> str:
    """A moment as Pulumi writes it into a lock."""
    return (datetime.now(UTC) - timedelta(seconds=seconds)).isoformat()


def test_only_locks_of_dead_processes_of_this_machine_are_stale(tmp_path: Path) -> None:
    """A lock whose process lives, or that another machine holds, is left alone; half a lock is stale."""
    here = socket.gethostname()
    dead = lock(tmp_path, {"pid": dead_pid(), "hostname": here}, "dead")
    half = lock(tmp_path, '{"pid": 1', "half")
    lock(tmp_path, {"pid": os.getpid(), "hostname": here, "timestamp": ago(0)}, "alive")
    lock(tmp_path, {"pid": dead_pid(), "hostname": f"not-{here}"}, "elsewhere")
    space = fakes.workspace(tmp_path, PULUMI_BACKEND_URL=f"file://{tmp_path}")
    assert stale(space) == {dead, half}


def test_a_number_that_was_given_again_holds_no_lock(tmp_path: Path) -> None:
    """After a restart of the machine another process may have the number; it started after the lock was taken."""
    entry = lock(tmp_path, {"pid": os.getpid(), "hostname": socket.gethostname(), "timestamp": ago(86_400)})
    assert stale(fakes.workspace(tmp_path, PULUMI_BACKEND_URL=f"file://{tmp_path}")) == {entry}


def test_a_killed_process_that_nobody_waited_for_holds_no_lock(tmp_path: Path) -> None:
    """It keeps its number until its parent asks how it ended, which may be never."""
    killed = subprocess.Popen(["sleep", "60"])
    try:
        entry = lock(tmp_path, {"pid": killed.pid, "hostname": socket.gethostname()})
        space = fakes.workspace(tmp_path, PULUMI_BACKEND_URL=f"file://{tmp_path}")
        assert stale(space) == set()
        killed.kill()
        eventually(lambda: stale(space) == {entry}, timeout=10, what="the lock is stale")
    finally:
        killed.wait()


def test_other_backends_have_no_locks_here(tmp_path: Path) -> None:
    """Locks of a backend that is no directory are their own business."""
    lock(tmp_path, "{")
    assert locks.list_locks("s3://states", "dev") == []


def test_a_stack_whose_making_was_killed_can_be_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that was killed before there was a stack has left a lock, and no state that could be recovered."""
    monkeypatch.setattr(workspace, "ROOT", tmp_path)
    monkeypatch.setattr(workspace, "has_own_backend", lambda env: True)
    (tmp_path / "Pulumi.dev.yaml").write_text("config: {}\n")
    left = lock(tmp_path, {"pid": 2**22 + 1, "hostname": socket.gethostname(), "timestamp": ago(60)})
    path = fakes.fake_pulumi(tmp_path, fails=("stack select",))
    env = {"PATH": f"{path}:/usr/bin:/bin", "PULUMI_BACKEND_URL": f"file://{tmp_path}"}
    workspace.open_workspace("dev", env)
    assert not left.exists() and "stack init dev" in " ".join(fakes.calls(tmp_path))
