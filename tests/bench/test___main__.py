"""The measurements that need no engine, and the command line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from bench import __main__ as bench
from bench.report import Cost, Row


def test_absent_peer_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without helm or its chart the row says which of them is missing, and holds no limit."""
    monkeypatch.setattr("shutil.which", lambda name: None)
    monkeypatch.delenv(bench.CHART, raising=False)
    row = bench.compare_with_helm("render", Cost(1.0, 1.0), 1)
    assert row.beside == f"helm template: skipped, helm is not on PATH and {bench.CHART} is not set"
    assert row.good is None


@pytest.mark.parametrize(("times", "good"), [(bench.TIMES_HELM / 2, True), (bench.TIMES_HELM * 2, False)])
def test_peer_is_measured_where_it_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, times: float, good: bool
) -> None:
    """With helm and a chart, its cost stands beside ours, and ours has a limit."""
    program = tmp_path / "helm"
    program.write_text('#!/bin/sh\n[ "$3" = /chart ] && [ "$1" = template ]\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setenv(bench.CHART, "/chart")
    costs = iter([Cost(0.5, 0.25)])

    def measure(work: Callable[[], object], runs: int) -> Cost:
        work()
        return next(costs)

    monkeypatch.setattr(bench, "measure_cost", measure)
    row = bench.compare_with_helm("render", Cost(1.0, 0.25 * times), 1)
    assert row.beside.startswith("helm template kube-prometheus-stack 0.50 s, 0.25 s; ")
    assert row.good is good


def test_growing_resources_break_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another number of resources, and more seconds than the limit, are over it; the same number in time is good."""
    counts, seconds = {10: 50.0, 100: 51.0, 1000: 50.0}, {10: 0.1, 100: 0.1, 1000: bench.PLAN_LIMIT + 1}

    def scale(services: int, targets: int) -> dict[str, float]:
        figures = {"seconds": seconds[services], "resources": counts[services], "bytes": 1.0, "memory": 1.0}
        return {**figures, "targets": float(services * targets)}

    monkeypatch.setattr(bench, "_measure_scale", scale)
    rows = list(bench.measure_growth(2, ((10, 2), (100, 1), (1000, 1))))
    assert [row.good for row in rows] == [True, False, False]
    assert rows[0].what == "plan 10 services, 20 targets"


@pytest.mark.parametrize(("good", "status"), [(True, 0), (False, 1)])
def test_status_follows_the_limits(monkeypatch: pytest.MonkeyPatch, good: bool, status: int) -> None:
    """The command fails when a limit does not hold, and needs no engine when told so."""
    monkeypatch.setattr("sys.argv", ["bench", "--quick", "--no-engine"])
    monkeypatch.setattr(bench, "measure_rendering", lambda runs: iter([Row("a", "1", "2", runs, good)]))
    monkeypatch.setattr(bench, "measure_growth", lambda runs, sizes: iter([Row("b", "1", "2", runs, good=True)]))
    assert bench.main() == status


def test_the_curves_are_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each size is measured so often, and is a point of the picture; nothing else is measured."""
    seen: list[tuple[int, int]] = []

    def scale(services: int, targets: int) -> dict[str, float]:
        seen.append((services, targets))
        return {"seconds": 0.1}

    monkeypatch.setattr(bench, "_measure_scale", scale)
    monkeypatch.setattr("sys.argv", ["bench", "--quick", "--picture", str(tmp_path / "growth.svg")])
    assert bench.main() == 0 and seen == list(bench.SIZES)
    assert all(name in (tmp_path / "growth.svg").read_text(encoding="utf-8") for name in bench.CURVES)
