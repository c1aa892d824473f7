"""Processes that outlive the command that starts them, each with a pid file that names exactly one process."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from toolchain.errors import ToolchainError
from toolchain.run import SHOWN_LINES

POLL_SECONDS = 0.1


@dataclass(frozen=True)
class Daemon:
    """A detached process whose pid file and log lie in `directory`."""

    name: str
    directory: Path

    @property
    def log(self) -> Path:
        """Where its output goes."""
        return self.directory / f"{self.name}.log"

    @property
    def _pid_file(self) -> Path:
        return self.directory / f"{self.name}.pid"

    def find_pid(self) -> int | None:
        """The pid of the process that we started, if it still runs."""
        try:
            pid, born = (int(field) for field in self._pid_file.read_text().split())
        except (OSError, ValueError):
            return None
        # A pid is used again after a while; together with the start time it names one process.
        return pid if read_start_time(pid) == born else None

    def start(self, command: Sequence[str]) -> int:
        """Start `command` in a session of its own and give its pid."""
        self.directory.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                list(command), stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, cwd="/"
            )
        # a `nice make up` must not leave an engine behind whose containers all give way to everybody else
        with contextlib.suppress(PermissionError):
            os.setpriority(os.PRIO_PROCESS, process.pid, 0)
        draft = self._pid_file.with_suffix(".draft")
        draft.write_text(f"{process.pid} {read_start_time(process.pid)}\n")
        draft.rename(self._pid_file)
        return process.pid

    def await_ready(self, ready: Callable[[], bool], *, seconds: float, advice: str) -> None:
        """Wait until `ready` holds. Raises ToolchainError with the log's end when it does not, or the process ends."""
        until = time.monotonic() + seconds
        while not ready():
            if self.find_pid() is None:
                raise ToolchainError(
                    f"{self.name} ended while starting; its log {self.log}:\n{self.read_tail()}", advice=advice
                )
            if time.monotonic() > until:
                raise ToolchainError(
                    f"{self.name} is not ready after {seconds:.0f} s:\n{self.read_tail()}", advice=advice
                )
            time.sleep(POLL_SECONDS)

    def stop(self, *, seconds: float = 20) -> bool:
        """End the process that we started: politely, after `seconds` by force. False when none runs."""
        pid = self.find_pid()
        if pid is None:
            return False
        os.kill(pid, signal.SIGTERM)
        until = time.monotonic() + seconds
        while self.find_pid() is not None:
            if time.monotonic() > until:
                os.kill(pid, signal.SIGKILL)
            time.sleep(POLL_SECONDS)
        self._pid_file.unlink(missing_ok=True)
        return True

    def read_tail(self) -> str:
        """The last lines of the log, indented."""
        lines = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        return "\n".join(f"    {line}" for line in lines[-SHOWN_LINES:])


def read_start_time(pid: int) -> int | None:
    """When the process started, in clock ticks since boot (field 22 of /proc/PID/stat); None when it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in {"Z", "X"} else int(fields[19])
