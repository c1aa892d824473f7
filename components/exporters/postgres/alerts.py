"""What PostgreSQL runs out of, and what its transactions wait for.

Only connections of clients count: background workers need no place of max_connections, and autovacuum ends by itself.
Source: https://www.postgresql.org/docs/current/monitoring-stats.html
"""

from __future__ import annotations

from model.limits import Count, Share
from model.telemetry import AlertRule, Example, Inhibition
from packs.base import (
    BY,
    SERVICE,
    Tune,
    build_counter_samples,
    build_flat_samples,
    build_growth_example,
    build_service_series,
    format_percent,
    get_limit,
)

CONNECTIONS = 0.8
"""A fifth is the usual reserve for administrators and for bursts of the pools."""
LONG_SECONDS = 300.0
"""Longer than any request and most jobs take; meanwhile its locks are held and vacuum cannot clean up behind it."""
IDLE_SECONDS = 60.0
"""Between two statements of one transaction a service computes for milliseconds; after a minute it has forgotten it."""
DEADLOCKS = 5.0
"""In five minutes: PostgreSQL ends one of the two, and a service tries again; one a minute is a wrong order."""
CACHE_HITS = 0.9
"""Busy databases reach 99 of 100; below nine tenths their working set does not fit into shared_buffers."""
MISSES = 1000
"""Blocks of 8 KiB per second, about 8 MB/s: below it the disk does not notice, whatever the share."""
SELF = "postgres-exporter"
KEYS = f"{BY}, instance, database"
"""What tells databases apart."""
CLIENTS = 'backend_type=~"client backend|"'
"""Exporters before 0.12 do not say what kind it is."""
DUMPS = 'application_name!~"pg_dump|pg_dumpall|pg_restore|pg_basebackup"'
"""Backups take as long as they take, in one transaction."""


def alerts(tune: Tune) -> tuple[AlertRule, ...]:
    """Alerts about PostgreSQL."""
    return (
        alert_on_database_down(),
        alert_on_many_connections(tune),
        alert_on_connections_exhausted(),
        alert_on_long_transactions(tune),
        alert_on_idle_in_transaction(tune),
        alert_on_deadlocks(tune),
        alert_on_low_cache_hits(tune),
    )


def _build_series(name: str, **labels: str) -> str:
    return build_service_series(SELF, name, instance="postgres-exporter:9187", database="main", **labels)


def alert_on_database_down() -> AlertRule:
    """The exporter itself answers: that it does not is TargetDown."""
    up = _build_series("pg_up")
    return AlertRule(
        name="PostgreSQLDown",
        expr="pg_up == 0",  # the exporter's own 1 and 0: logged in, or not
        for_="1m",  # a restart takes seconds
        severity="critical",
        inhibits=(
            Inhibition(
                alerts=("PostgreSQLHighConnections", "PostgreSQLLongTransactions", "PostgreSQLCacheHitRatio"),
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
            " PostgreSQLHighConnections.",
            "If the password is wrong, store the present one: `make secret NAME=<database>-password`, then `make up`.",
        ),
        example=Example(fires={up: build_flat_samples(0)}, silent={up: build_flat_samples(1)}),
    )


def alert_on_many_connections(tune: Tune) -> AlertRule:
    """Whatever their state: an idle connection takes a place too."""
    bound = get_limit(tune, "PostgreSQLHighConnections", CONNECTIONS)
    used, most = (
        _build_series("pg_stat_activity_count", datname="app", state="idle"),
        _build_series("pg_settings_max_connections"),
    )
    return AlertRule(
        name="PostgreSQLHighConnections",
        expr=f"sum by ({KEYS}) (pg_stat_activity_count{{{CLIENTS}}})"
        f" / sum by ({KEYS}) (pg_settings_max_connections) > {bound:g}",
        for_="5m",  # during a deployment the pools of the old and the new instances exist at once
        severity="warning",
        limit=Share(bound),
        summary="PostgreSQL {{ $labels.database }} uses {{ $value | humanizePercentage }} of its connections",
        description=f"More than {format_percent(bound)} of max_connections are in use; at 100% new ones are refused.",
        steps=(
            "Find who has them: `SELECT usename, application_name, state, count(*) FROM pg_stat_activity GROUP BY 1,"
            " 2, 3"
            " ORDER BY 4 DESC`.",
            "If most are idle, make the largest pool smaller: pools of all instances together must fit.",
            "If many are idle in transaction, a service forgets to commit: restart it, and mend it.",
            "Put a pooler in between before you raise max_connections: each connection costs memory.",
        ),
        example=Example(
            fires={used: build_flat_samples(bound * 101), most: build_flat_samples(100)},
            silent={used: build_flat_samples(bound * 99), most: build_flat_samples(100)},
        ),
    )


def alert_on_connections_exhausted() -> AlertRule:
    """The last places are for superusers: the exporter still gets in by them, so that PostgreSQLDown stays silent."""
    used = _build_series("pg_stat_activity_count", datname="app", state="idle", backend_type="client backend")
    worker = _build_series("pg_stat_activity_count", datname="app", state="active", backend_type="parallel worker")
    most, reserved = (_build_series(f"pg_settings_{name}_connections") for name in ("max", "superuser_reserved"))
    settings = {most: build_flat_samples(100), reserved: build_flat_samples(3)}

    def build_total(metric: str) -> str:
        return f"sum by ({KEYS}) ({metric})"

    more = f"({build_total('pg_settings_reserved_connections')} or 0 * {build_total('pg_settings_max_connections')})"
    return AlertRule(
        name="PostgreSQLMaxConnectionsReached",
        expr=f"{build_total(f'pg_stat_activity_count{{{CLIENTS}}}')} - {build_total('pg_settings_max_connections')}"
        f" + {build_total('pg_settings_superuser_reserved_connections')} + {more} >= 0",
        for_="1m",  # services are refused already; a deployment's overlap of two pools takes seconds
        severity="critical",
        inhibits=(Inhibition(alerts=("PostgreSQLHighConnections",), on=(*SERVICE, "instance", "database")),),
        summary="PostgreSQL {{ $labels.database }} has no connection left for services",
        description="All connections but those that are reserved for superusers are taken: services that need a new one"
        ' are refused with "remaining connection slots are reserved" or "too many clients".',
        steps=(
            "Log in as a superuser (a place is kept for it) and find who has them: `SELECT usename, application_name,"
            " state, count(*) FROM pg_stat_activity GROUP BY 1, 2, 3 ORDER BY 4 DESC`.",
            "End those that do nothing: `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE state LIKE"
            " 'idle%' AND state_change < now() - interval '5 min'`.",
            "Restart the service with the largest pool, and make that pool smaller: all instances together must fit.",
            "Then follow PostgreSQLHighConnections: a pooler in between, before max_connections is raised.",
        ),
        example=Example(
            fires={used: build_flat_samples(97), **settings},
            silent={used: build_flat_samples(96), worker: build_flat_samples(8), **settings},
        ),
    )


def alert_on_long_transactions(tune: Tune) -> AlertRule:
    """Of clients and in any state; a backup reads everything in one, and is left out."""
    bound = get_limit(tune, "PostgreSQLLongTransactions", LONG_SECONDS)
    name, client = "pg_stat_activity_max_tx_duration", {"datname": "app", "state": "active"}
    longest = _build_series(name, **client, backend_type="client backend", application_name="api")
    dump = _build_series(name, **client, backend_type="client backend", application_name="pg_dump")
    vacuum = _build_series(name, **client, backend_type="autovacuum worker", application_name="")
    return AlertRule(
        name="PostgreSQLLongTransactions",
        expr=f"max by ({KEYS}, datname) (pg_stat_activity_max_tx_duration{{{CLIENTS}, {DUMPS}}}) > {bound:g}",
        for_="5m",  # two long ones in a row would do too, but then it is a habit
        severity="warning",
        limit=bound,
        summary="A transaction on {{ $labels.datname }} has been open for {{ $value | humanizeDuration }}",
        description=f"A transaction has been open for more than {bound:g} s: others wait for its locks, and vacuum"
        " cannot"
        " remove what was deleted since.",
        steps=(
            "Find it: `SELECT pid, usename, application_name, state, xact_start, query FROM pg_stat_activity WHERE"
            " xact_start IS NOT NULL ORDER BY xact_start LIMIT 5`.",
            "If it is idle in transaction, its service forgot it: follow PostgreSQLIdleInTransaction.",
            "If it waits for a lock, find who has it: `SELECT pg_blocking_pids(<pid>)`.",
            "If it works, look at its plan (EXPLAIN): reports belong on a replica, large changes into batches.",
        ),
        example=Example(
            fires={longest: build_flat_samples(bound * 1.01)},
            silent={
                longest: build_flat_samples(bound * 0.99),
                dump: build_flat_samples(bound * 9),
                vacuum: build_flat_samples(bound * 9),
            },
        ),
    )


def alert_on_idle_in_transaction(tune: Tune) -> AlertRule:
    """Told sooner than long ones that work: nobody will end it, and its locks stay."""
    bound = get_limit(tune, "PostgreSQLIdleInTransaction", IDLE_SECONDS)
    name, state = "pg_stat_activity_max_tx_duration", 'state=~"idle in transaction|idle in transaction [(]aborted[)]"'
    idle, works = (_build_series(name, datname="app", state=state) for state in ("idle in transaction", "active"))
    return AlertRule(
        name="PostgreSQLIdleInTransaction",
        expr=f"max by ({KEYS}, datname) ({name}{{{CLIENTS}, {DUMPS}, {state}}}) > {bound:g}",
        for_="2m",  # a debugger or a slow call in the middle of a transaction is over by then, or is the mistake itself
        severity="warning",
        limit=bound,
        summary="A transaction on {{ $labels.datname }} does nothing for {{ $value | humanizeDuration }}",
        description=f"A connection has had a transaction open for more than {bound:g} s and asks nothing in it: its"
        " locks and old rows stay until it ends.",
        steps=(
            "Find whose it is: `SELECT pid, usename, application_name, client_addr, xact_start, query FROM"
            " pg_stat_activity WHERE state LIKE 'idle in transaction%' ORDER BY xact_start`; `query` is its last one.",
            "End it: `SELECT pg_terminate_backend(<pid>)`.",
            "Look in that service after that statement: a call to another service inside of the transaction, or a path"
            " without commit and rollback.",
            "Set idle_in_transaction_session_timeout for its user, so that PostgreSQL ends the next one.",
        ),
        example=Example(
            fires={idle: build_flat_samples(bound * 1.01)},
            silent={idle: build_flat_samples(bound * 0.99), works: build_flat_samples(bound * 4)},
        ),
    )


def alert_on_deadlocks(tune: Tune) -> AlertRule:
    """Counted when PostgreSQL has resolved it."""
    bound = get_limit(tune, "PostgresHasHighDeadLocks", DEADLOCKS)
    return AlertRule(
        name="PostgresHasHighDeadLocks",
        expr=f"sum by ({KEYS}, datname) (increase(pg_stat_database_deadlocks[5m])) > {bound:g}",
        for_="0s",  # they have happened
        severity="warning",
        limit=Count(bound),
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
        example=build_growth_example(_build_series("pg_stat_database_deadlocks", datname="app"), bound),
    )


def alert_on_low_cache_hits(tune: Tune) -> AlertRule:
    """A cold cache after a start, or one large report, is no reason: hence the long hold and the least traffic."""
    bound = get_limit(tune, "PostgreSQLCacheHitRatio", CACHE_HITS)
    hit, read = (_build_series(f"pg_stat_database_blks_{what}", datname="app") for what in ("hit", "read"))
    hits, misses = (f"sum by ({KEYS}) (rate(pg_stat_database_blks_{what}[5m]))" for what in ("hit", "read"))
    each = 60 * MISSES * 100  # blocks a minute, a hundred times the least traffic

    def build_blocks(share: float) -> dict[str, str]:
        return {hit: build_counter_samples(each * share), read: build_counter_samples(each * (1 - share))}

    return AlertRule(
        name="PostgreSQLCacheHitRatio",
        expr=f"{hits} / ({hits} + {misses}) < {bound:g} and {misses} > {MISSES}",
        for_="30m",  # a cold cache is warm by then, and a report is done
        severity="info",
        limit=Share(bound),
        summary="PostgreSQL {{ $labels.database }} finds {{ $value | humanizePercentage }} of its blocks in memory",
        description=f"Less than {format_percent(bound)} of the blocks are found in shared_buffers, and the others"
        " are many: queries"
        " wait for the disk.",
        steps=(
            "Open the dashboard PostgreSQL, row Rows: many returned for few fetched rows is an index that is missing.",
            "Find the tables: `SELECT relname, heap_blks_read FROM pg_statio_user_tables ORDER BY 2 DESC LIMIT 10`.",
            "If all of it is needed, raise shared_buffers to a quarter of the database's memory.",
        ),
        example=Example(fires=build_blocks(bound * 0.99), silent=build_blocks(bound + (1 - bound) * 0.01)),
    )
