"""PostgreSQL, by postgres-exporter: connections, transactions, locks, cache, checkpoints, size.

Source: https://www.postgresql.org/docs/current/monitoring-stats.html
"""

from __future__ import annotations

from functools import cache

from components.drawing import draw_chart, draw_stat, fill_zero_if, select, sum_rate, take_rate
from components.exporters.postgres import alerts as postgres_alerts
from components.exporters.postgres import upkeep_alerts as postgres_upkeep_alerts
from components.exporters.postgres.alerts import CACHE_HITS, CLIENTS, CONNECTIONS, LONG_SECONDS
from components.exporters.postgres.upkeep_alerts import AGE, DEAD_ROWS, LAG_SECONDS
from model.dashboard_spec import DashboardSpec, Panel, Row
from model.telemetry import AlertRule
from packs.base import Tune, build_panel, build_thresholds, format_percent

__all__ = ["alerts", "board", "panels"]

REAL = 'datname!~"template.*|"'
"""Databases that people made; the empty name stands for what all of them share."""
IN_USE = (
    f"sum by (database) ({select('pg_stat_activity_count', CLIENTS)})"
    f" / sum by (database) ({select('pg_settings_max_connections')})"
)
"""Share of max_connections."""
LONGEST = f"max by (datname) ({select('pg_stat_activity_max_tx_duration', REAL)})"


def alerts(tune: Tune) -> tuple[AlertRule, ...]:
    """Alerts about PostgreSQL."""
    return (*postgres_alerts.alerts(tune), *postgres_upkeep_alerts.alerts(tune))


@cache
def panels() -> tuple[Panel, ...]:
    """Connections, transactions, the longest of them, and the cache."""
    done = {what: sum_rate("database", f"pg_stat_database_xact_{what}", REAL) for what in ("commit", "rollback")}
    hits, misses = (sum_rate("database", f"pg_stat_database_blks_{what}") for what in ("hit", "read"))
    return (
        draw_chart(
            "PostgreSQL connections", {"{{database}}": IN_USE}, "percentunit",
            f"Share of max_connections. A warning is sent when it stays above {format_percent(CONNECTIONS)}.",
            width=6, thresholds=build_thresholds((CONNECTIONS, "red")),
        ),
        draw_chart(
            "PostgreSQL transactions", {f"{{{{database}}}} {what}": query for what, query in done.items()}, "ops",
            "Per second. Worry when rollbacks grow with the same commits: a service fails in the middle.", width=6,
        ),
        draw_chart(
            "PostgreSQL longest transaction", {"{{datname}}": LONGEST}, "s",
            f"Holds its locks, and keeps vacuum from cleaning. A warning is sent when it stays above {LONG_SECONDS:g}"
            " s.",
            width=6, thresholds=build_thresholds((LONG_SECONDS, "red")),
        ),
        draw_chart(
            "PostgreSQL cache hits", {"{{database}}": f"{hits} / clamp_min({hits} + {misses}, 0.001)"}, "percentunit",
            f"Blocks that were in memory, of all that were asked for. Worry when it stays below"
            f" {format_percent(CACHE_HITS)}"
            " under load.",
            width=6,
        ),
    )  # fmt: skip


@cache
def board() -> DashboardSpec:
    """Everything about PostgreSQL."""
    return DashboardSpec(
        uid="postgres",
        title="PostgreSQL",
        description="Do transactions get through, what do they wait for, and what does it cost?",
        refresh="30s",
        rows=(
            Row(title="Now", panels=_build_overview_panels()),
            Row(title="In use", panels=panels()),
            Row(title="Connections and locks", panels=_build_waiting_panels()),
            Row(title="Rows", panels=_build_row_panels()),
            Row(title="Vacuum and copies", panels=_build_upkeep_panels()),
            Row(title="Disk", panels=_build_disk_panels(), collapsed=True),
        ),
    )


def _build_overview_panels() -> tuple[Panel, ...]:
    done = f"sum by (database) ({take_rate('pg_stat_database_xact_commit', REAL)})"
    size = f"sum by (database) ({select('pg_database_size_bytes')})"
    return (
        draw_stat(
            "Up", select("pg_up"), "bool_yes_no", "Yes: the exporter can log in. Otherwise people are called.",
            "{{database}}",
            width=6, thresholds=build_thresholds((1, "green")),
        ),
        draw_stat(
            "Connections in use", IN_USE, "percentunit", "Share of max_connections, of all states.", "{{database}}",
            width=6, thresholds=build_thresholds((CONNECTIONS, "red")),
        ),
        draw_stat("Commits", done, "ops", "Transactions per second that were committed.", "{{database}}", width=6),
        draw_stat("Size", size, "bytes", "All databases of a server together, on disk.", "{{database}}", width=6),
    )  # fmt: skip


def _build_waiting_panels() -> tuple[Panel, ...]:
    states = f"sum by (state) ({select('pg_stat_activity_count')})"
    locks = f"sum by (mode) ({select('pg_locks_count', REAL)})"
    ended = {
        "{{datname}} deadlocks": f"sum by (datname) (increase({select('pg_stat_database_deadlocks', REAL)}[5m]))",
        "{{datname}} conflicts": f"sum by (datname) (increase({select('pg_stat_database_conflicts', REAL)}[5m]))",
    }
    return (
        draw_chart(
            "Connections by state", {"{{state}}": states}, "short",
            "Worry about idle in transaction: somebody forgot to commit.",
        ),
        draw_chart(
            "Locks", {"{{mode}}": locks}, "short",
            "Held or waited for, by mode. accessexclusivelock stops all readers of a table: worry when it stays.",
        ),
        draw_chart(
            "Ended by PostgreSQL", ended, "short",
            "Transactions in 5 minutes that had to end so that others can go on. A warning is sent for deadlocks.",
        ),
    )  # fmt: skip


def _build_row_panels() -> tuple[Panel, ...]:
    def build_row_rates(*kinds: str) -> dict[str, str]:
        return {kind: f"sum({take_rate(f'pg_stat_database_tup_{kind}', REAL)})" for kind in kinds}

    return (
        draw_chart(
            "Rows read", build_row_rates("returned", "fetched"), "ops",
            "Rows per second. Many returned for few fetched are scans of whole tables: an index is missing.", width=12,
        ),
        draw_chart(
            "Rows written", build_row_rates("inserted", "updated", "deleted"), "ops", "Rows per second.", width=12,
        ),
    )  # fmt: skip


def _build_upkeep_panels() -> tuple[Panel, ...]:
    there = f"{select('pg_up')} == 1"
    dead = f"topk(8, max by (datname, relname) ({select('pg_stat_user_tables_n_dead_tup')}))"
    age = f"max by (datname) ({select('pg_database_wraparound_age_datfrozenxid_seconds')})"
    unread = f"1 - {select('pg_replication_slot_slot_is_active')}"
    return (
        draw_chart(
            "Dead rows", {"{{datname}} {{relname}}": dead + fill_zero_if(there, "relname")}, "short",
            f"The eight tables with most. A warning is sent above {DEAD_ROWS:g}, where they are more than the living"
            " ones: vacuum does not get through.",
            width=6, thresholds=build_thresholds((DEAD_ROWS, "yellow")),
        ),
        draw_chart(
            "Age of the oldest transaction", {"{{datname}}": age}, "short",
            f"In transactions since then. Vacuum brings it down from 200 million; a warning is sent above {AGE / 1e6:g}"
            " million, and at 2,100 million nothing can be written any more.",
            width=6, thresholds=build_thresholds((AGE, "yellow")),
        ),
        draw_chart(
            "Behind the primary", {"{{database}}": select("pg_replication_lag_seconds")}, "s",
            f"What a standby has not applied yet; 0 where the database is none. A warning is sent above {LAG_SECONDS:g}"
            " s.",
            width=6, thresholds=build_thresholds((LAG_SECONDS, "yellow")),
        ),
        draw_chart(
            "Slots that nobody reads", {"{{database}} {{slot_name}}": unread + fill_zero_if(there, "slot_name")},
            "short", "None is good; 0 also where there are no replication slots. For each one the disk fills up: a"
            " warning is sent after half an hour.",
            width=6, thresholds=build_thresholds((1, "yellow")),
        ),
    )  # fmt: skip


def _build_disk_panels() -> tuple[Panel, ...]:
    blocks = {what: f"8192 * sum({take_rate(f'pg_stat_database_blks_{what}')})" for what in ("hit", "read")}
    size = {"{{datname}}": f"max by (datname) ({select('pg_database_size_bytes', REAL)})"}
    spilled = {"{{datname}}": sum_rate("datname", "pg_stat_database_temp_bytes", REAL)}
    points = {
        what: f"sum by (database) (increase({select(f'pg_stat_bgwriter_checkpoints_{short}_total')}[1h]))"
        for what, short in {"timed": "timed", "requested": "req"}.items()
    }
    memory = {
        "shared_buffers": f"max by (database) ({select('pg_settings_shared_buffers_bytes')})",
        "work_mem": f"max by (database) ({select('pg_settings_work_mem_bytes')})",
        "maintenance_work_mem": f"max by (database) ({select('pg_settings_maintenance_work_mem_bytes')})",
        "max_wal_size": f"max by (database) ({select('pg_settings_max_wal_size_bytes')})",
    }
    return (
        draw_chart(
            "Size by database", size, "bytes", "On disk, indexes included. Steady growth without more data is bloat.",
        ),
        draw_chart(
            "Blocks asked for", blocks, "Bps",
            "From memory (hit), and from the operating system (read): much of it at once is a report or a missing"
            " index.",
        ),
        draw_chart(
            "Temporary files", spilled, "Bps",
            "Sorts and joins that do not fit into work_mem. Worry when it goes on: raise work_mem for those queries.",
        ),
        draw_chart(
            "Checkpoints", points, "short",
            "In the last hour. More requested than timed ones: writes come in bursts, raise max_wal_size.",
        ),
        build_panel("Memory settings", memory, "bytes", "What the server was started with.", kind="stat", width=16),
    )  # fmt: skip
