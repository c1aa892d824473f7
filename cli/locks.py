"""The locks of a stack in a backend of files: whose they are, and which of them are left of a run that was killed."""

from __future__ import annotations

import json
import os
import socket
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import urlparse

from cli import runs

_CLOCK_SECONDS = 5
"""By how much the times of a lock and of its process's start may differ: the latter is reckoned from the uptime."""


@dataclass(frozen=True)
class Lock:
    """A lock in a backend of files: who holds it, since when (Unix time); without a holder it is half written."""

    path: Path
    pid: int = 0
    user: str = ""
    host: str = ""
    since: float | None = None

    @property
    def stale(self) -> bool:
        """Whether its run is over for certain: it was one of this machine, and its process is gone."""
        return not self.host or (self.host == socket.gethostname() and not _is_alive(self.pid, self.since))

    def __str__(self) -> str:
        since = f" since {datetime.fromtimestamp(self.since).astimezone():%Y-%m-%d %H:%M:%S}" if self.since else ""
        if self.host == socket.gethostname():
            return f"process {self.pid} of {self.user}{since}: wait until it has ended, or end it: kill {self.pid}"
        return (
            f"process {self.pid} of {self.user} on {self.host}{since}: wait until it has ended; "
            f"if it was killed, or that machine is gone, remove its lock: rm '{self.path}'"
        )


def list_locks(backend: str, stack: str) -> list[Lock]:
    """The locks of a stack, where the URL of its backend is that of a directory; else none."""
    url = urlparse(backend)
    if url.scheme != "file":
        return []
    return [_read_lock(path) for path in sorted(Path(url.path).glob(f".pulumi/locks/**/{stack}/*.json"))]


def _read_lock(path: Path) -> Lock:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):  # the run was killed while it wrote the lock, or has just ended
        return Lock(path)
    since = datetime.fromisoformat(content["timestamp"]).timestamp() if content.get("timestamp") else None
    return Lock(path, int(content.get("pid", 0)), content.get("username", ""), content.get("hostname", ""), since)


def refuse_locked(backend: str, stack: str) -> None:
    """Nothing, unless another run holds a lock of the stack.

    Raises:
        LockedError: one does.
    """
    if active := [lock for lock in list_locks(backend, stack) if not lock.stale]:
        raise runs.LockedError(
            f"stack {stack} is being changed by another run:\n" + "\n".join(f"  {lock}" for lock in active)
        )


def remove_stale_locks(backend: str, stack: str) -> bool:
    """Removes the locks of runs that are no longer alive. Returns whether there were any.

    Raises:
        LockedError: another run changes the stack at this moment; nothing was removed.
    """
    refuse_locked(backend, stack)
    left = list_locks(backend, stack)
    for lock in left:
        lock.path.unlink(missing_ok=True)
    return bool(left)


def _is_alive(pid: int, since: float | None) -> bool:
    """Whether the process that took a lock runs: one that started later has only got its number.

    One that was killed and that nobody has waited for yet has a number as well, but does not run.
    """
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:  # somebody else's process
        return True
    if not Path("/proc/self").exists():
        return True
    ticks = runs.read_start_ticks(pid)
    return bool(ticks) and (since is None or runs.convert_ticks(ticks) <= since + _CLOCK_SECONDS)
