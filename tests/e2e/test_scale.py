"""A system of a thousand services and a hundred thousand targets: planned, written, and loaded by real Prometheus."""

from __future__ import annotations

from pathlib import Path

from bench import growth
from bench import prometheus as bench
from tests.support.systems import plan_shop
from tests.support.waiting import eventually

SERVICES, INSTANCES = bench.LOADED


def test_prometheus_loads_a_hundred_thousand_targets(tmp_path: Path) -> None:
    """Prometheus takes the documents of such a system, and has every target and every rule of it."""
    plan = growth.build_plan(SERVICES, tmp_path / "project", INSTANCES, scrapeInterval="1m")
    small = growth.count_registrations(growth.build_plan(3, tmp_path / "small"))
    assert growth.count_registrations(plan) == small
    rules = sum(len(group.alerts) + len(group.recordings) for group in plan.telemetry.rules)
    with bench.run_prometheus(bench.list_documents(plan), tmp_path) as prometheus:
        eventually(
            lambda: prometheus.count_targets() == SERVICES * INSTANCES, timeout=300, what="every target is known"
        )
        eventually(
            lambda: sum(len(group["rules"]) for group in prometheus.list_groups()) == rules,
            timeout=300,
            what="every rule is known",  # while targets are new, an answer about rules can take a minute
        )


def test_a_shop_needs_as_many_resources(tmp_path: Path) -> None:
    """What is counted above is what an ordinary stack registers: its count is no accident of the generated system."""
    assert sum(growth.count_registrations(plan_shop(tmp_path)).values()) > 10
