"""The host, by node-exporter: CPU, memory, disks, kernel. Network figures would be those of its container: none here.

Source: https://github.com/prometheus/node_exporter#collectors
"""

from __future__ import annotations

from functools import cache

from components.drawing import RED_ABOVE_ZERO, draw_chart, draw_stat, fill_zero_if, select, sum_rate, take_rate
from components.exporters.node import alerts as host_alerts
from components.exporters.node import device_alerts as host_device_alerts
from components.exporters.node import disk_alerts as host_disk_alerts
from components.exporters.node.alerts import CLOCK_SECONDS, CPU, MEMORY
from components.exporters.node.device_alerts import HARMLESS, QUEUE
from components.exporters.node.disk_alerts import DISK_FULL, DISK_LOW, FILES, FLOOR_FULL, FLOOR_LOW, REAL
from model.base import DAY
from model.dashboard_spec import DashboardSpec, Panel, Row
from model.telemetry import AlertRule
from packs.base import Tune, build_panel, build_thresholds, format_percent

__all__ = ["alerts", "board", "panels"]

USED = (
    f"max by (instance, mountpoint) (1 - {select('node_filesystem_avail_bytes', REAL)}"
    f" / {select('node_filesystem_size_bytes', REAL)})"
)
"""Share of each disk that is used, from the view of an ordinary user."""
IDLE, FREE = 'mode="idle"', 'mode=~"idle|iowait"'
CORES = f"count by (instance) ({select('node_cpu_seconds_total', IDLE)})"
PER_CORE = f"max by (instance) ({select('node_load5')}) / {CORES}"


def alerts(tune: Tune) -> tuple[AlertRule, ...]:
    """Alerts about the host, the room on its disks, and its devices."""
    return (*host_alerts.alerts(tune), *host_disk_alerts.alerts(tune), *host_device_alerts.alerts(tune))


@cache
def panels() -> tuple[Panel, ...]:
    """CPU, memory, disks and load: what runs out."""
    idle = take_rate("node_cpu_seconds_total", FREE)
    memory = f"1 - {select('node_memory_MemAvailable_bytes')} / {select('node_memory_MemTotal_bytes')}"
    return (
        draw_chart(
            "CPU of the host", {"{{instance}}": f"1 - sum by (instance) ({idle}) / {CORES}"}, "percentunit",
            f"Share of all cores in use. A warning is sent when it stays above {format_percent(CPU)}.",
            width=6, thresholds=build_thresholds((CPU, "red")),
        ),
        draw_chart(
            "Memory of the host", {"{{instance}}": memory}, "percentunit",
            f"Share that cannot be given back. A warning is sent when it stays above {format_percent(MEMORY)}.",
            width=6, thresholds=build_thresholds((MEMORY, "red")),
        ),
        draw_chart(
            "Disks of the host", {"{{mountpoint}}": USED}, "percentunit",
            f"Share in use. A warning is sent above {format_percent(1 - DISK_LOW)} with less than {FLOOR_LOW} GiB"
            f" left; people are called above {format_percent(1 - DISK_FULL)} with less than {FLOOR_FULL} GiB left.",
            width=6, thresholds=build_thresholds((1 - DISK_LOW, "yellow"), (1 - DISK_FULL, "red")),
        ),
        draw_chart(
            "Load for each core", {"{{instance}}": PER_CORE}, "short",
            "Processes that run, or wait for a core or a disk, mean of five minutes. Above 1 for long they wait.",
            width=6,
        ),
    )  # fmt: skip


@cache
def board() -> DashboardSpec:
    """Everything about the hosts."""
    return DashboardSpec(
        uid="host",
        title="Host",
        description="What do the hosts run out of, and what keeps them busy?",
        refresh="30s",
        rows=(
            Row(title="Now", panels=_build_overview_panels()),
            Row(title="In use", panels=panels()),
            Row(title="CPU", panels=_build_cpu_panels()),
            Row(title="Memory", panels=_build_memory_panels()),
            Row(title="Disks", panels=_build_disk_panels()),
            Row(title="Kernel", panels=_build_kernel_panels(), collapsed=True),
        ),
    )


def _build_overview_panels() -> tuple[Panel, ...]:
    killed = f"increase({select('node_vmstat_oom_kill')}[1d])"
    return (
        draw_stat(
            "Up for", f"time() - {select('node_boot_time_seconds')}", "s", "Time since the last start of the host.",
        ),
        draw_stat("Cores", CORES, "short", "Logical cores that the kernel sees."),
        draw_stat("Memory", select("node_memory_MemTotal_bytes"), "bytes", "Memory of the host in all."),
        draw_stat(
            "Fullest disk", f"max by (instance) ({USED})", "percentunit",
            f"Share in use of the disk that has least left. A warning is sent above {format_percent(1 - DISK_LOW)}.",
            thresholds=build_thresholds((1 - DISK_LOW, "yellow"), (1 - DISK_FULL, "red")),
        ),
        draw_stat(
            "Least inodes left",
            f"min by (instance) ({select('node_filesystem_files_free', REAL)}"
            f" / ({select('node_filesystem_files', REAL)} > 0))",
            "percentunit", "When none is left no file can be made, whatever space there is. People are called below"
            f" {format_percent(FILES)}.",
            thresholds=build_thresholds((0, "red"), (FILES, "green")),
        ),
        draw_stat(
            "Killed for memory", killed, "short",
            "Processes that the kernel killed within a day. Each one is worth a look; a warning is sent.",
            thresholds=build_thresholds((1, "red")),
        ),
    )  # fmt: skip


# -- details ---------------------------------------------------------------------------------------------------------


def _build_cpu_panels() -> tuple[Panel, ...]:
    busy = 'mode!="idle"'
    load = {
        "1 min": select("node_load1"),
        "5 min": select("node_load5"),
        "15 min": select("node_load15"),
    }
    running = {"running": select("node_procs_running"), "blocked": select("node_procs_blocked")}
    stalls = {what: take_rate(f"node_pressure_{what}_waiting_seconds_total") for what in ("cpu", "memory", "io")}
    return (
        draw_chart(
            "CPU by mode", {"{{mode}}": sum_rate("mode", "node_cpu_seconds_total", busy)}, "short",
            "Cores in use. Much iowait is a slow disk, much steal a host that others keep busy.",
        ),
        draw_chart(
            "CPU by core", {"core {{cpu}}": sum_rate("cpu", "node_cpu_seconds_total", busy)}, "percentunit",
            "Share of each core. One at 100% beside idle ones is a program with a single thread.",
        ),
        draw_chart("Load", load, "short", "Processes that run or wait. Worry when it stays above the number of cores."),
        draw_chart(
            "Waiting for", stalls, "percentunit",
            "Share of time in which something waited for CPU, memory or disk. Worry above 20% for long; waiting for"
            " memory"
            " at all is too much. Empty where the kernel does not measure it (psi=0).",
            width=12,
        ),
        draw_chart(
            "Processes", running, "short", "Running ones, and those that wait for a disk. Many blocked: a disk hangs.",
            width=12,
        ),
    )  # fmt: skip


def _build_memory_panels() -> tuple[Panel, ...]:
    kinds = {
        "used": f"{select('node_memory_MemTotal_bytes')} - {select('node_memory_MemAvailable_bytes')}",
        "page cache": select("node_memory_Cached_bytes"),
        "buffers": select("node_memory_Buffers_bytes"),
        "free": select("node_memory_MemFree_bytes"),
    }
    promised = {
        "promised": select("node_memory_Committed_AS_bytes"),
        "limit": select("node_memory_CommitLimit_bytes"),
    }
    writing = {
        "dirty": select("node_memory_Dirty_bytes"),
        "being written": select("node_memory_Writeback_bytes"),
    }
    swap = {"in use": f"{select('node_memory_SwapTotal_bytes')} - {select('node_memory_SwapFree_bytes')}"}
    paging = {"major faults": take_rate("node_vmstat_pgmajfault"), "swapped in": take_rate("node_vmstat_pswpin")}
    return (
        draw_chart("Memory by kind", kinds, "bytes", "Caches are given back when they are needed: full is not short."),
        draw_chart(
            "Paging", paging, "ops", "Pages read back from disk per second. Worry when it stays: memory is short.",
        ),
        draw_chart(
            "Swap in use", swap, "bytes",
            "Memory that was moved to disk; 0 without swap. Growth is memory that is missing.",
        ),
        draw_chart(
            "Promised memory", promised, "bytes",
            "What processes asked for, used or not. Far above the limit is a bet.",
            width=12,
        ),
        draw_chart(
            "Waiting to be written", writing, "bytes", "Much for long: the disk does not keep up with the writers.",
            width=12,
        ),
    )  # fmt: skip


def _build_disk_panels() -> tuple[Panel, ...]:
    free = f"min by (mountpoint) ({select('node_filesystem_avail_bytes', REAL)})"
    growth = f"-{DAY} * min by (mountpoint) (deriv({select('node_filesystem_avail_bytes', REAL)}[6h]))"

    def build_read_and_write(read: str, write: str) -> dict[str, str]:
        return {
            "{{device}} read": take_rate(f"node_disk_{read}_total"),
            "{{device}} write": take_rate(f"node_disk_{write}_total"),
        }

    latencies = {
        f"{{{{device}}}} {what}": f"{take_rate(f'node_disk_{what}_time_seconds_total')}"
        f" / clamp_min({take_rate(f'node_disk_{what}s_completed_total')}, 0.001)"
        for what in ("read", "write")
    }
    busy = {"{{device}}": take_rate("node_disk_io_time_seconds_total")}
    return (
        draw_chart("Free space", {"{{mountpoint}}": free}, "bytes", "What ordinary users can still write."),
        draw_chart(
            "Growth per day", {"{{mountpoint}}": growth}, "bytes",
            "The trend of six hours. Worry when it is more than the free space; below zero it shrinks.",
        ),
        draw_chart(
            "Disk throughput",
            build_read_and_write("read_bytes", "written_bytes"), "Bps", "Bytes per second, by device.",
        ),
        draw_chart(
            "Disk operations", build_read_and_write("reads_completed", "writes_completed"), "iops",
            "Per second. Cloud disks have a limit: a flat top is it.",
        ),
        draw_chart(
            "Time of an operation", latencies, "s",
            "Mean. Worry above 10 ms on a solid state disk, above 50 ms on others.",
        ),
        draw_chart(
            "Disk busy", busy, "percentunit",
            "Share of time with something to do. Near 100% and slow: it is the limit.",
        ),
        draw_chart(
            "Disk queue", {"{{device}}": take_rate("node_disk_io_time_weighted_seconds_total")}, "short",
            f"Operations that wait at a time. A warning is sent when it stays above {QUEUE:g} for half an hour.",
            width=12, thresholds=build_thresholds((QUEUE, "yellow")),
        ),
        _build_device_panel(),
    )  # fmt: skip


def _build_device_panel() -> Panel:
    readable, broken = (select("node_filesystem_device_error", *matchers) for matchers in ((), (REAL, HARMLESS)))
    active = select("node_md_disks", 'state="active"')
    faults = {
        ("{{mountpoint}} cannot be read", "mountpoint"): f"{broken} == 1",
        ("{{device}} lacks disks", "device"): f"{select('node_md_disks_required')} - ignoring(state) {active}",
        ("{{master}} lacks links", "master"): f"{select('node_bonding_slaves')} - {select('node_bonding_active')}",
    }
    return draw_chart(
        "Broken devices",
        {legend: query + fill_zero_if(readable, label) for (legend, label), query in faults.items()}, "short",
        "None is good; 0 also on a host without an array (RAID) and without a bond. People are called when an array has"
        " lacked a disk for 15 minutes; a warning is sent for a file system that cannot be read, and for a bond that"
        " lacks a link.",
        width=12, thresholds=RED_ABOVE_ZERO,
    )  # fmt: skip


def _build_kernel_panels() -> tuple[Panel, ...]:
    files = {"open": select("node_filefd_allocated"), "limit": select("node_filefd_maximum")}
    durations = {"{{collector}}": f"topk(5, {select('node_scrape_collector_duration_seconds')})"}
    hosts = f"max by (nodename, sysname, release, machine) ({select('node_uname_info')})"
    return (
        draw_chart(
            "Open files", files, "short", "Of all processes together. Worry at half of the limit: something leaks.",
            width=6,
        ),
        draw_chart(
            "Clock offset", {"{{instance}}": f"abs({select('node_timex_offset_seconds')})"}, "s",
            f"Distance from the reference; a warning is sent when it stays above {CLOCK_SECONDS:g} s. 0 also where the"
            " kernel is not told.",
            width=6, thresholds=build_thresholds((CLOCK_SECONDS, "red")),
        ),
        draw_chart(
            "Clock is being set", {"{{instance}}": select("node_timex_sync_status")}, "short",
            "1: a time service sets it. A warning is sent where one did within a week, and none does now. Always 0 on"
            " guests whose hypervisor keeps the time.",
            width=6,
        ),
        draw_chart(
            "Slowest collectors", durations, "s",
            "Of node-exporter itself. Worry above a second: something on the host hangs.",
            width=6,
        ),
        build_panel("Hosts", {"": hosts}, "short", "Name, kernel and architecture.", kind="table", width=24, height=5),
    )  # fmt: skip
