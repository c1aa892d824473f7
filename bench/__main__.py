"""`python -m bench [--quick]`: measures the program, each figure beside a peer or a limit of the same run.

Figures are medians of several runs. Everything that deploys uses a stack of its own (`bench_stack`), so a stack that
is up on this machine is left alone.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console

from bench import lifecycle, lifecycle_cluster, prometheus
from bench.bench_stack import BenchStack
from bench.picture import draw_growth
from bench.report import Cost, Row, collect_rows, measure_cost, print_rows
from cli.runs import take_interrupts
from cli.workspace import ROOT
from model.workload import MIB

CURVES = {
    "one target a service": ((10, 1), (100, 1), (1_000, 1), (10_000, 1)),
    "100 targets a service": ((10, 100), (100, 100), (1_000, 100)),
}
"""Services, and targets of each."""
SIZES = tuple(size for curve in CURVES.values() for size in curve)
PLAN_LIMIT = 3.0
"""Seconds that the largest plans may take."""
KUBE_VERSION = "1.36.0"
"""What helm renders for: a helm that was built without this default believes in a version that the chart refuses."""
TIMES_HELM = 2.0
"""How many times the processor time of `helm template` rendering may take."""
CHART = "KUBE_PROMETHEUS_STACK_CHART"
"""Environment variable with the path of the chart that rendering is compared with."""


def measure_rendering(runs: int) -> Iterator[Row]:
    """All documents of the prod stack, beside `helm template` of the chart that many people use instead."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "cli", "render", "--stack", "prod", "--output", folder]
        ours = measure_cost(lambda: subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL), runs)
        count = sum(1 for path in Path(folder).rglob("*") if path.is_file())
    yield compare_with_helm(f"render {count} documents of prod", ours, runs)


def compare_with_helm(what: str, ours: Cost, runs: int) -> Row:
    """Our cost beside that of `helm template` of kube-prometheus-stack, or beside why that is not known here."""
    program, chart = shutil.which("helm"), os.environ.get(CHART)
    measured = f"{ours.wall:.2f} s, {ours.cpu:.2f} s of processor time"
    if program is None or chart is None:
        missing = [*([] if program else ["helm is not on PATH"]), *([] if chart else [f"{CHART} is not set"])]
        return Row(what, measured, f"helm template: skipped, {' and '.join(missing)}", runs)
    command = [program, "template", "peer", chart, f"--kube-version={KUBE_VERSION}"]
    peer = measure_cost(lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL), runs)
    times = ours.cpu / peer.cpu
    beside = (
        f"helm template kube-prometheus-stack {peer.wall:.2f} s, {peer.cpu:.2f} s;"
        f" {times:.1f} times its processor time, limit: {TIMES_HELM:g}"
    )
    return Row(what, measured, beside, runs, times <= TIMES_HELM)


def measure_growth(runs: int, sizes: Sequence[tuple[int, int]] = SIZES) -> Iterator[Row]:
    """Plan time and resource count by services and targets; the count must be the same for every number."""
    first: float | None = None
    for size in sizes:
        figures, seconds = _measure_scale_often(size, runs)
        first = figures["resources"] if first is None else first
        measured = f"{seconds:.2f} s, {figures['resources']:.0f} resources"
        sizes_of = f"{figures['bytes'] / MIB:.1f} MiB of documents, {figures['memory'] / MIB:.0f} MiB of memory"
        beside = f"limit: {PLAN_LIMIT:.0f} s, {first:.0f} resources; {sizes_of}"
        good = figures["resources"] == first and figures["targets"] >= math.prod(size) and seconds <= PLAN_LIMIT
        yield Row(f"plan {size[0]} services, {figures['targets']:.0f} targets", measured, beside, runs, good)


def _measure_scale_often(size: tuple[int, int], runs: int) -> tuple[dict[str, float], float]:
    """The figures of one run, and the median of the seconds of all."""
    every = [_measure_scale(*size) for _ in range(runs)]
    return every[0], statistics.median(run["seconds"] for run in every)


def _measure_scale(services: int, targets: int) -> dict[str, float]:
    command = [sys.executable, "-m", "bench.growth", str(services), str(targets)]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def write_growth(path: Path, runs: int) -> None:
    """Measures how plans grow and writes it as a picture (SVG)."""
    curves = {name: [_measure_point(size, runs) for size in sizes] for name, sizes in CURVES.items()}
    path.write_text(draw_growth(curves, PLAN_LIMIT), encoding="utf-8")


def _measure_point(size: tuple[int, int], runs: int) -> tuple[float, float]:
    return float(math.prod(size)), _measure_scale_often(size, runs)[1]


def main() -> int:
    """Runs every measurement and prints one table; status 1 when a limit does not hold."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer runs and sizes")
    parser.add_argument("--no-engine", action="store_true", help="only what needs no Docker engine")
    parser.add_argument("--kubernetes", action="store_true", help="a stack on a cluster, and nothing else")
    parser.add_argument("--picture", type=Path, help="write how plans grow to an SVG file, and nothing else")
    args = parser.parse_args()
    take_interrupts()
    runs = 1 if args.quick else 3
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 160)
    rows: list[Row] = []
    if args.picture:
        write_growth(args.picture, runs)
        return 0
    if args.kubernetes:
        collect_rows(
            "on a cluster, beside kubectl", lambda: lifecycle_cluster.measure_beside_kubectl(runs), rows, console
        )
        return 0 if print_rows(rows, console) else 1
    collect_rows("rendering", lambda: measure_rendering(runs), rows, console)
    collect_rows("growth", lambda: measure_growth(runs, SIZES[:3] if args.quick else SIZES), rows, console)
    if not args.quick:
        collect_rows("a real Prometheus", prometheus.measure_loading, rows, console)
        collect_rows("rules", prometheus.measure_rules, rows, console)
    if not args.no_engine:
        with BenchStack() as stack:
            collect_rows("cold up", lambda: lifecycle.measure_cold_start(stack, runs), rows, console)
            collect_rows("no change", lambda: lifecycle.measure_no_change(stack, runs), rows, console)
            collect_rows("rule edit", lambda: lifecycle.measure_edits(stack, runs), rows, console)
            collect_rows("notification", lambda: lifecycle.measure_alerting(stack), rows, console)
            collect_rows("memory", lambda: lifecycle.measure_memory(stack), rows, console)
            collect_rows("deployer", lambda: lifecycle.measure_deployer(stack), rows, console)
    return 0 if print_rows(rows, console) else 1


if __name__ == "__main__":
    sys.exit(main())
