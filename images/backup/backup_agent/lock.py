"""One piece of work at a time: a lock on a file, which ends with the processes that have it."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from backup_agent.errors import Refused, describe_write_error


@contextmanager
def locking(path: Path, wait: float, say: Callable[[str], None], busy: str) -> Iterator[int]:
    """Have the lock for as long as the block runs; gives its file descriptor.

    Raises:
        Refused: somebody else has it for longer than `wait` seconds; `busy` says who.
        Failed: the file cannot be written.
    """
    try:
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise describe_write_error(error, str(path.parent)) from None
    try:
        _acquire(file, wait, say, busy)
        yield file
    finally:
        os.close(file)


def _acquire(file: int, wait: float, say: Callable[[str], None], busy: str) -> None:
    end, said = time.monotonic() + wait, False
    while True:
        try:
            return fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= end:
                raise Refused(f"{busy}; try again when it has ended") from None
        if not said:
            say(f"{busy}: waiting for up to {wait:.0f} s")
            said = True
        time.sleep(0.2)


def is_locked(path: Path) -> bool:
    """Whether somebody has the lock."""
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False
