"""What Redis runs out of: memory, connections, patience of its clients.

Source: https://redis.io/docs/latest/commands/info/
"""

from __future__ import annotations

from model.packs.base import BY, SERVICE, Tune, above, flat, grown, limit, percent, series_of
from model.telemetry import AlertRule, Example, Mute

MEMORY = 0.9
"""Above nine tenths evictions start, or writes fail, with the next burst."""
BLOCKED = 10.0
"""A handful of workers waits for jobs on purpose; more than ten wait because nobody pushes."""
SLOW = 10.0
"""In five minutes: two a minute (of more than 10 ms, Redis' own default) hold up everyone else noticeably."""
REJECTED = 0.0
"""Each one is a request that failed."""
SELF = "redis-exporter"
KEYS = f"{BY}, instance, database"
"""What tells databases apart."""


def alerts(tune: Tune) -> tuple[AlertRule, ...]:
    """Alerts about Redis."""
    return down(), memory(tune), blocked(tune), slow(tune), rejected(tune)


def _series(name: str) -> str:
    return series_of(SELF, name, instance="redis-exporter:9121", database="cache")


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
    """Clients in a command that waits, such as BLPOP, BRPOP or XREAD with BLOCK."""
    bound = limit(tune, "RedisClientsBlocked", BLOCKED)
    return AlertRule(
        name="RedisClientsBlocked",
        expr=f"redis_blocked_clients > {bound:g}",
        hold="5m",  # workers between two jobs wait for a moment
        severity="warning",
        limit=bound,
        summary="{{ $value | humanize }} clients of Redis {{ $labels.database }} wait",
        description=f"More than {bound:g} clients wait in a blocking command: nobody pushes what they wait for.",
        steps=(
            "Find who waits: `redis-cli client list | grep -E 'cmd=(b|xread)'` shows address, age and command.",
            "If they are workers without jobs, look at the service that should push: is it up, and does it fail?",
            "If that is their usual number, say so: `tune: {RedisClientsBlocked: {threshold: ...}}` in the system's"
            " file.",
        ),
        example=above(_series("redis_blocked_clients"), bound),
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
