"""How figures are taken and shown."""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Iterator

import pytest
from rich.console import Console

from bench import report
from bench.report import Row


def shown(rows: list[Row]) -> tuple[bool, str]:
    """Verdict and text of the table."""
    out = io.StringIO()
    return report.print_rows(rows, Console(file=out, width=140)), out.getvalue()


def test_median_ignores_one_slow_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """One run that is disturbed does not move the figure."""
    clock = iter([0.0, 1.0, 10.0, 12.0, 20.0, 120.0])
    monkeypatch.setattr("time.monotonic", lambda: next(clock))
    assert report.measure_cost(lambda: None, 3).wall == 2.0


def test_programs_that_are_waited_for_are_counted() -> None:
    """Their processor time, which is no more than the wall clock of one that runs alone."""
    script = "sum(range(3_000_000))"
    cost = report.measure_cost(lambda: subprocess.run([sys.executable, "-c", script], check=True), 1)
    assert 0 < cost.cpu <= cost.wall + 0.1


def test_waiting_names_what_did_not_happen() -> None:
    """A condition that stays false ends with its name; one that holds returns at once."""
    report.wait_until(lambda: True, timeout=0, what="nothing")
    with pytest.raises(RuntimeError, match="not within 0 s: the rule"):
        report.wait_until(lambda: False, timeout=0, what="the rule")


def test_every_figure_stands_beside_something() -> None:
    """The table shows figure, peer or limit, and verdict of each row."""
    good, text = shown([Row("edit", "3.1 s", "limit 10 s [x]", 3, good=True), Row("render", "1 s", "helm 2 s")])
    assert good
    assert all(words in text for words in ("3.1 s", "limit 10 s [x]", "ok", "helm 2 s"))


def test_a_broken_limit_fails_the_table() -> None:
    """One figure over its limit makes the whole run fail."""
    good, text = shown([Row("a", "1", "limit 2", 1, good=True), Row("b", "3", "limit 2", 1, good=False)])
    assert not good and "over" in text


def test_a_failed_measurement_is_a_row() -> None:
    """A measurement that fails keeps what it had, says why, and lets the others run."""

    def rows() -> Iterator[Row]:
        yield Row("first", "1 s", "peer")
        raise subprocess.CalledProcessError(1, ["pulumi"], stderr="no such stack")

    found: list[Row] = []
    report.collect_rows("measure", rows, found, Console(file=io.StringIO()))
    report.collect_rows("next", lambda: iter([Row("next", "1 s", "peer")]), found, Console(file=io.StringIO()))
    assert [row.what for row in found] == ["first", "measure", "next"]
    assert found[1].beside == "no such stack" and found[1].good is False
