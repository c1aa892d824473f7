"""A Go process: goroutines, heap and leaks of both, as client_golang reports them.

Source: https://pkg.go.dev/github.com/prometheus/client_golang/prometheus/collectors#NewGoCollector
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from model.base import HOUR
from model.dashboard_spec import Panel
from model.service import Metric
from model.telemetry import AlertRule, Example
from packs import process
from packs.base import CHOSEN, Rules, Subject, build_panel

AHEAD_SECONDS = 4 * HOUR
"""How far the trend is followed: time enough to act before it is reached."""
MEMORY_BYTES = 8e9
"""More than a container is usually given. Most have less, and few know how much: hence the two bounds below as well."""
LIMIT_SHARE = 0.9
"""Of GOMEMLIMIT, where the process has one: beyond that the garbage collector runs all the time."""
LIMIT = "go_gc_gomemlimit_bytes"
"""GOMEMLIMIT as client_golang reports it; the largest number there is where none is set."""
USUAL_TIMES = 2.0
"""As often as the most of the last day: a day has its peaks, and caches are full by then."""
USUAL_BYTES = 128e6
"""Less than that is no danger to a container, however quickly it was reached."""
SETTLED = "6h"
"""How long a process must have been watched before its usual memory counts: starts and caches only grow."""
GOROUTINES = 10_000.0
WAIT = "30m"
"""Longer than a warm-up of caches, which also only grows."""

METRICS: Mapping[str, Metric] = {
    **process.METRICS,
    "go_goroutines": Metric(type="gauge", help="Goroutines.", role="goroutines", baseline=48.0),
    "go_memstats_alloc_bytes": Metric(type="gauge", help="Heap in use.", unit="bytes", role="heap", baseline=4.2e7),
}


def rules(subject: Subject) -> Rules:
    """Those of every process, and alerts on what only grows."""
    common = process.rules(subject)
    heap = (subject.find_metric("heap") or ("go_memstats_alloc_bytes", None))[0]
    memory = _alert_on_leak(
        subject,
        "MemoryLeak",
        heap,
        MEMORY_BYTES,
        f"{subject.title}: memory will reach {{{{ $value | humanize1024 }}}}B in 4 hours",
        "Its memory only grows, and will be used up within hours: beyond GOMEMLIMIT, or twice the most of its last day"
        " counts as well.",
    )
    memory = replace(memory, expr=f"{memory.expr} or {_build_growth_expr(heap, subject.build_selector())}")
    routines = _alert_on_leak(
        subject,
        "GoroutineLeak",
        (subject.find_metric("goroutines") or ("go_goroutines", None))[0],
        GOROUTINES,
        f"{subject.title}: goroutines will reach {{{{ $value | humanize }}}} in 4 hours",
        "Goroutines are started and never end: each keeps memory, often a connection too.",
    )
    return Rules(common.recordings, (*common.alerts, memory, routines))


def _build_growth_expr(heap: str, chosen: str) -> str:
    """What grows and is predicted to pass the process' own limit, or far more than it has used within a day."""
    ahead, grows = f"predict_linear({heap}{chosen}[1h], {AHEAD_SECONDS})", f"deriv({heap}{chosen}[1h]) > 0"
    usual = f"clamp_min({USUAL_TIMES:g} * max_over_time({heap}{chosen}[1d] offset 1h), {USUAL_BYTES:g})"
    return (
        f"{ahead} > {LIMIT_SHARE:g} * {LIMIT}{chosen} and {grows}"
        f" or {ahead} > {usual} and {grows} and {heap}{chosen} offset {SETTLED}"
    )


def _alert_on_leak(  # noqa: PLR0917 - six plain values
    subject: Subject, alert: str, name: str, default: float, summary: str, meaning: str
) -> AlertRule:
    """What is predicted to pass a limit and still grows. A gauge's slope is its deriv; rate() is for counters."""
    bound, chosen = subject.get_limit(alert, default), subject.build_selector()
    series = subject.build_series(name)
    return AlertRule(
        name=alert,
        expr=f"predict_linear({name}{chosen}[1h], {AHEAD_SECONDS}) > {bound:g} and deriv({name}{chosen}[1h]) > 0",
        for_=WAIT,
        severity="warning",
        limit=bound,
        summary=summary,
        description=f"{meaning} The trend of the last hour leads {subject.title} beyond {bound:g} within 4 hours.",
        steps=(
            "Since when does it grow? Compare with the last deployment.",
            "Take a heap and a goroutine profile (/debug/pprof) and compare two, ten minutes apart.",
            "A restart gives time; plan it before the limit is reached.",
        ),
        # reaches the bound five hours after the start: true from the end of the first hour on, for half an hour
        example=Example(
            fires={series: f"0+{bound / 300 * 1.01:.4f}x180"},
            silent={series: f"0+{bound / 300 * 0.97:.4f}x180"},
            at="90m",
        ),
    )


def panels(subjects: Sequence[Subject]) -> tuple[Panel, ...]:
    """Memory, CPU, goroutines and heap."""
    routines = {"{{service}}": f"go_goroutines{{{CHOSEN}}}"}
    heap = {"{{service}}": f"go_memstats_alloc_bytes{{{CHOSEN}}}"}
    return (
        *process.panels(subjects),
        build_panel("Goroutines", routines, "short", "What only grows is a leak.", width=12),
        build_panel("Heap", heap, "bytes", "Bytes of live objects; saw teeth are garbage collections.", width=12),
    )
