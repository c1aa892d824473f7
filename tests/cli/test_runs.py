"""Nothing that a run of Pulumi started outlives it, whichever of its processes is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli import runs
from cli.workspace import ROOT, Workspace
from tests.support.waiting import eventually

PULUMI = """#!/bin/sh
setsid sh -c 'sleep 300; :' pulumi-language &
setsid sleep 300 &
echo "$@" >'{folder}/began'
trap 'echo done >"{folder}/ended"; exit 255' INT
while :; do sleep 0.1; done
"""
"""Starts a language host and a provider in sessions of their own, and ends when it is interrupted."""
COMMAND = """
import sys
from pathlib import Path
from cli.runs import end_with_make, take_interrupts
from cli.workspace import Workspace
end_with_make()
take_interrupts()
try:
    Workspace("dev", Path({folder!r}), {{"PATH": "{folder}:/usr/bin:/bin"}}, local=True).run_pulumi("up")
except KeyboardInterrupt:
    sys.exit(130)
"""
"""What a command of the program does."""


def _take_interrupts() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _ignore_interrupts() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)


class Killable:
    """A make that runs a command, which runs Pulumi, which runs its plugins; in the background of a script or not."""

    def __init__(self, folder: Path, *, background: bool) -> None:
        self.folder = folder
        self.key = Workspace("dev", folder, {}, local=True).key
        (folder / "pulumi").write_text(PULUMI.format(folder=folder))
        (folder / "pulumi").chmod(0o755)
        (folder / "command.py").write_text(COMMAND.format(folder=str(folder)))
        (folder / "Makefile").write_text(f"up:\n\t@{sys.executable} {folder}/command.py\n")
        env = {**os.environ, "PYTHONPATH": str(ROOT)}
        # in the background of a script SIGINT is ignored, and a shell cannot trap what was ignored when it began
        self.make = subprocess.Popen(
            ["make", "-C", folder, "up"],
            env=env,
            start_new_session=True,
            preexec_fn=_ignore_interrupts if background else _take_interrupts,  # noqa: PLW1509 - nothing of this process runs threads that hold locks
        )
        eventually(lambda: (folder / "began").exists() and len(self.running()) >= 4, timeout=30, what="all run")
        (self.command,) = self._children(self.make.pid)
        self.pulumi = next(process.pid for process in self.running() if process.name == "pulumi")

    @staticmethod
    def _children(pid: int) -> list[int]:
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

    def running(self) -> list[runs.Process]:
        """All that carries a mark of the stack's runs."""
        return runs.list_processes(self.key)

    @property
    def finished(self) -> bool:
        """Whether Pulumi came to its end by itself."""
        return (self.folder / "ended").exists()


@pytest.fixture(params=[False])
def run(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Killable]:
    """A run at work."""
    made = Killable(tmp_path, background=request.param)
    yield made
    for process in made.running():
        os.kill(process.pid, signal.SIGKILL)
    made.make.kill()
    made.make.wait()


@pytest.mark.parametrize("who", ["make", "command"])
def test_without_its_command_pulumi_is_interrupted(run: Killable, who: str) -> None:
    """SIGKILL of make or of the command: Pulumi ends as after Ctrl-C, and its plugins with it."""
    os.kill(run.make.pid if who == "make" else run.command, signal.SIGKILL)
    eventually(lambda: not run.running(), timeout=30, what="everything is gone")
    assert run.finished


@pytest.mark.parametrize("run", [True], indirect=True, ids=["background"])
def test_in_the_background_pulumi_can_be_interrupted(run: Killable) -> None:
    """`make up &` in a script ignores SIGINT; Pulumi does not, and the script's own Ctrl-C is not for it."""
    assert os.getpgid(run.command) == os.getpgid(run.pulumi) == run.command != os.getpgid(run.make.pid)
    os.kill(run.command, signal.SIGKILL)
    eventually(lambda: not run.running(), timeout=30, what="everything is gone")
    assert run.finished


def test_plugins_of_a_killed_pulumi_are_ended(run: Killable) -> None:
    """SIGKILL of Pulumi alone: the command ends its plugins, and then itself."""
    os.kill(run.pulumi, signal.SIGKILL)
    eventually(lambda: not run.running(), timeout=30, what="everything is gone")
    assert run.make.wait(30) != 0


def test_plugins_end_when_all_else_is_killed(run: Killable) -> None:
    """SIGKILL of make, command and Pulumi at once, as by an end of the session."""
    for pid in (run.make.pid, run.command, run.pulumi):
        os.kill(pid, signal.SIGKILL)
    eventually(lambda: not run.running(), timeout=30, what="everything is gone")


def test_ctrl_c_lets_pulumi_finish(run: Killable) -> None:
    """The terminal interrupts all of them: the command waits for Pulumi, and nothing is killed before its end."""
    os.killpg(run.make.pid, signal.SIGINT)
    assert run.make.wait(30) != 0
    assert run.finished
    assert not run.running()


def test_what_no_guard_saw_is_ended_before_the_next_run(run: Killable) -> None:
    """Guard and all else killed: the next run finds the plugins, and ends them alone."""
    guards = [pid for pid in run._children(run.command) if pid != run.pulumi]
    assert len(guards) == 1
    assert runs.end_abandoned(run.key) == [], "a run whose command lives is nobody else's to end"
    for pid in (*guards, run.make.pid, run.command, run.pulumi):
        os.kill(pid, signal.SIGKILL)
    eventually(lambda: len(runs.list_abandoned(run.key)) >= 2, timeout=10, what="the plugins are left")
    left = runs.end_abandoned(run.key)
    assert "sleep" in left and not run.running()
    assert runs.end_abandoned(run.key) == []


def test_stacks_are_told_apart(tmp_path: Path) -> None:
    """Stack, directory and backend make a run's mark, so that no other stack's run is ended."""
    keys = {
        runs.derive_stack_key(tmp_path, "dev", ""),
        runs.derive_stack_key(tmp_path, "prod", ""),
        runs.derive_stack_key(tmp_path / "other", "dev", ""),
        runs.derive_stack_key(tmp_path, "dev", "file:///there"),
    }
    assert len(keys) == 4


def test_a_dead_process_has_no_start() -> None:
    """Gone, or dead and not waited for."""
    process = subprocess.Popen(["sleep", "60"])
    assert runs.read_start_ticks(process.pid)
    process.kill()
    eventually(lambda: not runs.read_start_ticks(process.pid), timeout=10, what="it is dead")
    process.wait()
    assert not runs.read_start_ticks(process.pid)
