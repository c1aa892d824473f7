"""Redis, by redis-exporter: operations, memory, clients, slow log.

Source: https://redis.io/docs/latest/commands/info/
"""

from __future__ import annotations

from functools import cache

from components.drawing import RED_ABOVE_ZERO, draw_chart, draw_stat, fill_zero_if, select, sum_rate, take_rate
from components.exporters.redis import alerts as redis_alerts
from components.exporters.redis import data_alerts as redis_data_alerts
from components.exporters.redis.alerts import BLOCKED, SLOW
from components.exporters.redis.data_alerts import MEMORY
from model.dashboard_spec import DashboardSpec, Panel, Row
from model.telemetry import AlertRule
from packs.base import Tune, build_thresholds, format_percent

__all__ = ["alerts", "board", "panels"]


def alerts(tune: Tune) -> tuple[AlertRule, ...]:
    """Alerts about Redis."""
    return (*redis_alerts.alerts(tune), *redis_data_alerts.alerts(tune))


def _build_rates_by_database(*metrics: str) -> dict[str, str]:
    """Rates of counters, by the database and the last words of their names."""
    names = {metric: metric.removeprefix("redis_").removesuffix("_total").replace("_", " ") for metric in metrics}
    return {f"{{{{database}}}} {name}": take_rate(metric) for metric, name in names.items()}


@cache
def panels() -> tuple[Panel, ...]:
    """Operations, memory, clients, hits."""
    memory_used, most = select("redis_memory_used_bytes"), select("redis_memory_max_bytes")
    clients = {
        "{{database}} connected": select("redis_connected_clients"),
        "{{database}} blocked": select("redis_blocked_clients"),
    }
    return (
        draw_chart(
            "Redis operations", {"{{database}}": take_rate("redis_commands_processed_total")}, "ops",
            "Commands per second. Worry at a fall: whoever asks may not reach it.", width=6,
        ),
        draw_chart(
            "Redis memory", {"{{database}}": f"{memory_used} / ({most} > 0) or 0 * {memory_used}"}, "percentunit",
            f"Share of maxmemory; 0 where none is set. A warning is sent when it stays above {format_percent(MEMORY)}.",
            width=6, thresholds=build_thresholds((MEMORY, "red")),
        ),
        draw_chart(
            "Redis clients", clients, "short",
            f"Blocked ones wait in BLPOP and the like; a warning is sent for more than {BLOCKED:g} that are twice as"
            " many as on the day before.",
            width=6,
        ),
        draw_chart(
            "Redis hits and misses",
            _build_rates_by_database("redis_keyspace_hits_total", "redis_keyspace_misses_total"), "ops",
            "Keys that were found, and not. Many misses: the cache is cold, too small, or its keys expire too early.",
            width=6,
        ),
    )  # fmt: skip


@cache
def board() -> DashboardSpec:
    """Everything about Redis."""
    return DashboardSpec(
        uid="redis",
        title="Redis",
        description="How much is asked of Redis, how quickly does it answer, and is there memory left?",
        refresh="30s",
        rows=(
            Row(title="Now", panels=_build_overview_panels()),
            Row(title="In use", panels=panels()),
            Row(title="Commands", panels=_build_command_panels()),
            Row(title="Keys and memory", panels=_build_key_panels()),
            Row(title="Persistence", panels=_build_persistence_panels()),
            Row(title="Network and CPU", panels=_build_process_panels(), collapsed=True),
        ),
    )


def _build_overview_panels() -> tuple[Panel, ...]:
    legend = "{{database}}"
    return (
        draw_stat(
            "Up", select("redis_up"), "bool_yes_no", "Yes: it answers the exporter. Otherwise people are called.",
            legend,
            width=6, thresholds=build_thresholds((1, "green")),
        ),
        draw_stat(
            "Up for", select("redis_uptime_in_seconds"), "s", "Since its last start; its cache was empty then.", legend,
            width=6,
        ),
        draw_stat(
            "Memory in use", select("redis_memory_used_bytes"), "bytes", "What Redis counts as its data.", legend,
            width=6,
        ),
        draw_stat(
            "Keys", f"sum by (database) ({select('redis_db_keys')})", "short", "Of all its databases.", legend, width=6,
        ),
    )  # fmt: skip


def _build_command_panels() -> tuple[Panel, ...]:
    count = sum_rate("cmd", "redis_commands_total")
    spent = sum_rate("cmd", "redis_commands_duration_seconds_total")
    late = {"{{database}}": f"increase({select('redis_slowlog_last_id')}[5m])"}
    return (
        draw_chart(
            "Busiest commands", {"{{cmd}}": f"topk(8, {count})"}, "ops", "The eight that are asked most, per second.",
        ),
        draw_chart(
            "Time of a command", {"{{cmd}}": f"topk(8, {spent} / clamp_min({count}, 0.001))"}, "s",
            "Mean of the eight slowest. Redis does one at a time: worry above a millisecond for a frequent one.",
        ),
        draw_chart(
            "Slow commands", late, "short",
            f"New entries of the slow log in 5 minutes; people are told of more than {SLOW:g}.",
            thresholds=build_thresholds((SLOW, "yellow")),
        ),
    )  # fmt: skip


def _build_key_panels() -> tuple[Panel, ...]:
    keys = {
        "{{database}} all": f"sum by (database) ({select('redis_db_keys')})",
        "{{database}} that expire": f"sum by (database) ({select('redis_db_keys_expiring')})",
    }
    kinds = {
        "{{database}} data": select("redis_memory_used_bytes"),
        "{{database}} resident": select("redis_memory_used_rss_bytes"),
        "{{database}} peak": select("redis_memory_used_peak_bytes"),
    }
    return (
        draw_chart("Keys by kind", keys, "short", "A cache in which few keys expire only ever grows."),
        draw_chart(
            "Keys that went", _build_rates_by_database("redis_expired_keys_total", "redis_evicted_keys_total"), "ops",
            "Expired ones had their time; evicted ones had to make room: worry when these are many.",
        ),
        draw_chart(
            "Memory by kind", kinds, "bytes",
            "Resident is what the host gives. Worry when it is far above the data: memory is in fragments.",
        ),
    )  # fmt: skip


def _build_persistence_panels() -> tuple[Panel, ...]:
    unsaved = {"{{database}}": select("redis_rdb_changes_since_last_save")}
    kinds = {
        "snapshot": "redis_rdb_last_bgsave_status",
        "append-only file": "redis_aof_last_write_status",
        "link to the master": "redis_master_link_up",
    }
    none_yet = fill_zero_if(f"{select('redis_up')} == 1", "database")
    failed = {f"{{{{database}}}} {kind}": f"1 - {select(metric)}{none_yet}" for kind, metric in kinds.items()}
    return (
        draw_chart(
            "Changes not saved", unsaved, "short",
            "Since the last snapshot: lost in a crash unless there is an append-only file.",
        ),
        draw_chart(
            "Saving and copying that fail", failed, "short",
            "None is good; 0 also where Redis is no replica. People are called when a snapshot or the append-only file"
            " cannot be written; a warning is sent for a replica that has lost its master.",
            width=16, thresholds=RED_ABOVE_ZERO,
        ),
    )  # fmt: skip


def _build_process_panels() -> tuple[Panel, ...]:
    moved = _build_rates_by_database("redis_net_input_bytes_total", "redis_net_output_bytes_total")
    opened = _build_rates_by_database("redis_connections_received_total", "redis_rejected_connections_total")
    cores = _build_rates_by_database("redis_cpu_user_seconds_total", "redis_cpu_sys_seconds_total")
    return (
        draw_chart(
            "Network", moved, "Bps", "Bytes per second. Much output for few commands: values are large.",
        ),
        draw_chart(
            "New connections", opened, "ops",
            "Per second. Many mean a service without a pool; a warning is sent for refused ones.",
        ),
        draw_chart(
            "CPU", cores, "percentunit", "Of one core: Redis has one thread for commands. Worry above 80%.",
        ),
    )  # fmt: skip
