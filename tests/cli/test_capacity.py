"""What a stack will need, as people read it."""

from __future__ import annotations

import json

import pytest
from rich.console import Console

from cli import capacity
from cli.render import plan_file
from tests.support.systems import ROOT


def test_expectations_stand_beside_limits() -> None:
    """Series, memory and disk are printed with the limits that the stack's own plan sets, and lie below them."""
    console = Console(record=True, width=100)
    assert capacity.print_capacity("agenttrace", console) == 0
    text = console.export_text()
    for part in ("series", "samples per second", "Prometheus memory", "Loki disk for its retention", "GiB"):
        assert part in text
    plan = plan_file(ROOT / "Pulumi.agenttrace.yaml", "agenttrace")
    need, limits = (
        capacity.estimate_plan(plan),
        {workload.name: workload.limits.memory for workload in plan.list_workloads()},
    )
    assert 2 * need.prometheus_memory <= limits["prometheus"]
    assert 2 * need.loki_memory <= limits["loki"]


def test_sizes_are_readable() -> None:
    """Bytes are shown in binary units."""
    assert (capacity.format_mib(3 * 2**20), capacity.format_gib(3 * 2**29)) == ("3 MiB", "1.5 GiB")


def test_a_program_reads_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    """With --json the estimate is one document in bytes, with the limit of every workload."""
    assert capacity.print_capacity("agenttrace", Console(stderr=True), as_json=True) == 0
    shown = json.loads(capsys.readouterr().out)
    plan = plan_file(ROOT / "Pulumi.agenttrace.yaml", "agenttrace")
    assert shown["expected"]["prometheus_memory"] == capacity.estimate_plan(plan).prometheus_memory
    assert shown["memory_limits"].keys() == {workload.name for workload in plan.list_workloads()}
