"""Runs of Pulumi, and the end of everything that belongs to one once it was killed.

Pulumi starts a language host and a provider for each platform, in process groups of their own, and asks them to end
when it ends. Killed, it cannot: they live on, and a provider goes on making what nobody records. So each run carries
a mark in its environment, which its processes inherit. A guard, started beside the run in a session of its own, waits
on a pipe whose other end only the command holds. When the command is gone, however that came, the guard interrupts a
Pulumi that still runs, as Ctrl-C does, and then kills whatever carries the mark. What even the guard did not see is
ended before the next run.

The marks are read in /proc, so all this is done on Linux; elsewhere nothing is found and nothing ended.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

MARK = "OBSERVABILITY_RUN"
"""The variable that holds the mark."""
_PROC = Path("/proc")
_INTERRUPTED_SECONDS = 60
"""What an interrupted Pulumi may take to come to an end: twice the time that a container has for stopping."""
_KILLED_SECONDS = 10
"""After which a killed process hangs in the kernel, and is not waited for."""
_POLL = 0.1
_DEATH_SIGNAL = 1
"""PR_SET_PDEATHSIG of prctl(2)."""


class LockedError(Exception):
    """Another run changes the stack at this moment. The message says whose it is, and what to do."""


@dataclass(frozen=True)
class Process:
    """A process of a run: its number, its name and the mark that it carries."""

    pid: int
    name: str
    mark: str


def derive_stack_key(directory: Path, stack: str, backend: str) -> str:
    """What the marks of all runs of a stack begin with."""
    return hashlib.sha256("\0".join([str(directory), stack, backend]).encode()).hexdigest()[:12]


def derive_mark(key: str) -> str:
    """The mark of the runs that this process starts for a stack: it names the process, so that its end can be seen."""
    return f"{key}-{os.getpid()}-{read_start_ticks(os.getpid())}"


def read_start_ticks(pid: int) -> str:
    """When a process started, in ticks since the start of the machine; empty where it is gone or cannot be known.

    Source: https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html, field 22; a dead process that nobody waited for
    (state Z) counts as gone.
    """
    try:
        fields = (_PROC / str(pid) / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] in "ZX" else fields[19]


def convert_ticks(ticks: str) -> float:
    """The Unix time of a number of ticks since the start of the machine."""
    booted = time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)
    return booted + int(ticks) / os.sysconf("SC_CLK_TCK")


def list_processes(prefix: str) -> list[Process]:
    """All processes whose mark begins with `prefix`, except this one."""
    result = []
    for folder in _PROC.glob("[0-9]*"):
        pid, variable = int(folder.name), f"{MARK}={prefix}".encode()
        marks = [item.partition(b"=")[2] for item in _read_parts(folder / "environ") if item.startswith(variable)]
        if marks and pid != os.getpid() and read_start_ticks(pid):
            name = b"".join(_read_parts(folder / "comm")).decode().strip()
            result.append(Process(pid, name, marks[0].decode()))
    return result


def _read_parts(path: Path) -> list[bytes]:
    """The parts of a file in /proc; none where the process is gone or somebody else's."""
    try:
        return path.read_bytes().split(b"\0")
    except OSError:
        return []


def _list_run_processes(mark: str) -> list[Process]:
    return [process for process in list_processes(mark) if process.mark == mark]


def list_abandoned(key: str) -> list[Process]:
    """Processes of runs of a stack whose command is gone."""
    result = []
    for process in list_processes(f"{key}-"):
        _, pid, ticks = process.mark.split("-")
        if read_start_ticks(int(pid)) != ticks:
            result.append(process)
    return result


def end_abandoned(key: str) -> list[str]:
    """Ends what killed runs of a stack left behind. Returns its names. A guard that is at it is waited for."""
    left = list_abandoned(key)
    deadline = time.monotonic() + _INTERRUPTED_SECONDS
    while any(_is_guarded(process.mark) for process in list_abandoned(key)) and time.monotonic() < deadline:
        time.sleep(_POLL)
    for process in list_abandoned(key):
        _kill_run(process.mark)
    return sorted({process.name for process in left})


def _is_guarded(mark: str) -> bool:
    lines = [_read_parts(folder / "cmdline") for folder in _PROC.glob("[0-9]*")]
    return any(mark.encode() in line and __file__.encode() in line for line in lines)


def _send_signal(process: Process, number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.kill(process.pid, number)


def _kill_run(mark: str) -> None:
    """SIGKILL until nothing carries the mark: a process may have started another one meanwhile."""
    deadline = time.monotonic() + _KILLED_SECONDS
    while (remaining := _list_run_processes(mark)) and time.monotonic() < deadline:
        for process in remaining:
            _send_signal(process, signal.SIGKILL)
        time.sleep(_POLL)


def end_run(mark: str) -> None:
    """Ends a run: a Pulumi that still runs is interrupted and may finish what it does, all else is killed."""
    engines = [process for process in _list_run_processes(mark) if process.name == "pulumi"]
    for process in engines:
        _send_signal(process, signal.SIGINT)
    deadline = time.monotonic() + _INTERRUPTED_SECONDS
    while any(read_start_ticks(process.pid) for process in engines) and time.monotonic() < deadline:
        time.sleep(_POLL)
    _kill_run(mark)


@contextmanager
def guard_run(mark: str) -> Iterator[None]:
    """A guard watches over the run that is inside; it goes when that has come to its end."""
    if not _PROC.exists():
        yield
        return
    reading, writing = os.pipe()  # neither is inherited, so this process alone holds the end for writing
    guard = subprocess.Popen(
        [sys.executable, "-I", "-S", __file__, mark],
        stdin=reading, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/", start_new_session=True,
    )  # fmt: skip
    os.close(reading)
    try:
        yield
    finally:
        guard.kill()  # before the pipe is closed, so that it does not take the next run of this process for this one
        guard.wait()
        os.close(writing)


def run_command(
    command: Sequence[str],
    *,
    mark: str,
    env: Mapping[str, str],
    cwd: Path,
    capture: bool,
    stdin: str | None,
    say: Callable[[str], object] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Runs Pulumi under a mark. Nothing of the run is left when it returns.

    With `say` each line of its standard output is handed on as it comes, and not captured.

    After Ctrl-C it is waited for, as the terminal interrupts Pulumi as well, which then finishes what it does.

    Raises:
        KeyboardInterrupt: it was interrupted, and has come to its end.
    """
    with guard_run(mark):
        pipe = subprocess.PIPE if capture else None
        process = subprocess.Popen(
            command, cwd=cwd, env={**env, MARK: mark}, text=True, stdout=subprocess.PIPE if say else pipe, stderr=pipe,
            stdin=subprocess.PIPE if stdin is not None else None,
        )  # fmt: skip
        interrupted, written = False, stdin
        while True:
            try:
                if say and process.stdout:
                    for line in process.stdout:
                        say(line.rstrip("\n"))
                out, err = process.communicate(written)
                break
            except KeyboardInterrupt:
                interrupted, written = True, None
        _kill_run(mark)
    if interrupted:
        raise KeyboardInterrupt
    return subprocess.CompletedProcess(command, process.returncode, out, err)


def take_interrupts() -> None:
    """Makes SIGINT what it is in the foreground, where a script started this with `&`, which has it ignored.

    All that a process starts inherits that. Pulumi 3.250 asks each plugin to end by SIGINT and waits five seconds
    before it kills one, so a run took seconds longer; and no guard could interrupt Pulumi. A Ctrl-C in the script's
    terminal is still not for this process: it leaves the group that gets it.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        with suppress(PermissionError):  # the leader of a session is the first of a group of its own
            os.setpgid(0, 0)
        signal.signal(signal.SIGINT, signal.default_int_handler)


def end_with_make() -> None:
    """Makes the end of the `make` that started this process its own end, which the guard then sees.

    Source: https://man7.org/linux/man-pages/man2/PR_SET_PDEATHSIG.2const.html
    """
    if _read_parts(_PROC / str(os.getppid()) / "comm") in ([b"make\n"], [b"gmake\n"]):
        ctypes.CDLL(None).prctl(_DEATH_SIGNAL, signal.SIGTERM)


if __name__ == "__main__":
    sys.stdin.buffer.read()  # until the command is gone
    end_run(sys.argv[1])
