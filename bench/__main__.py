"""`python -m bench [--quick]`: measures the program, each figure beside a peer or a limit of the same run.

Figures are medians of several runs. Everything that deploys uses a stack of its own (`bench_stack`), so a stack that
is up on this machine is left alone.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console

from bench import lifecycle, lifecycle_cluster
from bench.bench_stack import BenchStack
from bench.report import Row, collect, median, show
from cli.workspace import ROOT
from model.workload import MIB

SIZES = (10, 100, 1_000, 10_000)
CHART = "KUBE_PROMETHEUS_STACK_CHART"
"""Environment variable with the path of the chart that rendering is compared with."""


def rendering(runs: int) -> Iterator[Row]:
    """All documents of the dev stack, beside `helm template` of the chart that many people use instead."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "cli", "render", "--stack", "dev", "--output", folder]
        took = median(lambda: subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL), runs)
        count = sum(1 for path in Path(folder).rglob("*") if path.is_file())
    yield Row(f"render {count} documents of dev", f"{took:.2f} s", helm(runs), runs)


def helm(runs: int) -> str:
    """How long `helm template` of kube-prometheus-stack takes, or why that is not known here."""
    program, chart = shutil.which("helm"), os.environ.get(CHART)
    missing = [*([] if program else ["helm is not on PATH"]), *([] if chart else [f"{CHART} is not set"])]
    if program is None or chart is None:
        return f"helm template: skipped, {' and '.join(missing)}"
    command = [program, "template", "peer", chart]
    took = median(lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL), runs)
    return f"helm template kube-prometheus-stack {took:.2f} s"


def growth(runs: int, sizes: tuple[int, ...] = SIZES) -> Iterator[Row]:
    """Plan time and resource count by number of scrape targets; the count must be the same for every number."""
    first: float | None = None
    for size in sizes:
        every = [_scale(size) for _ in range(runs if size < max(SIZES) else 1)]
        took = statistics.median(found["seconds"] for found in every)
        found = every[0]
        first = found["resources"] if first is None else first
        measured = f"{took:.2f} s, {found['resources']:.0f} resources"
        sizes_of = f"{found['bytes'] / MIB:.1f} MiB of documents, {found['memory'] / MIB:.0f} MiB of memory"
        beside = f"limit: {first:.0f} resources; {sizes_of}"
        good = found["resources"] == first and found["targets"] >= size
        yield Row(f"plan {found['targets']:.0f} targets", measured, beside, len(every), good)


def _scale(size: int) -> dict[str, float]:
    command = [sys.executable, "-m", "bench.growth", str(size)]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def main() -> int:
    """Runs every measurement and prints one table; status 1 when a limit does not hold."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer runs and sizes")
    parser.add_argument("--no-engine", action="store_true", help="only what needs no Docker engine")
    parser.add_argument("--kubernetes", action="store_true", help="a stack on a cluster, and nothing else")
    args = parser.parse_args()
    runs = 1 if args.quick else 3
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 160)
    rows: list[Row] = []
    if args.kubernetes:
        collect("on a cluster, beside kubectl", lambda: lifecycle_cluster.beside_kubectl(runs), rows, console)
        return 0 if show(rows, console) else 1
    collect("rendering", lambda: rendering(runs), rows, console)
    collect("growth", lambda: growth(runs, SIZES[:3] if args.quick else SIZES), rows, console)
    if not args.no_engine:
        with BenchStack() as stack:
            collect("cold up", lambda: lifecycle.cold(stack, runs), rows, console)
            collect("no change", lambda: lifecycle.nothing_to_do(stack, runs), rows, console)
            collect("rule edit", lambda: lifecycle.editing(stack, runs), rows, console)
            collect("notification", lambda: lifecycle.alerting(stack), rows, console)
            collect("memory", lambda: lifecycle.memory(stack), rows, console)
    return 0 if show(rows, console) else 1


if __name__ == "__main__":
    sys.exit(main())
