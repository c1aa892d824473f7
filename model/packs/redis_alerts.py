"""What Redis runs out of: memory, connections, patience of its clients.

Source: https://redis.io/docs/latest/commands/info/
"""

from __future__ import annotations

from model.packs.base import BY, SERVICE, Tune, above, flat, grown, limit, percent, series_of
from model.telemetry import AlertRule, Example, Mute

MEMORY = 0.9
"""Above nine tenths evictions start, or writes fail, with the next burst."""
BLOCKED = 10.0
"""Fewer are a handful of workers; how many more are too many only the past of this Redis says, or its owner."""
MORE = 2
"""Times as many as at most on the day before: every worker of a queue without jobs is blocked, and that is usual."""
MACHINE = 0.9
"""Of the machine's memory, where Redis has no limit: a snapshot needs room for what changes meanwhile."""
CLIENTS = 0.8
"""A fifth is left for bursts; beyond maxclients new connections are closed at once."""
SLOW = 10.0
"""In five minutes: two a minute (of more than 10 ms, Redis' own default) hold up everyone else noticeably."""
REJECTED = 0.0
"""Each one is a request that failed."""
SELF = "redis-exporter"
KEYS = f"{BY}, instance, database"
"""What tells databases apart."""


def alerts(tune: Tune) -> tuple[AlertRule, ...]:
    """Alerts about Redis."""
    return (
        down(),
        memory(tune),
        machine_memory(tune),
        cannot_save(),
        clients(tune),
        blocked(tune),
        slow(tune),
        rejected(tune),
        master_link_down(),
    )


def _series(name: str, **labels: str) -> str:
    return series_of(SELF, name, instance="redis-exporter:9121", database="cache", **labels)


def down() -> AlertRule:
    """The exporter itself answers: that it does not is TargetDown."""
    up = _series("redis_up")
    return AlertRule(
        name="RedisDown",
        expr="redis_up == 0",  # the exporter's own 1 and 0: answered, or not
        hold="1m",  # a restart takes seconds
        severity="critical",
        mutes=(
            Mute(
                alerts=("RedisMemoryHigh", "RedisClientsBlocked", "RedisRejectedConnections"),
                on=(*SERVICE, "instance", "database"),
            ),
        ),
        summary="Redis {{ $labels.database }} does not answer",
        description="The exporter cannot connect: Redis is down, still loads its data, or refuses the password.",
        steps=(
            'Read why: `{service="redis-exporter"}` in Explore says "connection refused", "LOADING" or "WRONGPASS".',
            "If it is refused, read Redis' own log: did it crash, or was it killed for its memory (HostOomKill)?",
            "If it is loading, wait: the log says how far it is.",
            "If the password is wrong, store the present one with `make secret`, then `make up`.",
        ),
        example=Example(fires={up: flat(0)}, silent={up: flat(1)}),
    )


def memory(tune: Tune) -> AlertRule:
    """Only where maxmemory is set: 0 means no limit."""
    bound = limit(tune, "RedisMemoryHigh", MEMORY)
    used, most = _series("redis_memory_used_bytes"), _series("redis_memory_max_bytes")
    return AlertRule(
        name="RedisMemoryHigh",
        expr=f"redis_memory_used_bytes / (redis_memory_max_bytes > 0) > {bound:g}",
        hold="5m",  # a burst of keys that expire at once is over by then
        severity="warning",
        limit=bound,
        summary="Redis {{ $labels.database }} uses {{ $value | humanizePercentage }} of its memory",
        description=f"More than {percent(bound)} of maxmemory is in use; at 100% keys are evicted or writes fail, as"
        " maxmemory-policy says.",
        steps=(
            "Open the dashboard Redis, row Keys: did the number of keys grow, and do they expire?",
            "Find the large ones: `redis-cli --bigkeys` (it scans gently), or `redis-cli --memkeys`.",
            "Give keys of a cache a time to live; a queue that grows needs more workers, not more memory.",
            "If all of it is needed, raise maxmemory, and the container's limit above it by a third.",
        ),
        example=Example(
            fires={used: flat(bound * 1010), most: flat(1000)}, silent={used: flat(bound * 990), most: flat(1000)}
        ),
    )


def blocked(tune: Tune) -> AlertRule:
    """Clients in a command that waits, such as BLPOP, BRPOP or XREAD with BLOCK.

    They are compared with the day before, which ends an hour ago, so that what just began does not count as usual;
    where a system names a threshold, with that alone.
    """
    bound = limit(tune, "RedisClientsBlocked", BLOCKED)
    given = tune.get("RedisClientsBlocked")
    own = given is not None and given.threshold is not None
    usual = "max_over_time(redis_blocked_clients[1d] offset 1h)"
    more = "" if own else f" and redis_blocked_clients > {MORE} * {usual}"
    series = _series("redis_blocked_clients")
    often = bound * 1.01
    jump = Example(fires={series: f"1+0x70 {often!r}+0x50"}, silent={series: f"{often!r}+0x120"}, at="90m")
    return AlertRule(
        name="RedisClientsBlocked",
        expr=f"redis_blocked_clients > {bound:g}{more}",
        hold="5m",  # workers between two jobs wait for a moment
        severity="warning",
        limit=bound,
        summary="{{ $value | humanize }} clients of Redis {{ $labels.database }} wait",
        description=f"More than {bound:g} clients wait in a blocking command"
        f"{'' if own else ', twice as many as on the day before'}: nobody pushes what they wait for, or clients leak.",
        steps=(
            "Find who waits: `redis-cli client list | grep -E 'cmd=(b|xread)'` shows address, age and command.",
            "If they are workers without jobs, look at the service that should push: is it up, and does it fail?",
            "If one address has most of them, it opens new ones without closing the old: restart it, and give it a"
            " pool.",
            "If a certain number is too many at any time, say so: `tune: {RedisClientsBlocked: {threshold: ...}}` in"
            " the system's file.",
        ),
        example=above(series, bound) if own else jump,
    )


def machine_memory(tune: Tune) -> AlertRule:
    """Where there is no maxmemory, which is Redis' default: the kernel ends it when the machine is full."""
    bound = limit(tune, "RedisMachineMemoryHigh", MACHINE)
    used, most, has = (
        _series(f"redis_{name}") for name in ("memory_used_bytes", "memory_max_bytes", "total_system_memory_bytes")
    )
    return AlertRule(
        name="RedisMachineMemoryHigh",
        expr=f"redis_memory_used_bytes / redis_total_system_memory_bytes > {bound:g} and redis_memory_max_bytes == 0",
        hold="5m",  # a burst of keys that expire at once is over by then
        severity="warning",
        limit=bound,
        summary="Redis {{ $labels.database }} uses {{ $value | humanizePercentage }} of its machine's memory",
        description=f"No maxmemory is set, and more than {percent(bound)} of the machine's memory is in use: instead of"
        " evicting keys, Redis is killed.",
        steps=(
            "Set a limit now, it needs no restart: `redis-cli config set maxmemory <bytes>` and `config set"
            " maxmemory-policy <policy>`; write both into its configuration.",
            "For a cache `allkeys-lru` is right; for a queue or sessions `noeviction`, so that writes fail and nothing"
            " is lost.",
            "Find the large keys: `redis-cli --bigkeys`; do those of a cache expire?",
        ),
        example=Example(
            fires={used: flat(bound * 1010), has: flat(1000), most: flat(0)},
            silent={used: flat(bound * 1010), has: flat(1000), most: flat(2000)},
        ),
    )


def cannot_save() -> AlertRule:
    """Redis says so itself, after a snapshot or an append that failed; by default it refuses all writes then."""
    names = ("redis_rdb_last_bgsave_status", "redis_aof_last_write_status")
    snapshot, log = (_series(name) for name in names)
    return AlertRule(
        name="RedisSavingFails",
        expr=f"{names[0]} == 0 or {names[1]} == 0",  # Redis' own 1 and 0: the last one was written, or not
        hold="2m",  # it tries a snapshot again after five seconds
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
            fires={snapshot: "1+0x40 0+0x80", log: flat(1)}, silent={snapshot: "1+0x40 0+0x0 1+0x80", log: flat(1)}
        ),
    )


def clients(tune: Tune) -> AlertRule:
    """Before any is refused; RedisRejectedConnections says that it has happened."""
    bound = limit(tune, "RedisConnectionsHigh", CLIENTS)
    used, most = _series("redis_connected_clients"), _series("redis_config_maxclients")
    return AlertRule(
        name="RedisConnectionsHigh",
        expr=f"redis_connected_clients / (redis_config_maxclients > 0) > {bound:g}",
        hold="5m",  # during a deployment the pools of the old and the new instances exist at once
        severity="warning",
        limit=bound,
        summary="Redis {{ $labels.database }} has {{ $value | humanizePercentage }} of the clients that it takes",
        description=f"More than {percent(bound)} of maxclients are connected; at 100% new ones are closed at once.",
        steps=(
            "Find who has them: `redis-cli client list | awk '{print $2}' | cut -d: -f1 | sort | uniq -c | sort -n`"
            " counts them by address.",
            "If most of them are idle for long (`idle=`), a service leaks them: restart it, and give it a pool.",
            "Set `timeout` so that forgotten ones are closed: `redis-cli config set timeout 600`.",
            "If all are used, raise maxclients, and the open files that its process may have.",
        ),
        example=Example(
            fires={used: flat(bound * 1010), most: flat(1000)}, silent={used: flat(bound * 990), most: flat(1000)}
        ),
    )


def slow(tune: Tune) -> AlertRule:
    """The slow log keeps 128 entries, but its last number counts all of them."""
    bound = limit(tune, "RedisSlowLog", SLOW)
    return AlertRule(
        name="RedisSlowLog",
        expr=f"increase(redis_slowlog_last_id[5m]) > {bound:g}",
        hold="0s",  # they have happened; nobody is called for it
        severity="info",
        limit=bound,
        summary="Redis {{ $labels.database }} had {{ $value | humanize }} slow commands in 5 minutes",
        description=f"More than {bound:g} commands in 5 minutes took longer than slowlog-log-slower-than; while one"
        " runs,"
        " all others wait.",
        steps=(
            "Read them: `redis-cli slowlog get 20` shows duration, command and client.",
            "If it is KEYS, SMEMBERS, HGETALL or SORT of something large, use SCAN and its kin, or smaller keys.",
            "If simple commands are slow, the host is: look for swapping, and at the CPU limit of the container.",
        ),
        example=grown(_series("redis_slowlog_last_id"), bound),
    )


def rejected(tune: Tune) -> AlertRule:
    """Redis closes connections beyond maxclients at once."""
    bound = limit(tune, "RedisRejectedConnections", REJECTED)
    return AlertRule(
        name="RedisRejectedConnections",
        expr=f"sum by ({KEYS}) (increase(redis_rejected_connections_total[5m])) > {bound:g}",
        hold="0s",  # they have happened
        severity="warning",
        limit=bound,
        summary="Redis {{ $labels.database }} refused {{ $value | humanize }} connections in 5 minutes",
        description=f"More than {bound:g} connections were refused in 5 minutes: maxclients is reached.",
        steps=(
            "Find who has them: `redis-cli client list` shows address, name, age and idle time of each.",
            "If one service has most of them, it opens a connection for each request: give it a pool.",
            "Set `timeout` so that forgotten ones are closed; raise maxclients only if all are used.",
        ),
        example=grown(_series("redis_rejected_connections_total"), bound),
    )


def master_link_down() -> AlertRule:
    """Of a replica; a Redis that is none has no such series."""
    link = _series("redis_master_link_up", master_host="redis-0", master_port="6379")
    return AlertRule(
        name="RedisMasterLinkDown",
        expr="redis_master_link_up == 0",  # Redis' own 1 and 0
        hold="5m",  # a first copy of a few GB is through by then; while it lasts the link counts as down
        severity="warning",
        summary="The replica {{ $labels.database }} has lost its master",
        description="It gets no changes any more: who reads there sees the past, and if the master fails now, what was"
        " written since is lost.",
        steps=(
            "What does it say? `redis-cli info replication`: `master_link_down_since_seconds`,"
            " `master_sync_in_progress`.",
            "Does it reach the master? `redis-cli -h <master> ping` from its machine.",
            "If it begins the copy again and again, the master's buffer is too small for it:"
            " `client-output-buffer-limit replica` and `repl-backlog-size`.",
            "If the master was replaced, point it there: `redis-cli replicaof <master> 6379`.",
        ),
        example=Example(fires={link: flat(0)}, silent={link: "0+0x30 1+0x90"}),
    )
