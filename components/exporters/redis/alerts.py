"""What those who use Redis run out of: connections, and patience.

Source: https://redis.io/docs/latest/commands/info/
"""

from __future__ import annotations

from model.limits import Count, Share
from model.telemetry import AlertRule, Example, Inhibition
from packs.base import (
    BY,
    SERVICE,
    Tune,
    build_flat_samples,
    build_gauge_example,
    build_growth_example,
    build_service_series,
    format_percent,
    get_limit,
)

BLOCKED = 10.0
"""Fewer are a handful of workers; how many more are too many only the past of this Redis says, or its owner."""
MORE = 2
"""Times as many as at most on the day before: every worker of a queue without jobs is blocked, and that is usual."""
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
    """Alerts about the clients of Redis."""
    return (
        alert_on_database_down(),
        alert_on_many_clients(tune),
        alert_on_blocked_clients(tune),
        alert_on_slow_commands(tune),
        alert_on_rejected_connections(tune),
    )


def _build_series(name: str, **labels: str) -> str:
    return build_service_series(SELF, name, instance="redis-exporter:9121", database="cache", **labels)


def alert_on_database_down() -> AlertRule:
    """The exporter itself answers: that it does not is TargetDown."""
    up = _build_series("redis_up")
    return AlertRule(
        name="RedisDown",
        expr="redis_up == 0",  # the exporter's own 1 and 0: answered, or not
        for_="1m",  # a restart takes seconds
        severity="critical",
        # not RedisRejectedConnections: that comes first, and is why the exporter cannot connect either
        inhibits=(
            Inhibition(alerts=("RedisMemoryHigh", "RedisClientsBlocked"), on=(*SERVICE, "instance", "database")),
        ),
        summary="Redis {{ $labels.database }} does not answer",
        description="The exporter cannot connect: Redis is down, still loads its data, or refuses the password.",
        steps=(
            'Read why: `{service="redis-exporter"}` in Explore says "connection refused", "LOADING" or "WRONGPASS".',
            "If it is refused, read Redis' own log: did it crash, or was it killed for its memory (NodeOOMKill)?",
            "If it is loading, wait: the log says how far it is.",
            "If the password is wrong, store the present one with `make secret`, then `make up`.",
        ),
        example=Example(fires={up: build_flat_samples(0)}, silent={up: build_flat_samples(1)}),
    )


def alert_on_blocked_clients(tune: Tune) -> AlertRule:
    """Clients in a command that waits, such as BLPOP, BRPOP or XREAD with BLOCK.

    They are compared with the day before, which ends an hour ago, so that what just began does not count as usual;
    where a system names a threshold, with that alone.
    """
    bound = get_limit(tune, "RedisClientsBlocked", BLOCKED)
    tuning = tune.get("RedisClientsBlocked")
    own = tuning is not None and tuning.threshold is not None
    usual = "max_over_time(redis_blocked_clients[1d] offset 1h)"
    more = "" if own else f" and redis_blocked_clients > {MORE} * {usual}"
    series = _build_series("redis_blocked_clients")
    often = bound * 1.01
    jump = Example(fires={series: f"1+0x70 {often!r}+0x50"}, silent={series: f"{often!r}+0x120"}, at="90m")
    return AlertRule(
        name="RedisClientsBlocked",
        expr=f"redis_blocked_clients > {bound:g}{more}",
        for_="5m",  # workers between two jobs wait for a moment
        severity="warning",
        limit=Count(bound),
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
        example=build_gauge_example(series, bound) if own else jump,
    )


def alert_on_many_clients(tune: Tune) -> AlertRule:
    """Before any is refused; RedisRejectedConnections says that it has happened."""
    bound = get_limit(tune, "RedisTooManyConnections", CLIENTS)
    used, most = _build_series("redis_connected_clients"), _build_series("redis_config_maxclients")
    return AlertRule(
        name="RedisTooManyConnections",
        expr=f"redis_connected_clients / (redis_config_maxclients > 0) > {bound:g}",
        for_="5m",  # during a deployment the pools of the old and the new instances exist at once
        severity="warning",
        limit=Share(bound),
        summary="Redis {{ $labels.database }} has {{ $value | humanizePercentage }} of the clients that it takes",
        description=f"More than {format_percent(bound)} of maxclients are connected; at 100% new ones are closed at"
        " once.",
        steps=(
            "Find who has them: `redis-cli client list | awk '{print $2}' | cut -d: -f1 | sort | uniq -c | sort -n`"
            " counts them by address.",
            "If most of them are idle for long (`idle=`), a service leaks them: restart it, and give it a pool.",
            "Set `timeout` so that forgotten ones are closed: `redis-cli config set timeout 600`.",
            "If all are used, raise maxclients, and the open files that its process may have.",
        ),
        example=Example(
            fires={used: build_flat_samples(bound * 1010), most: build_flat_samples(1000)},
            silent={used: build_flat_samples(bound * 990), most: build_flat_samples(1000)},
        ),
    )


def alert_on_slow_commands(tune: Tune) -> AlertRule:
    """The slow log keeps 128 entries, but its last number counts all of them."""
    bound = get_limit(tune, "RedisSlowLog", SLOW)
    return AlertRule(
        name="RedisSlowLog",
        expr=f"increase(redis_slowlog_last_id[5m]) > {bound:g}",
        for_="0s",  # they have happened; nobody is called for it
        severity="info",
        limit=Count(bound),
        summary="Redis {{ $labels.database }} had {{ $value | humanize }} slow commands in 5 minutes",
        description=f"More than {bound:g} commands in 5 minutes took longer than slowlog-log-slower-than; while one"
        " runs,"
        " all others wait.",
        steps=(
            "Read them: `redis-cli slowlog get 20` shows duration, command and client.",
            "If it is KEYS, SMEMBERS, HGETALL or SORT of something large, use SCAN and its kin, or smaller keys.",
            "If simple commands are slow, the host is: look for swapping, and at the CPU limit of the container.",
        ),
        example=build_growth_example(_build_series("redis_slowlog_last_id"), bound),
    )


def alert_on_rejected_connections(tune: Tune) -> AlertRule:
    """Redis closes connections beyond maxclients at once."""
    bound = get_limit(tune, "RedisRejectedConnections", REJECTED)
    return AlertRule(
        name="RedisRejectedConnections",
        expr=f"sum by ({KEYS}) (increase(redis_rejected_connections_total[5m])) > {bound:g}",
        for_="0s",  # they have happened
        severity="warning",
        limit=Count(bound),
        summary="Redis {{ $labels.database }} refused {{ $value | humanize }} connections in 5 minutes",
        description=f"More than {bound:g} connections were refused in 5 minutes: maxclients is reached.",
        steps=(
            "Find who has them: `redis-cli client list` shows address, name, age and idle time of each.",
            "If one service has most of them, it opens a connection for each request: give it a pool.",
            "Set `timeout` so that forgotten ones are closed; raise maxclients only if all are used.",
        ),
        example=build_growth_example(_build_series("redis_rejected_connections_total"), bound),
    )
