"""What can happen to the data of Redis: no memory for it, no disk, no copy.

Source: https://redis.io/docs/latest/commands/info/
"""

from __future__ import annotations

from model.limits import Share
from model.telemetry import AlertRule, Example
from packs.base import Tune, build_flat_samples, build_service_series, format_percent, get_limit

MEMORY = 0.9
"""Above nine tenths evictions start, or writes fail, with the next burst."""
MACHINE = 0.9
"""Of the machine's memory, where Redis has no limit: a snapshot needs room for what changes meanwhile."""
SELF = "redis-exporter"


def alerts(tune: Tune) -> tuple[AlertRule, ...]:
    """Alerts about the data of Redis."""
    return (
        alert_on_high_memory(tune),
        alert_on_high_machine_memory(tune),
        alert_on_failed_save(),
        alert_on_master_link_down(),
    )


def _build_series(name: str, **labels: str) -> str:
    return build_service_series(SELF, name, instance="redis-exporter:9121", database="cache", **labels)


def alert_on_high_memory(tune: Tune) -> AlertRule:
    """Only where maxmemory is set: 0 means no limit."""
    bound = get_limit(tune, "RedisMemoryHigh", MEMORY)
    used, most = _build_series("redis_memory_used_bytes"), _build_series("redis_memory_max_bytes")
    return AlertRule(
        name="RedisMemoryHigh",
        expr=f"redis_memory_used_bytes / (redis_memory_max_bytes > 0) > {bound:g}",
        for_="5m",  # a burst of keys that expire at once is over by then
        severity="warning",
        limit=Share(bound),
        summary="Redis {{ $labels.database }} uses {{ $value | humanizePercentage }} of its memory",
        description=f"More than {format_percent(bound)} of maxmemory is in use; at 100% keys are evicted or writes"
        " fail, as maxmemory-policy says.",
        steps=(
            "Open the dashboard Redis, row Keys: did the number of keys grow, and do they expire?",
            "Find the large ones: `redis-cli --bigkeys` (it scans gently), or `redis-cli --memkeys`.",
            "Give keys of a cache a time to live; a queue that grows needs more workers, not more memory.",
            "If all of it is needed, raise maxmemory, and the container's limit above it by a third.",
        ),
        example=Example(
            fires={used: build_flat_samples(bound * 1010), most: build_flat_samples(1000)},
            silent={used: build_flat_samples(bound * 990), most: build_flat_samples(1000)},
        ),
    )


def alert_on_high_machine_memory(tune: Tune) -> AlertRule:
    """Where there is no maxmemory, which is Redis' default: the kernel ends it when the machine is full."""
    bound = get_limit(tune, "RedisOutOfMemory", MACHINE)
    used, most, has = (
        _build_series(f"redis_{name}")
        for name in ("memory_used_bytes", "memory_max_bytes", "total_system_memory_bytes")
    )
    return AlertRule(
        name="RedisOutOfMemory",
        expr=f"redis_memory_used_bytes / redis_total_system_memory_bytes > {bound:g} and redis_memory_max_bytes == 0",
        for_="5m",  # a burst of keys that expire at once is over by then
        severity="warning",
        limit=Share(bound),
        summary="Redis {{ $labels.database }} uses {{ $value | humanizePercentage }} of its machine's memory",
        description=f"No maxmemory is set, and more than {format_percent(bound)} of the machine's memory is in use:"
        " instead of evicting keys, Redis is killed.",
        steps=(
            "Set a limit now, it needs no restart: `redis-cli config set maxmemory <bytes>` and `config set"
            " maxmemory-policy <policy>`; write both into its configuration.",
            "For a cache `allkeys-lru` is right; for a queue or sessions `noeviction`, so that writes fail and nothing"
            " is lost.",
            "Find the large keys: `redis-cli --bigkeys`; do those of a cache expire?",
        ),
        example=Example(
            fires={used: build_flat_samples(bound * 1010), has: build_flat_samples(1000), most: build_flat_samples(0)},
            silent={
                used: build_flat_samples(bound * 1010),
                has: build_flat_samples(1000),
                most: build_flat_samples(2000),
            },
        ),
    )


def alert_on_failed_save() -> AlertRule:
    """Redis says so itself, after a snapshot or an append that failed; by default it refuses all writes then."""
    names = ("redis_rdb_last_bgsave_status", "redis_aof_last_write_status")
    snapshot, log = (_build_series(name) for name in names)
    return AlertRule(
        name="RedisSavingFails",
        expr=f"{names[0]} == 0 or {names[1]} == 0",  # Redis' own 1 and 0: the last one was written, or not
        for_="2m",  # it tries a snapshot again after five seconds
        severity="critical",
        summary="Redis {{ $labels.database }} cannot write to its disk",
        description="Its last snapshot, or its last write to the append-only file, failed: by default it now refuses"
        " all writes (MISCONF), and what changed since would be lost with it.",
        steps=(
            "Read why in its own log: `No space left on device`, `Permission denied`, or `Cannot allocate memory`.",
            "Without space: free some, or move its directory (`redis-cli config get dir`).",
            "Without memory for the fork: `sysctl vm.overcommit_memory=1` on the host, and room for what changes during"
            " a snapshot.",
            "Then save once: `redis-cli bgsave`; writes work again as soon as it succeeds.",
            "If it is a cache that need not be saved: `redis-cli config set save ''`.",
        ),
        example=Example(
            fires={snapshot: "1+0x40 0+0x80", log: build_flat_samples(1)},
            silent={snapshot: "1+0x40 0+0x0 1+0x80", log: build_flat_samples(1)},
        ),
    )


def alert_on_master_link_down() -> AlertRule:
    """Of a replica; a Redis that is none has no such series."""
    link = _build_series("redis_master_link_up", master_host="redis-0", master_port="6379")
    return AlertRule(
        name="RedisMasterLinkDown",
        expr="redis_master_link_up == 0",  # Redis' own 1 and 0
        for_="5m",  # a first copy of a few GB is through by then; while it lasts the link counts as down
        severity="warning",
        summary="The replica {{ $labels.database }} has lost its master",
        description="It gets no changes any more: who reads there sees the past, and if the master fails now, what was"
        " written since is lost.",
        steps=(
            "What does it say? `redis-cli info replication`: `master_link_down_since_seconds`,"
            " `master_sync_in_progress`.",
            "Does it reach the master? `redis-cli -h <master> ping` from its machine.",
            "If it starts the copy repeatedly, the master's buffer is too small for it:"
            " `client-output-buffer-limit replica` and `repl-backlog-size`.",
            "If the master was replaced, point it there: `redis-cli replicaof <master> 6379`.",
        ),
        example=Example(fires={link: build_flat_samples(0)}, silent={link: "0+0x30 1+0x90"}),
    )
