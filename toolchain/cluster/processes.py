"""The cluster's processes inside its namespaces: started with a log each, awaited, and all ended when one ends."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

POLL_SECONDS = 0.05
TAIL_LINES = 5


class ProcessEnded(Exception):
    """A process of the cluster ended, or did not become ready; the text says which and its last words."""


@dataclass
class Processes:
    """Processes by name; their logs lie in `logs`."""

    logs: Path
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self, name: str, command: Sequence[str]) -> None:
        """Start `command`, its output in <name>.log."""
        with (self.logs / f"{name}.log").open("wb") as log:
            self.running[name] = subprocess.Popen(list(command), stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def await_ready(self, what: str, ready: Callable[[], bool], *, seconds: float = 60) -> None:
        """Wait until `ready` holds; an OSError counts as no. Raises Ended."""
        until = time.monotonic() + seconds
        while not _is_ready(ready):
            for name, process in self.running.items():
                if process.poll() is not None:
                    raise ProcessEnded(f"{name} ended with status {process.returncode}\n{self.read_tail(name)}")
            if time.monotonic() > until:
                raise ProcessEnded(f"{what} after {seconds:.0f} s: no")
            time.sleep(POLL_SECONDS)

    def watch(self) -> None:
        """Reap whatever ends, orphans of pods too, until one of ours does. Raises Ended."""
        ours = {process.pid: name for name, process in self.running.items()}
        while True:
            try:
                pid, status = os.wait()
            except ChildProcessError:
                raise ProcessEnded("no process is left") from None
            if pid in ours:
                raise ProcessEnded(
                    f"{ours[pid]} ended with status {os.waitstatus_to_exitcode(status)}\n{self.read_tail(ours[pid])}"
                )

    def read_tail(self, name: str) -> str:
        """The last lines of a process's log."""
        lines = (self.logs / f"{name}.log").read_text(errors="replace").splitlines()
        return "\n".join(f"    {line}" for line in lines[-TAIL_LINES:])


def _is_ready(ready: Callable[[], bool]) -> bool:
    try:
        return ready()
    except OSError:
        return False
