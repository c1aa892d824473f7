"""The parts of measurements that can be judged without an engine."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from bench import bench_stack, lifecycle
from bench.bench_stack import BenchStack
from bench.report import Cost
from cli.render import plan_file
from tests.support import fakes

ROOT = Path(__file__).resolve().parents[2]


def test_notification_limit_follows_the_settings() -> None:
    """The limit is the sum of what the stack's own documents allow: scrape, evaluations, hold and group wait."""
    parts = lifecycle.compute_notification_limit(plan_file(ROOT / "Pulumi.dev.yaml", "dev"))
    assert parts["scrape"] == 15 and parts["evaluation"] == 30 and parts["for"] == 60
    assert 0 < parts["group wait"] <= 30


@pytest.mark.parametrize(
    ("route", "waits"),
    [
        ({}, ["30s"]),
        ({"group_wait": "10s", "routes": [{"group_wait": "0s"}, {}]}, ["10s", "0s", "10s"]),
    ],
)
def test_routes_inherit_their_group_wait(route: dict[str, Any], waits: list[str]) -> None:
    """A route without a group wait has its parent's."""
    assert lifecycle._list_group_waits(route, "30s") == waits


@pytest.mark.parametrize(
    ("stats", "used"),
    [
        ({"usage": 100, "stats": {"total_inactive_file": 30, "inactive_file": 1}}, 70),
        ({"usage": 100, "stats": {"inactive_file": 40}}, 60),
        ({"usage": 100}, 100),
    ],
)
def test_page_cache_is_not_counted(stats: dict[str, Any], used: int) -> None:
    """Memory is what cannot be given back, on both versions of control groups."""
    assert lifecycle.compute_working_set(stats) == used


@pytest.mark.parametrize(("count", "lines"), [(0, 0), (7, 2)])
def test_a_peer_has_so_many_resources(tmp_path: Path, count: int, lines: int) -> None:
    """It is deployed once, in a backend of its own, before it is measured."""
    env = {"PATH": f"{fakes.fake_pulumi(tmp_path / 'fake')}:/usr/bin:/bin", "PULUMI_BACKEND_URL": "s3://real"}
    space = lifecycle.build_peer_program(tmp_path, env, count)
    assert space.env["PULUMI_BACKEND_URL"] == f"file://{tmp_path}/backend"
    program = (tmp_path / "__main__.py").read_text()
    assert len(program.splitlines()) == lines and (f"range({count})" in program) == bool(count)
    assert fakes.calls(tmp_path / "fake")[0] == "stack init peer"


def test_a_run_without_a_change_is_judged_beside_its_peers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Four times an empty program is the limit of a preview, and two seconds more than that preview of an `up`."""
    costs = iter([Cost(1.0, 1.0), Cost(2.0, 2.0), Cost(4.0, 4.1), Cost(6.5, 5.0)])
    monkeypatch.setattr(lifecycle, "measure_cost", lambda work, runs: next(costs))
    monkeypatch.setattr(lifecycle, "build_peer_program", lambda folder, env, count: None)
    space = SimpleNamespace(env={}, export_state=lambda: {"deployment": {"resources": [{}] * 9}})
    stack = SimpleNamespace(up=lambda: None, space=space)
    rows = list(lifecycle.measure_no_change(cast(BenchStack, stack), 3))
    assert [row.good for row in rows] == [True, False, False]
    assert "9 trivial resources 2.0 s" in rows[0].beside and rows[1].measured == "4.1 s = 4.1 x"


@pytest.mark.parametrize(("mib", "good"), [(299, True), (301, False)])
def test_the_largest_process_of_a_preview_is_judged(mib: int, good: bool) -> None:
    """By the limit that is said beside it."""
    stack = SimpleNamespace(measure_peak=lambda command: mib * 1024**2 if command == "preview" else 0)
    (row,) = lifecycle.measure_deployer(cast(BenchStack, stack))
    assert row.good is good and row.measured == f"{mib} MiB" and "300 MiB" in row.beside


def test_a_peak_is_that_of_what_was_waited_for() -> None:
    """Also of what has ended by then, and of the largest alone."""
    command = [sys.executable, "-c", bench_stack._PEAK, sys.executable, "-c", "len(b'x' * int('80000000'))"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert 80_000_000 < 1024 * int(done.stdout) < 160_000_000
