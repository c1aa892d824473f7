"""What PostgreSQL runs out of, and what its transactions wait for.

Source: https://www.postgresql.org/docs/current/monitoring-stats.html
"""

from __future__ import annotations

from model.packs.base import BY, SERVICE, Tune, above, counter, flat, grown, limit, percent, series_of
from model.telemetry import AlertRule, Example, Mute

CONNECTIONS = 0.8
"""A fifth is the usual reserve for administrators and for bursts of the pools."""
LONG_SECONDS = 300.0
"""Longer than any request and most jobs take; meanwhile its locks are held and vacuum cannot clean up behind it."""
DEADLOCKS = 0.0
"""PostgreSQL ends one of the two transactions: somebody's work is lost each time."""
CACHE_HITS = 0.9
"""Busy databases reach 99 of 100; below nine tenths their working set does not fit into shared_buffers."""
MISSES = 1000
"""Blocks of 8 KiB per second, about 8 MB/s: below it the disk does not notice, whatever the share."""
SELF = "postgres-exporter"
KEYS = f"{BY}, instance, database"
"""What tells databases apart."""


def alerts(tune: Tune) -> tuple[AlertRule, ...]:
    """Alerts about PostgreSQL."""
    return down(), connections(tune), long_transactions(tune), deadlocks(tune), cache_hits(tune)


def _series(name: str, **labels: str) -> str:
    return series_of(SELF, name, instance="postgres-exporter:9187", database="main", **labels)


def down() -> AlertRule:
    """The exporter itself answers: that it does not is TargetDown."""
    up = _series("pg_up")
    return AlertRule(
        name="PostgresDown",
        expr="pg_up == 0",  # the exporter's own 1 and 0: logged in, or not
        hold="1m",  # a restart takes seconds
        severity="critical",
        mutes=(
            Mute(
                alerts=("PostgresConnectionsHigh", "PostgresLongTransactions", "PostgresCacheHitLow"),
                on=(*SERVICE, "instance", "database"),
            ),
        ),
        summary="PostgreSQL {{ $labels.database }} does not answer",
        description="The exporter cannot log in: the database is down, has no connection left, or refuses the"
        " password.",
        steps=(
            'Read why: `{service="postgres-exporter"}` in Explore says "connection refused", "too many clients" or'
            ' "password authentication failed".',
            "If it is refused, read PostgreSQL's own log: does it start, recover after a crash, or miss disk space?",
            "If there are too many clients, restart the service with the largest pool, then see"
            " PostgresConnectionsHigh.",
            "If the password is wrong, store the present one: `make secret NAME=<database>-password`, then `make up`.",
        ),
        example=Example(fires={up: flat(0)}, silent={up: flat(1)}),
    )


def connections(tune: Tune) -> AlertRule:
    """Whatever their state: an idle connection takes a place too."""
    bound = limit(tune, "PostgresConnectionsHigh", CONNECTIONS)
    used, most = _series("pg_stat_activity_count", datname="app", state="idle"), _series("pg_settings_max_connections")
    return AlertRule(
        name="PostgresConnectionsHigh",
        expr=f"sum by ({KEYS}) (pg_stat_activity_count) / sum by ({KEYS}) (pg_settings_max_connections) > {bound:g}",
        hold="5m",  # during a deployment the pools of the old and the new instances exist at once
        severity="warning",
        limit=bound,
        summary="PostgreSQL {{ $labels.database }} uses {{ $value | humanizePercentage }} of its connections",
        description=f"More than {percent(bound)} of max_connections are in use; at 100% new ones are refused.",
        steps=(
            "Find who has them: `SELECT usename, application_name, state, count(*) FROM pg_stat_activity GROUP BY 1,"
            " 2, 3"
            " ORDER BY 4 DESC`.",
            "If most are idle, make the largest pool smaller: pools of all instances together must fit.",
            "If many are idle in transaction, a service forgets to commit: restart it, and mend it.",
            "Put a pooler in between before you raise max_connections: each connection costs memory.",
        ),
        example=Example(
            fires={used: flat(bound * 101), most: flat(100)}, silent={used: flat(bound * 99), most: flat(100)}
        ),
    )


def long_transactions(tune: Tune) -> AlertRule:
    """Of any state: those that idle in a transaction are the usual ones."""
    bound = limit(tune, "PostgresLongTransactions", LONG_SECONDS)
    longest = _series("pg_stat_activity_max_tx_duration", datname="app", state="idle in transaction")
    return AlertRule(
        name="PostgresLongTransactions",
        expr=f"max by ({KEYS}, datname) (pg_stat_activity_max_tx_duration) > {bound:g}",
        hold="5m",  # two long ones in a row would do too, but then it is a habit
        severity="warning",
        limit=bound,
        summary="A transaction on {{ $labels.datname }} has been open for {{ $value | humanizeDuration }}",
        description=f"A transaction has been open for more than {bound:g} s: others wait for its locks, and vacuum"
        " cannot"
        " remove what was deleted since.",
        steps=(
            "Find it: `SELECT pid, usename, application_name, state, xact_start, query FROM pg_stat_activity WHERE"
            " xact_start IS NOT NULL ORDER BY xact_start LIMIT 5`.",
            "If it is autovacuum or a backup, let it end.",
            "If it is idle in transaction, its service forgot it: end it with `SELECT pg_terminate_backend(<pid>)`, and"
            " set idle_in_transaction_session_timeout.",
            "If it works, look at its plan (EXPLAIN): reports belong on a replica, large changes into batches.",
        ),
        example=above(longest, bound),
    )


def deadlocks(tune: Tune) -> AlertRule:
    """Counted when PostgreSQL has resolved it."""
    bound = limit(tune, "PostgresDeadlocks", DEADLOCKS)
    return AlertRule(
        name="PostgresDeadlocks",
        expr=f"sum by ({KEYS}, datname) (increase(pg_stat_database_deadlocks[5m])) > {bound:g}",
        hold="0s",  # they have happened
        severity="warning",
        limit=bound,
        summary="{{ $value | humanize }} deadlocks on {{ $labels.datname }} in 5 minutes",
        description=f"There were more than {bound:g} deadlocks in 5 minutes: two transactions waited for each other,"
        " and"
        " PostgreSQL ended one of them.",
        steps=(
            'Read both statements in PostgreSQL\'s log: it prints them beside "deadlock detected".',
            "Compare with the last deployment: which code takes the same rows in another order?",
            "Take locks in one order everywhere (sort the keys), keep transactions short, and let the service try"
            " again.",
        ),
        example=grown(_series("pg_stat_database_deadlocks", datname="app"), bound),
    )


def cache_hits(tune: Tune) -> AlertRule:
    """A cold cache after a start, or one large report, is no reason: hence the long hold and the least traffic."""
    bound = limit(tune, "PostgresCacheHitLow", CACHE_HITS)
    hit, read = (_series(f"pg_stat_database_blks_{what}", datname="app") for what in ("hit", "read"))
    hits, misses = (f"sum by ({KEYS}) (rate(pg_stat_database_blks_{what}[5m]))" for what in ("hit", "read"))
    each = 60 * MISSES * 100  # blocks a minute, a hundred times the least traffic

    def blocks(share: float) -> dict[str, str]:
        return {hit: counter(each * share), read: counter(each * (1 - share))}

    return AlertRule(
        name="PostgresCacheHitLow",
        expr=f"{hits} / ({hits} + {misses}) < {bound:g} and {misses} > {MISSES}",
        hold="30m",  # a cold cache is warm by then, and a report is done
        severity="info",
        limit=bound,
        summary="PostgreSQL {{ $labels.database }} finds {{ $value | humanizePercentage }} of its blocks in memory",
        description=f"Less than {percent(bound)} of the blocks are found in shared_buffers, and the others are many:"
        " queries"
        " wait for the disk.",
        steps=(
            "Open the dashboard PostgreSQL, row Rows: many returned for few fetched rows is an index that is missing.",
            "Find the tables: `SELECT relname, heap_blks_read FROM pg_statio_user_tables ORDER BY 2 DESC LIMIT 10`.",
            "If all of it is needed, raise shared_buffers to a quarter of the database's memory.",
        ),
        example=Example(fires=blocks(bound * 0.99), silent=blocks(bound + (1 - bound) * 0.01)),
    )
