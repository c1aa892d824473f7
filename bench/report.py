"""Figures of a measurement: how they are taken, and the table that shows each beside a peer or a limit."""

from __future__ import annotations

import resource
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from rich.console import Console
from rich.markup import escape
from rich.table import Table


@dataclass(frozen=True)
class Row:
    """A figure, what it is compared with, the number of runs, and whether its limit holds (None: it has none)."""

    what: str
    measured: str
    beside: str
    runs: int = 1
    good: bool | None = None


def measure_seconds(work: Callable[[], object]) -> float:
    """Seconds that `work` takes."""
    began = time.monotonic()
    work()
    return time.monotonic() - began


@dataclass(frozen=True)
class Cost:
    """What a program took from its start to its end, with the programs that it started: seconds of wall clock, and
    seconds of processor time."""

    wall: float
    cpu: float


def measure_cost(work: Callable[[], object], runs: int) -> Cost:
    """Medians of what the programs cost that `work` starts and waits for."""
    costs = [_measure_once(work) for _ in range(runs)]
    return Cost(statistics.median(cost.wall for cost in costs), statistics.median(cost.cpu for cost in costs))


def _measure_once(work: Callable[[], object]) -> Cost:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    wall = measure_seconds(work)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return Cost(wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def wait_until(condition: Callable[[], bool], *, timeout: float, what: str) -> None:
    """Waits for a condition.

    Raises:
        RuntimeError: it did not come true within `timeout` seconds.
    """
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            raise RuntimeError(f"not within {timeout:.0f} s: {what}")
        time.sleep(0.1)


def collect_rows(name: str, rows: Callable[[], Iterator[Row]], into: list[Row], console: Console) -> None:
    """Adds the rows of one measurement; one that fails becomes a row that says so."""
    console.print(f"== {name}")
    try:
        into.extend(rows())
    except (RuntimeError, OSError, LookupError, ValueError, subprocess.CalledProcessError) as error:
        message = getattr(error, "stderr", None) or str(error)
        into.append(Row(name, "failed", str(message).strip()[-400:], 0, good=False))


def print_rows(rows: list[Row], console: Console) -> bool:
    """Prints the table; true when every limit holds."""
    table = Table("what", "measured", "beside", "runs", "", title="Bench", title_justify="left")
    marks = {True: "[green]ok[/]", False: "[red]over[/]", None: ""}
    for row in rows:
        table.add_row(escape(row.what), escape(row.measured), escape(row.beside), str(row.runs), marks[row.good])
    console.print(table)
    return all(row.good is not False for row in rows)
