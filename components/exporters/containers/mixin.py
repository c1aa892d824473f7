"""The containers of a host, by cAdvisor: memory, CPU, health, restarts.

Their network traffic is missing: cAdvisor runs in a network of its own and sees none but that.
Source: https://github.com/google/cadvisor/blob/master/docs/storage/prometheus.md
"""

from __future__ import annotations

from functools import cache

from components.drawing import draw_chart, draw_stat, fill_zero_if, select, sum_rate, take_rate
from components.exporters.containers.alerts import MEMORY, NAMED, RESTARTS, THROTTLED, alerts
from model.base import HOUR
from model.dashboard_spec import DashboardSpec, Panel, Row
from packs.base import build_thresholds, format_percent

__all__ = ["alerts", "board", "panels"]

WORKING = f"sum by (name) ({select('container_memory_working_set_bytes', NAMED)})"
USED = f"{WORKING} / (sum by (name) ({select('container_spec_memory_limit_bytes', NAMED)}) > 0)"
CORES = sum_rate("name", "container_cpu_usage_seconds_total", NAMED)
NAME = "{{name}}"


@cache
def panels() -> tuple[Panel, ...]:
    """Memory and CPU of each container, and how near both are to their limits."""
    shares = (
        f"max by (name) ({take_rate('container_cpu_cfs_throttled_periods_total', NAMED)}"
        f" * {select('container_spec_cpu_period', NAMED)} / 1e6)"
    )
    return (
        draw_chart(
            "Memory of containers", {NAME: WORKING}, "bytes", "What cannot be given back. Steady growth is a leak.",
            width=6,
        ),
        draw_chart(
            "CPU of containers", {NAME: CORES}, "short", "Cores in use. Worry at a step without more requests.",
            width=6,
        ),
        draw_chart(
            "Memory of their limits", {NAME: USED}, "percentunit",
            f"At 100% the kernel kills it. A warning is sent when one stays above {format_percent(MEMORY)}.",
            width=6, thresholds=build_thresholds((MEMORY, "red")),
        ),
        draw_chart(
            "Held back by CPU limits", {NAME: shares}, "percentunit",
            f"Share of the time. A warning is sent when one stays above {format_percent(THROTTLED)}.",
            width=6, thresholds=build_thresholds((THROTTLED, "red")),
        ),
    )  # fmt: skip


@cache
def board(*, files: bool) -> DashboardSpec:
    """Everything about the containers; `files` says whether the platform can tell what each has written."""
    return DashboardSpec(
        uid="containers",
        title="Containers",
        description="Which container uses what, which is near its limit, and which does not stay up?",
        refresh="30s",
        rows=(
            Row(title="Now", panels=_build_overview_panels()),
            Row(title="In use", panels=panels()),
            Row(title="Memory", panels=_build_memory_panels()),
            Row(title="CPU", panels=_build_cpu_panels()),
            Row(title="Restarts and files", panels=_build_life_panels(files=files), collapsed=True),
        ),
    )


def _build_overview_panels() -> tuple[Panel, ...]:
    every, none = "every", fill_zero_if(select("container_last_seen", NAMED))
    sick = f"count({select('container_health_state', NAMED)} == 0){none}"
    young = f"count(time() - {select('container_start_time_seconds', NAMED)} < {HOUR}){none}"
    return (
        draw_stat(
            "Running", f"count({select('container_last_seen', NAMED)})", "short", "Containers that cAdvisor sees.",
            every,
        ),
        draw_stat(
            "Unhealthy", sick, "short", "Their own check fails, or they just start. Worry when it stays.", every,
            thresholds=build_thresholds((1, "red")),
        ),
        draw_stat(
            "Started within an hour", young, "short", "After a deployment these are the new ones; else ask why.", every,
        ),
        draw_stat("Memory in all", f"sum({WORKING})", "bytes", "Of all containers together.", every),
        draw_stat("Cores in all", f"sum({CORES})", "short", "Of all containers together.", every),
        draw_stat(
            "Nearest to its limit", f"topk(1, {USED})", "percentunit", "The container with least memory left.", NAME,
            thresholds=build_thresholds((MEMORY, "red")),
        ),
    )  # fmt: skip


def _build_memory_panels() -> tuple[Panel, ...]:
    failed, reached = (
        f"sum by (name) (increase({select(metric, NAMED)}[5m]))"
        for metric in ("container_memory_failcnt", "container_memory_events_max_total")
    )
    # of the first, by control groups v1, there is one for each container; the second, by v2, has those with a limit
    none = f'label_replace(max({failed}) == 0, "name", "none of them", "", "") unless on () {reached}'
    hit = f"{failed} > 0 or {reached} or {none}"
    return (
        draw_chart(
            "Resident memory", {NAME: f"sum by (name) ({select('container_memory_rss', NAMED)})"}, "bytes",
            "Memory that is no file: heap, stacks. What only grows is a leak.",
        ),
        draw_chart(
            "Page cache", {NAME: f"sum by (name) ({select('container_memory_cache', NAMED)})"}, "bytes",
            "Files in memory; given back when it is needed. Databases are slow without it.",
        ),
        draw_chart(
            "Limit reached", {NAME: hit}, "short",
            "How often in 5 minutes the kernel had to take memory back. Usual for those with much page cache; worry"
            " about"
            " others.",
        ),
    )  # fmt: skip


def _build_cpu_panels() -> tuple[Panel, ...]:
    quota, period = (f"max by (name) ({select(f'container_spec_cpu_{what}', NAMED)})" for what in ("quota", "period"))
    kernel = sum_rate("name", "container_cpu_system_seconds_total", NAMED)
    return (
        draw_chart(
            "CPU of their limits", {NAME: f"{CORES} / ({quota} / {period})"}, "percentunit",
            "Of those that have a limit. Worry when one stays near 100%: it is always held back.", width=12,
        ),
        draw_chart(
            "CPU in the kernel", {NAME: kernel}, "short",
            "Cores spent on files, network and new processes. Worry when it is most of what a container uses.",
            width=12,
        ),
    )  # fmt: skip


def _build_life_panels(*, files: bool) -> tuple[Panel, ...]:
    again = {NAME: f"changes({select('container_start_time_seconds', NAMED)}[1h])"}
    written = {NAME: f"sum by (name) ({select('container_fs_usage_bytes', NAMED)})"}
    major = ('failure_type="pgmajfault"', 'scope="container"')
    faults = {NAME: sum_rate("name", "container_memory_failures_total", NAMED, *major)}
    width = 8 if files else 12
    restarts = draw_chart(
        "Restarts", again, "short", f"Within an hour. A warning is sent above {RESTARTS:g} in 15 minutes.", width=width,
    )  # fmt: skip
    own = draw_chart(
        "Files of their own", written, "bytes",
        "What they wrote beside their volumes; it is gone with the container. Worry about growth: a log file, mostly.",
        width=width,
    )  # fmt: skip
    from_disk = draw_chart(
        "Major page faults", faults, "ops", "Pages read from disk per second. Worry when it stays: its limit is tight.",
        width=width,
    )  # fmt: skip
    return (restarts, *([own] if files else []), from_disk)
