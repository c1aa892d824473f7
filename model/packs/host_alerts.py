"""What a host runs out of: memory, CPU, disks; and what the kernel says about its clock and about killed processes.

Source: https://github.com/prometheus/node_exporter#collectors
"""

from __future__ import annotations

from model.packs.base import BY, SERVICE, Tune, above, counter, flat, grown, limit, percent, series_of
from model.telemetry import AlertRule, Example, Mute

MEMORY = 0.9
"""The kernel starts to drop caches and to stall at about this point."""
CPU = 0.9
"""What is left is what a scrape or a login still finds; above it everything waits for everything."""
DISK_FULL = 0.1
"""A tenth left still leaves hours to act on the usual growth."""
DISK_LOW = 0.15
"""With a seventh left there is usually a day: enough to do it in working hours."""
DISK_FILLING = 0.4
"""The trend of a disk that is more than half empty changes before it matters."""
CLOCK_SECONDS = 0.05
"""Twice that makes logs and traces of two hosts look as if effects came before their causes."""
REAL = 'fstype!~"tmpfs|ramfs|squashfs"'
"""File systems that hold data: the others are memory, or full by design."""
HORIZON = 24 * 3600
"""How far the trend of a disk is followed, in seconds: a day, so that it can be dealt with by daylight."""
SELF = "node-exporter"
DISK = (*SERVICE, "instance", "mountpoint", "device")
"""What tells disks apart, those of several hosts too."""
DISK_STEPS = (
    "Find what grew: `du -xh --max-depth=2 <mountpoint> | sort -h | tail -20` on the host.",
    "If it is /var/lib/docker, run `docker system df -v`: container logs, images that nobody uses, volumes.",
    "If it is metrics or logs, shorten `prometheus.retention` or `loki.retention` and run `make up`.",
    "If all of it is needed, enlarge the disk.",
)


def alerts(tune: Tune) -> tuple[AlertRule, ...]:
    """Alerts about the host."""
    return (
        memory(tune),
        cpu(tune),
        disk_full(tune),
        disk_low(tune),
        disk_filling(tune),
        killed(),
        clock(tune),
    )


def _series(name: str, **labels: str) -> str:
    return series_of(SELF, name, instance="node-exporter:9100", **labels)


def memory(tune: Tune) -> AlertRule:
    """Memory that nothing can be given back of."""
    bound = limit(tune, "HostMemoryHigh", MEMORY)
    free, total = _series("node_memory_MemAvailable_bytes"), _series("node_memory_MemTotal_bytes")
    return AlertRule(
        name="HostMemoryHigh",
        expr=f"1 - node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes > {bound:g}",
        hold="10m",  # a build or a backup is over by then, or it is too much for this host
        severity="warning",
        limit=bound,
        summary="Host memory is {{ $value | humanizePercentage }} full",
        description=f"More than {percent(bound)} of the host's memory is in use: when it is used up, the kernel kills"
        " processes.",
        steps=(
            "Open the dashboard Containers: which container is the largest, and which one grew?",
            "If the containers do not add up to it, look for processes outside: `ps aux --sort=-rss | head`.",
            "Stop or move what can wait, and give the container that grows a limit, so that it is killed alone.",
        ),
        example=Example(
            fires={free: flat((1 - bound) * 990), total: flat(1000)},
            silent={free: flat((1 - bound) * 1010), total: flat(1000)},
        ),
    )


def cpu(tune: Tune) -> AlertRule:
    """All cores together."""
    bound = limit(tune, "HostCpuHigh", CPU)
    idle = _series("node_cpu_seconds_total", mode="idle", cpu="0")
    return AlertRule(
        name="HostCpuHigh",
        expr=f'1 - avg by ({BY}, instance) (rate(node_cpu_seconds_total{{mode="idle"}}[5m])) > {bound:g}',
        hold="15m",  # a build, a backup or a compaction is over by then
        severity="warning",
        limit=bound,
        summary="Host CPU is {{ $value | humanizePercentage }} busy",
        description=f"More than {percent(bound)} of all cores are in use: everything on the host gets slower, scrapes"
        " and rule evaluation included.",
        steps=(
            "Open the dashboard Host, row CPU: iowait is a slow disk, steal is a busy neighbour; both are no work.",
            "Open the dashboard Containers: which container uses the cores?",
            "Compare with the same hour of the days before: more requests, or one process that spins?",
            "Give what can wait a limit (`cpus`), or move it to another host.",
        ),
        example=Example(
            fires={idle: counter(60 * (1 - bound) * 0.98)}, silent={idle: counter(60 * (1 - bound) * 1.02)}
        ),
    )


# -- disks -----------------------------------------------------------------------------------------------------------


def _left(bound: float) -> str:
    """A share of the disk, at most, that ordinary users can still write."""
    share = f"node_filesystem_avail_bytes{{{REAL}}} / node_filesystem_size_bytes"
    return f"{share} < {bound:g} and node_filesystem_readonly == 0"


def _disk(avail: str, size: float) -> dict[str, str]:
    """A disk with the given free space, for ten hours."""
    names = {"avail_bytes": avail, "size_bytes": f"{size!r}+0x600", "readonly": "0+0x600"}
    return {_series(f"node_filesystem_{name}", mountpoint="/", fstype="ext4"): values for name, values in names.items()}


def _nearly(bound: float) -> Example:
    return Example(fires=_disk(flat(bound * 990), 1000), silent=_disk(flat(bound * 1010), 1000))


def disk_full(tune: Tune) -> AlertRule:
    """Somebody has to act now."""
    bound = limit(tune, "HostDiskAlmostFull", DISK_FULL)
    return AlertRule(
        name="HostDiskAlmostFull",
        expr=_left(bound),
        hold="10m",  # a large temporary file is gone by then
        severity="critical",
        limit=bound,
        mutes=(Mute(alerts=("HostDiskLow", "HostDiskFilling"), on=DISK),),
        summary="{{ $labels.mountpoint }} has {{ $value | humanizePercentage }} left",
        description=f"Less than {percent(bound)} of the disk is left: databases, metrics and logs stop when it is"
        " full.",
        steps=DISK_STEPS,
        example=_nearly(bound),
    )


def disk_low(tune: Tune) -> AlertRule:
    """Somebody has to act soon."""
    bound = limit(tune, "HostDiskLow", DISK_LOW)
    return AlertRule(
        name="HostDiskLow",
        expr=_left(bound),
        hold="30m",  # nobody is called for it, so it may be sure: a backup's temporary files are gone by then
        severity="warning",
        limit=bound,
        summary="{{ $labels.mountpoint }} has {{ $value | humanizePercentage }} left",
        description=f"Less than {percent(bound)} of the disk is left.",
        steps=DISK_STEPS,
        example=_nearly(bound),
    )


def disk_filling(tune: Tune) -> AlertRule:
    """Only from three hours of data on: the trend of a host that was just set up says nothing."""
    bound = limit(tune, "HostDiskFilling", DISK_FILLING)
    size = 400 / bound  # so that the 364 and less of the example are below the bound
    return AlertRule(
        name="HostDiskFilling",
        expr=f"predict_linear(node_filesystem_avail_bytes{{{REAL}}}[6h], {HORIZON}) < 0"
        f" and node_filesystem_avail_bytes / node_filesystem_size_bytes < {bound:g}"
        " and node_filesystem_readonly == 0 and node_filesystem_avail_bytes offset 3h",
        hold="1h",  # tells a trend from one large file
        severity="warning",
        limit=bound,
        summary="{{ $labels.mountpoint }} will be full within a day",
        description=f"Less than {percent(bound)} of the disk is left, and the trend of the last six hours fills it"
        " within"
        " 24 hours.",
        steps=("Open the dashboard Host, row Disks: since when does it grow, and what began then?", *DISK_STEPS[:3]),
        # after five hours 1440 more minutes of 0.211 are just more than is left; after six those of 0.2 are just less
        example=Example(fires=_disk("364-0.211x600", size), silent=_disk("364-0.2x600", size), at="6h"),
    )


# -- the kernel ------------------------------------------------------------------------------------------------------


def killed() -> AlertRule:
    """The kernel counts processes that it kills for memory, in containers with a limit too."""
    return AlertRule(
        name="HostOomKill",
        expr="increase(node_vmstat_oom_kill[10m]) > 0",  # each one is a service that broke off in the middle
        hold="0s",  # it has happened
        severity="warning",
        summary="The kernel killed {{ $value | humanize }} processes for memory in 10 minutes",
        description="A process was killed because its container reached its memory limit, or the host ran out of"
        " memory.",
        steps=(
            "Find which: `journalctl -k --since -1h | grep -i 'killed process'` (or `dmesg -T`) on the host.",
            "Open the dashboard Containers, row Memory: which container reached its limit, and since when did it grow?",
            "Raise its limit if what it needs is honest; look for a leak if it only ever grows.",
            "If no container was at its limit, the host is too small: follow the steps of HostMemoryHigh.",
        ),
        example=grown(_series("node_vmstat_oom_kill"), 0, minutes=10),
    )


def clock(tune: Tune) -> AlertRule:
    """Zero where the kernel is not told the offset (chrony, hypervisors): then nothing fires."""
    bound = limit(tune, "HostClockSkew", CLOCK_SECONDS)
    return AlertRule(
        name="HostClockSkew",
        expr=f"abs(node_timex_offset_seconds) > {bound:g}",
        hold="10m",  # a clock that was just corrected is slewed for a few minutes
        severity="warning",
        limit=bound,
        summary="The host's clock is off by {{ $value | humanizeDuration }}",
        description=f"The clock is more than {bound:g} s away from its reference: samples, logs and certificates are"
        " judged"
        " by a wrong time.",
        steps=(
            "Run `timedatectl` on the host: is a time service active, and is the clock synchronised?",
            "Ask it for its servers: `timedatectl timesync-status` or `chronyc sources`; are they reachable?",
            "If it is off by minutes, restart the time service: large offsets are stepped only at its start.",
        ),
        example=above(_series("node_timex_offset_seconds"), bound),
    )
