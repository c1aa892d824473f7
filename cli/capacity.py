"""Prints what a stack will need, next to the limits that it gets: `make capacity STACK=name`."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from typing import Any, cast

from rich.console import Console
from rich.table import Table

from cli.render import plan_file
from cli.workspace import ROOT
from components.exporters.kube_state import component as kube_state
from components.loki import settings as loki
from components.prometheus import settings as prometheus
from model.capacity import Capacity, estimate_capacity
from model.plan import Plan


def estimate_plan(plan: Plan) -> Capacity:
    """The capacity that a planned stack needs."""
    metrics = cast(prometheus.Settings, plan.sections[prometheus.NAME])
    logs = cast(loki.Settings, plan.sections[loki.NAME])
    return estimate_capacity(
        plan.system,
        plan.telemetry,
        plan.settings.kubernetes,
        scrape_interval=plan.settings.scrape_interval,
        metric_retention=metrics.retention,
        log_retention=logs.retention,
    )


def describe_capacity(plan: Plan) -> dict[str, Any]:
    """The estimate and each workload's memory limit as plain data: counts, rates per second, bytes."""
    limits = {workload.name: workload.limits.memory for workload in plan.list_workloads()}
    return {"stack": plan.stack, "expected": asdict(estimate_plan(plan)), "memory_limits": limits}


def print_capacity(stack: str, console: Console, *, as_json: bool = False) -> int:
    """Prints the estimate for `Pulumi.<stack>.yaml`.

    Raises:
        ConfigError: the stack's files are wrong.
    """
    plan = plan_file(ROOT / f"Pulumi.{stack}.yaml", stack)
    if as_json:
        print(json.dumps(describe_capacity(plan)))
        return 0
    need = estimate_plan(plan)
    limits = {workload.name: workload.limits.memory for workload in plan.list_workloads()}
    parts = sum(workload.limits.memory for workload in plan.workloads.get(loki.NAME, ()))
    cluster, state = plan.settings.kubernetes, limits.get(kube_state.NAME)
    table = Table(title=f"Capacity of stack {stack}", title_justify="left")
    for column in ("what", "expected", "limit"):
        table.add_column(column)
    rows = (
        ("targets", f"{need.targets}", ""),
        ("series", f"{need.series:,}", ""),
        ("samples per second", f"{need.samples_per_second:,.0f}", ""),
        ("Prometheus memory", format_mib(need.prometheus_memory), format_mib(limits.get("prometheus", 0))),
        ("Prometheus disk for its retention", format_gib(need.prometheus_disk), ""),
        ("logs a day", format_gib(need.log_bytes_a_day), ""),
        *(
            [("kube-state-metrics memory", format_mib(kube_state.estimate_memory(cluster)), format_mib(state))]
            if state
            else []
        ),
        ("Loki memory", format_mib(need.loki_memory), format_mib(parts)),
        ("Loki disk for its retention", format_gib(need.loki_disk), ""),
    )
    for row in rows:
        table.add_row(*row)
    console.print(table)
    console.print(
        "How this is reckoned stands in model/capacity.py; expectedLogBytes of the system sets the logs,"
        " expectedNodes and expectedPods of kubernetes the cluster."
    )
    return 0


def format_mib(size: int) -> str:
    """Bytes as MiB."""
    return f"{size / 2**20:,.0f} MiB"


def format_gib(size: int) -> str:
    """Bytes as GiB."""
    return f"{size / 2**30:,.1f} GiB"


def run_command(args: argparse.Namespace) -> int:
    """Prints the estimate for the stack in `args`. Returns its exit code."""
    return print_capacity(args.stack, Console(highlight=False, soft_wrap=True), as_json=args.json)
