"""What PostgreSQL must do in the background: copy itself, clean up behind its transactions; and who tells of it.

Source: https://www.postgresql.org/docs/current/routine-vacuuming.html and
https://www.postgresql.org/docs/current/warm-standby.html
"""

from __future__ import annotations

from model.telemetry import AlertRule, Example
from packs.base import BY, Tune, build_flat_samples, build_gauge_example, build_service_series, get_limit

LAG_SECONDS = 300.0
"""A report or a large change keeps a standby busy for a minute or two; five is more than readers expect."""
DEAD_ROWS = 100_000.0
"""Below it a table is so small that a scan of it costs nothing, however many of its rows are dead."""
AGE = 1e9
"""Transactions: autovacuum begins to freeze at 200 million, so at five times that it does not get through. PostgreSQL
stops taking writes at 2.1 thousand million: at 1,000 transactions a second that is two weeks away."""
SELF = "postgres-exporter"
KEYS = f"{BY}, instance, database"
"""What tells databases apart."""


def alerts(tune: Tune) -> tuple[AlertRule, ...]:
    """Alerts about copies, vacuum, and an exporter that does not see everything."""
    return (
        alert_on_inactive_slot(),
        alert_on_replica_lag(tune),
        alert_on_vacuum_behind(tune),
        alert_on_wraparound(tune),
        alert_on_exporter_errors(),
    )


def _build_series(name: str, **labels: str) -> str:
    return build_service_series(SELF, name, instance="postgres-exporter:9187", database="main", **labels)


def alert_on_inactive_slot() -> AlertRule:
    """While nobody reads from a slot, PostgreSQL keeps every file of its write-ahead log for it."""
    active = _build_series("pg_replication_slot_slot_is_active", slot_name="cdc", slot_type="logical")
    return AlertRule(
        name="PostgreSQLReplicationSlotInactive",
        expr="pg_replication_slot_slot_is_active == 0",  # PostgreSQL's own 1 and 0
        for_="30m",  # a standby that is restarted, or a connector that is deployed, is back by then
        severity="warning",
        summary="Nobody reads from the replication slot {{ $labels.slot_name }} of {{ $labels.database }}",
        description="PostgreSQL keeps all of its write-ahead log from where the slot stands: the disk fills up, as"
        " quickly as the database is written to.",
        steps=(
            "See how much it holds back: `SELECT slot_name, slot_type, wal_status, pg_size_pretty(pg_wal_lsn_diff("
            "pg_current_wal_lsn(), restart_lsn)) FROM pg_replication_slots`.",
            "Whose is it? The standby or connector of that name: start it again, and watch the amount shrink.",
            "If nobody needs it any more, drop it: `SELECT pg_drop_replication_slot('<name>')`.",
            "Set max_slot_wal_keep_size, so that a forgotten slot is given up before the disk is full.",
        ),
        example=Example(fires={active: build_flat_samples(0)}, silent={active: "1+0x20 0+0x20 1+0x80"}),
    )


def alert_on_replica_lag(tune: Tune) -> AlertRule:
    """On a standby; the exporter says 0 where it is none, and where all that was received is applied."""
    bound = get_limit(tune, "PostgreSQLReplicationLag", LAG_SECONDS)
    return AlertRule(
        name="PostgreSQLReplicationLag",
        expr=f"pg_replication_lag_seconds > {bound:g}",
        for_="5m",  # a conflict with a report on the standby is over by then
        severity="warning",
        limit=bound,
        summary="The standby {{ $labels.database }} is {{ $value | humanizeDuration }} behind",
        description=f"It applies changes more than {bound:g} s after they were made: who reads there sees the past, and"
        " a switch to it now would take long.",
        steps=(
            "Is it connected? On the primary: `SELECT application_name, state, sync_state, replay_lag FROM"
            " pg_stat_replication`.",
            "Does a query hold it up? On the standby: `SELECT pid, xact_start, query FROM pg_stat_activity WHERE"
            " xact_start < now() - interval '5 min'`.",
            "Are there large changes on the primary, such as an index or a bulk load? Then it catches up.",
            "Look at its disk and CPU in the dashboard Host: it applies with a single process.",
        ),
        example=build_gauge_example(_build_series("pg_replication_lag_seconds"), bound),
    )


def alert_on_vacuum_behind(tune: Tune) -> AlertRule:
    """Autovacuum begins when a fifth of a table is dead: more dead than living rows are five times that."""
    bound = get_limit(tune, "PostgreSQLVacuumBehind", DEAD_ROWS)
    labels = {"datname": "app", "schemaname": "public", "relname": "jobs"}
    dead, alive = (_build_series(f"pg_stat_user_tables_n_{what}_tup", **labels) for what in ("dead", "live"))
    return AlertRule(
        name="PostgreSQLVacuumBehind",
        expr=f"pg_stat_user_tables_n_dead_tup > {bound:g}"
        " and pg_stat_user_tables_n_dead_tup > pg_stat_user_tables_n_live_tup",
        for_="1h",  # a vacuum of a large table that has just begun is through by then
        severity="warning",
        limit=bound,
        summary="{{ $labels.relname }} in {{ $labels.datname }} has {{ $value | humanize }} dead rows",
        description=f"More than {bound:g} rows of the table are dead, and they are more than the living ones: queries"
        " read past them, and the table grows without need.",
        steps=(
            "What keeps vacuum from it? `SELECT pid, xact_start, state, query FROM pg_stat_activity WHERE backend_xmin"
            " IS NOT NULL ORDER BY age(backend_xmin) DESC LIMIT 5`; slots and prepared transactions do too.",
            "When did it last run? `SELECT last_autovacuum, autovacuum_count FROM pg_stat_user_tables WHERE relname ="
            " '<table>'`.",
            "Clean up now: `VACUUM (VERBOSE, ANALYZE) <table>`; its output says what could not be removed.",
            "If it changes all the time, make autovacuum quicker for it: `ALTER TABLE <table> SET"
            " (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0)`.",
        ),
        example=Example(
            fires={dead: build_flat_samples(bound * 1.01), alive: build_flat_samples(bound)},
            silent={dead: build_flat_samples(bound * 1.01), alive: build_flat_samples(bound * 2)},
        ),
    )


def alert_on_wraparound(tune: Tune) -> AlertRule:
    """Transaction ids are used again after 2^31 of them; rows that old must be frozen before."""
    bound = get_limit(tune, "PostgreSQLWraparoundNear", AGE)
    age = _build_series("pg_database_wraparound_age_datfrozenxid_seconds", datname="app")
    return AlertRule(
        name="PostgreSQLWraparoundNear",
        expr=f"pg_database_wraparound_age_datfrozenxid_seconds > {bound:g}",  # transactions, whatever its name says
        for_="1h",  # it is a matter of weeks, and goes down at once when a vacuum ends
        severity="warning",
        limit=bound,
        summary="{{ $labels.datname }} has not frozen its oldest rows for {{ $value | humanize }} transactions",
        description=f"The oldest transaction id of the database is more than {bound / 1e6:g} million transactions old:"
        " at 2,100 million PostgreSQL takes no more writes until it is vacuumed.",
        steps=(
            "Which tables? `SELECT oid::regclass, age(relfrozenxid) FROM pg_class WHERE relkind IN ('r', 'm', 't')"
            " ORDER BY 2 DESC LIMIT 10`.",
            "What keeps vacuum from it? Old transactions, prepared ones (`SELECT * FROM pg_prepared_xacts`) and slots.",
            "Freeze the worst by hand: `VACUUM (FREEZE, VERBOSE) <table>`; it can be ended and begun again.",
            "Give autovacuum more: autovacuum_max_workers, autovacuum_vacuum_cost_limit, maintenance_work_mem.",
        ),
        example=build_gauge_example(age, bound),
    )


def alert_on_exporter_errors() -> AlertRule:
    """It logs in and some of its queries fail; that it cannot log in at all is PostgreSQLDown."""
    success = _build_series("pg_scrape_collector_success", collector="stat_user_tables")
    error, up = _build_series("pg_exporter_last_scrape_error"), _build_series("pg_up")
    return AlertRule(
        name="PostgresHasExporterErrors",
        expr="(pg_scrape_collector_success == 0 or pg_exporter_last_scrape_error == 1) and on(instance) pg_up == 1",
        for_="10m",  # a restart of PostgreSQL breaks the connection of one scrape or two
        severity="warning",
        summary="The exporter of {{ $labels.database }} cannot ask for everything: {{ $labels.collector }}",
        description="A query of the exporter fails, so that panels are empty and alerts about what it asks for cannot"
        " fire, although PostgreSQL is up.",
        steps=(
            'Read which and why: `{service=~"postgres-exporter.*"} |= "collector failed"` in Explore.',
            '"permission denied": give its user the role for it: `GRANT pg_monitor TO <user>`.',
            '"column does not exist" or "relation does not exist": PostgreSQL is newer than the exporter knows: use a'
            " newer image of it in configs/images.yaml.",
            "A time-out: the database answers too slowly; look at its locks and its load.",
        ),
        example=Example(
            fires={success: "1+0x30 0+0x90", error: build_flat_samples(0), up: build_flat_samples(1)},
            silent={error: build_flat_samples(1), up: build_flat_samples(0)},
        ),
    )
