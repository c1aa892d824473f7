"""What a host runs out of: memory and CPU; and what the kernel says about its clock and about killed processes.

There is none for connection tracking, although node_nf_conntrack_entries is there: node-exporter runs in a network
namespace of its own, and the kernel counts for that one (https://github.com/prometheus/node_exporter/issues/2264).
Source: https://github.com/prometheus/node_exporter#collectors
"""

from __future__ import annotations

from model.limits import Share
from model.telemetry import AlertRule, Example
from packs.base import (
    BY,
    Tune,
    build_counter_samples,
    build_flat_samples,
    build_gauge_example,
    build_growth_example,
    build_service_series,
    format_percent,
    get_limit,
)

MEMORY = 0.9
"""The kernel starts to drop caches and to stall at about this point."""
CPU = 0.9
"""What is left is what a scrape or a login still finds; above it everything waits for everything."""
STOLEN = 0.1
"""A tenth of every core is what requests notice as latency; a few hundredths are usual on shared machines."""
THRASHING = 0.2
"""A fifth of the time something waits for memory to be freed or read back: below it are bursts of reclaim."""
MAJOR_FAULTS = 500
"""Per second, where the kernel does not measure the waiting: some two seconds of disk time in each second, at 4 ms."""
CLOCK_SECONDS = 0.05
"""Twice that makes logs and traces of two hosts look as if effects came before their causes."""
UNSYNCHRONISED = 16
"""Seconds: the kernel's largest estimate of its error, which is what it says when nothing sets the clock."""
SELF = "node-exporter"
HOST = f"{BY}, instance, node"
"""What tells hosts apart: on a cluster the instance is the exporter's pod, and the label node has the name."""
WHERE = "{{ with $labels.node }}{{ . }} {{ end }}{{ $labels.instance }}"
"""A host in the texts of alerts; only on a cluster it has a node."""


def alerts(tune: Tune) -> tuple[AlertRule, ...]:
    """Alerts about the host."""
    return (
        alert_on_low_memory(tune),
        alert_on_thrashing(tune),
        alert_on_high_cpu(tune),
        alert_on_stolen_cpu(tune),
        alert_on_oom_kill(),
        alert_on_clock_skew(tune),
        alert_on_clock_not_synchronised(),
    )


def _build_series(name: str, **labels: str) -> str:
    return build_service_series(SELF, name, instance="node-exporter:9100", **labels)


def alert_on_low_memory(tune: Tune) -> AlertRule:
    """Memory that nothing can be given back of."""
    bound = get_limit(tune, "NodeMemoryHighUtilization", MEMORY)
    free, total = _build_series("node_memory_MemAvailable_bytes"), _build_series("node_memory_MemTotal_bytes")
    return AlertRule(
        name="NodeMemoryHighUtilization",
        expr=f"1 - node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes > {bound:g}",
        for_="10m",  # a build or a backup is over by then, or it is too much for this host
        severity="warning",
        limit=Share(bound),
        summary="Host memory is {{ $value | humanizePercentage }} full",
        description=f"More than {format_percent(bound)} of the host's memory is in use: when it is used up, the"
        " kernel kills processes.",
        steps=(
            "Open the dashboard Containers: which container is the largest, and which one grew?",
            "If the containers do not add up to it, look for processes outside: `ps aux --sort=-rss | head`.",
            "Stop or move what can wait, and give the container that grows a limit, so that it is killed alone.",
        ),
        example=Example(
            fires={free: build_flat_samples((1 - bound) * 990), total: build_flat_samples(1000)},
            silent={free: build_flat_samples((1 - bound) * 1010), total: build_flat_samples(1000)},
        ),
    )


def alert_on_thrashing(tune: Tune) -> AlertRule:
    """By the kernel's own measure of waiting; by major faults where it keeps none (psi=0)."""
    bound = get_limit(tune, "NodeMemoryThrashing", THRASHING)
    waited, faults = (
        _build_series("node_pressure_memory_waiting_seconds_total"),
        _build_series("node_vmstat_pgmajfault"),
    )
    waiting = "node_pressure_memory_waiting_seconds_total"
    return AlertRule(
        name="NodeMemoryThrashing",
        expr=f"rate({waiting}[5m]) > {bound:g}"
        f" or rate(node_vmstat_pgmajfault[5m]) > {MAJOR_FAULTS} unless on(instance) {waiting}",
        for_="15m",  # a large program that starts has read its pages by then
        severity="warning",
        limit=Share(bound),
        summary=f"{WHERE} is thrashing: it reads the same memory pages from disk repeatedly",
        description=f"For more than {format_percent(bound)} of the time processes wait for memory (or there are more"
        f" than {MAJOR_FAULTS} major faults a second): the host hardly gets on, long before the kernel kills anything.",
        steps=(
            "Open the dashboard Host, row Memory: since when is Paging high, and did swap grow with it?",
            "Open the dashboard Containers, row Restarts and files: which one has the major page faults?",
            "Raise the limit of that container where it is at its limit; stop or move one where the host is full.",
            "If you cannot log in any more, restart the largest container first: it frees most.",
        ),
        example=Example(
            fires={waited: build_counter_samples(60 * bound * 1.01), faults: build_counter_samples(0)},
            silent={
                waited: build_counter_samples(60 * bound * 0.99),
                faults: build_counter_samples(60 * MAJOR_FAULTS * 2),
            },
        ),
    )


def alert_on_high_cpu(tune: Tune) -> AlertRule:
    """All cores together; time in which a core is idle because a disk is slow (iowait) is no use of it."""
    bound = get_limit(tune, "NodeCPUHighUsage", CPU)
    idle, waits = (_build_series("node_cpu_seconds_total", mode=mode, cpu="0") for mode in ("idle", "iowait"))
    free = f'sum by ({HOST}) (rate(node_cpu_seconds_total{{mode=~"idle|iowait"}}[5m]))'
    cores = f'count by ({HOST}) (node_cpu_seconds_total{{mode="idle"}})'

    def build_idle_series(share: float) -> dict[str, str]:
        """A share of one core, half of it in iowait."""
        return {series: build_counter_samples(30 * share) for series in (idle, waits)}

    return AlertRule(
        name="NodeCPUHighUsage",
        expr=f"1 - {free} / {cores} > {bound:g}",
        for_="15m",  # a build, a backup or a compaction is over by then
        severity="warning",
        limit=Share(bound),
        summary=f"The CPU of {WHERE} is {{{{ $value | humanizePercentage }}}} busy",
        description=f"More than {format_percent(bound)} of all cores are in use: everything on the host gets slower,"
        " scrapes and rule evaluation included.",
        steps=(
            "Open the dashboard Host, row CPU: user and system are work, steal is a busy neighbour.",
            "Open the dashboard Containers: which container uses the cores?",
            "Compare with the same hour of the days before: more requests, or one process that spins?",
            "Give what can wait a limit (`cpus`), or move it to another host.",
        ),
        example=Example(fires=build_idle_series((1 - bound) * 0.98), silent=build_idle_series((1 - bound) * 1.02)),
    )


def alert_on_stolen_cpu(tune: Tune) -> AlertRule:
    """Time in which a virtual machine could have worked, and its host let another one."""
    bound = get_limit(tune, "NodeCPUSteal", STOLEN)
    return AlertRule(
        name="NodeCPUSteal",
        expr=f'avg by ({HOST}) (rate(node_cpu_seconds_total{{mode="steal"}}[5m])) > {bound:g}',
        for_="15m",  # a neighbour's build or backup is over by then
        severity="warning",
        limit=Share(bound),
        summary=f"{{{{ $value | humanizePercentage }}}} of the CPU of {WHERE} goes to other machines",
        description=f"More than {format_percent(bound)} of the time its cores are given to others on the same"
        " hardware: all is slower, without a cause of its own.",
        steps=(
            "Open the dashboard Host, panel CPU by mode: is the steal there all day, or at certain hours?",
            "Small machines have CPU credits with some providers: look there whether they are used up.",
            "If it stays, stop and start the machine (it mostly comes up on other hardware), or take one with cores of"
            " its own.",
        ),
        example=Example(
            fires={
                _build_series("node_cpu_seconds_total", mode="steal", cpu="0"): build_counter_samples(60 * bound * 1.01)
            },
            silent={
                _build_series("node_cpu_seconds_total", mode="steal", cpu="0"): build_counter_samples(60 * bound * 0.99)
            },
        ),
    )


# -- the kernel ------------------------------------------------------------------------------------------------------


def alert_on_oom_kill() -> AlertRule:
    """The kernel counts processes that it kills for memory, in containers with a limit too."""
    return AlertRule(
        name="NodeOOMKill",
        expr="increase(node_vmstat_oom_kill[10m]) > 0",  # each one is a service that broke off in the middle
        for_="0s",  # it has happened
        severity="warning",
        summary="The kernel killed {{ $value | humanize }} processes for memory in 10 minutes",
        description="A process was killed because its container reached its memory limit, or the host ran out of"
        " memory.",
        steps=(
            "Find which: `journalctl -k --since -1h | grep -i 'killed process'` (or `dmesg -T`) on the host.",
            "Open the dashboard Containers, row Memory: which container reached its limit, and since when did it grow?",
            "Raise its limit if what it needs is honest; look for a leak if it only ever grows.",
            "If no container was at its limit, the host is too small: follow the steps of NodeMemoryHighUtilization.",
        ),
        example=build_growth_example(_build_series("node_vmstat_oom_kill"), 0, minutes=10),
    )


def alert_on_clock_skew(tune: Tune) -> AlertRule:
    """Zero where the kernel is not told the offset (chrony, hypervisors): then nothing fires."""
    bound = get_limit(tune, "NodeClockSkewDetected", CLOCK_SECONDS)
    return AlertRule(
        name="NodeClockSkewDetected",
        expr=f"abs(node_timex_offset_seconds) > {bound:g}",
        for_="10m",  # a clock that was just corrected is slewed for a few minutes
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
        example=build_gauge_example(_build_series("node_timex_offset_seconds"), bound),
    )


def alert_on_clock_not_synchronised() -> AlertRule:
    """Only where it was set within a week: guests whose hypervisor keeps the time have no service, and always say 0."""
    status, error = _build_series("node_timex_sync_status"), _build_series("node_timex_maxerror_seconds")
    return AlertRule(
        name="NodeClockNotSynchronising",
        expr="max_over_time(node_timex_sync_status[5m]) == 0"
        f" and node_timex_maxerror_seconds >= {UNSYNCHRONISED}"
        " and max_over_time(node_timex_sync_status[7d]) == 1",
        for_="10m",  # a time service that restarts has set the clock by then
        severity="warning",
        summary=f"Nothing sets the clock of {WHERE} any more",
        description="A time service kept the clock until a while ago and does not any more: it drifts, until samples,"
        " logs and certificates are judged by a wrong time.",
        steps=(
            "Run `timedatectl` on the host: is a time service active?",
            "Read why it stopped: `journalctl -u systemd-timesyncd -u chrony -u ntp --since -1d`.",
            "Ask it for its servers: `timedatectl timesync-status` or `chronyc sources`; a firewall may block UDP 123.",
            "Restart it; if the host is a guest that needs none, turn this alert off under `tune`.",
        ),
        # the second host never had a time service
        example=Example(
            fires={status: "1+0x10 0+0x110", error: "0.1+0x10 16+0x110"},
            silent={status: build_flat_samples(0), error: build_flat_samples(16)},
        ),
    )
