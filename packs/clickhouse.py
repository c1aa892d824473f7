"""ClickHouse, by its own Prometheus endpoint: queries, inserts, merges, parts and disk.

Source: https://clickhouse.com/docs/operations/monitoring
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from model.dashboard_spec import Panel
from model.limits import Share
from model.service import Metric
from model.telemetry import AlertRule, Example, Inhibition
from packs.base import (
    CHOSEN,
    SERVICE,
    Rules,
    Subject,
    build_flat_samples,
    build_gauge_example,
    build_growth_example,
    build_panel,
    build_thresholds,
    format_percent,
)

DISK = 0.8
"""Merges need free space as large as what they merge."""
DISK_FULL = 0.9
"""A tenth left: ClickHouse no longer finds room for its large merges, and soon none for inserts."""
PARTS = 300.0
"""Inserts are slowed down at 1000 parts of a partition (parts_to_delay_insert) and refused at 3000."""
FREE, TOTAL = "ClickHouseAsyncMetrics_DiskAvailable_default", "ClickHouseAsyncMetrics_DiskTotal_default"
MOST_PARTS = "ClickHouseAsyncMetrics_MaxPartCountForPartition"
REJECTED = "ClickHouseProfileEvents_RejectedInserts"

METRICS: Mapping[str, Metric] = {
    "ClickHouseProfileEvents_Query": Metric(type="counter", help="Queries begun.", baseline=12.0),
    "ClickHouseProfileEvents_FailedQuery": Metric(type="counter", help="Queries that failed.", baseline=0.01),
    "ClickHouseProfileEvents_InsertedRows": Metric(type="counter", help="Rows inserted.", baseline=1200.0),
    "ClickHouseProfileEvents_InsertedBytes": Metric(type="counter", help="Bytes inserted.", unit="bytes"),
    REJECTED: Metric(type="counter", help="Inserts refused because of too many parts.", baseline=1e-9),
    "ClickHouseProfileEvents_Merge": Metric(type="counter", help="Merges begun.", baseline=0.5),
    "ClickHouseProfileEvents_QueryTimeMicroseconds": Metric(
        type="counter", help="Time that queries took.", baseline=480000.0
    ),
    "ClickHouseMetrics_Query": Metric(type="gauge", help="Queries being run.", baseline=3.0),
    "ClickHouseMetrics_Merge": Metric(type="gauge", help="Merges being run.", baseline=2.0),
    "ClickHouseMetrics_MemoryTracking": Metric(type="gauge", help="Memory in use.", unit="bytes", baseline=6e8),
    MOST_PARTS: Metric(type="gauge", help="Parts of the partition that has most.", baseline=40.0),
    FREE: Metric(type="gauge", help="Free disk.", unit="bytes", baseline=6e11),
    TOTAL: Metric(type="gauge", help="Size of the disk.", unit="bytes", role="constant", baseline=1e12),
}


def rules(subject: Subject) -> Rules:
    """Alerts on a disk that fills up, on parts that are not merged, and on inserts that are refused."""
    return Rules(
        alerts=(
            _alert_on_full_disk(subject),
            _alert_on_filling_disk(subject),
            _alert_on_parts(subject),
            _alert_on_refused_inserts(subject),
        )
    )


def _build_used_expr(subject: Subject, bound: float) -> str:
    chosen = subject.build_selector()
    return f"1 - {FREE}{chosen} / {TOTAL}{chosen} > {bound:g}"


def _alert_on_full_disk(subject: Subject) -> AlertRule:
    bound = subject.get_limit("ClickHouseDiskAlmostFull", DISK_FULL)
    free, total = (subject.build_series(name, instance="clickhouse:9363") for name in (FREE, TOTAL))
    return AlertRule(
        name="ClickHouseDiskAlmostFull",
        expr=_build_used_expr(subject, bound),
        for_="10m",  # the temporary parts of a merge of this size are gone by then, or it failed
        severity="critical",
        limit=Share(bound),
        inhibits=(Inhibition(alerts=("ClickHouseDiskHigh",), on=(*SERVICE, "instance")),),
        summary=f"{subject.title}: {{{{ $value | humanizePercentage }}}} of the disk is used",
        description=f"More than {format_percent(bound)} of ClickHouse's disk is used: merges no longer find room,"
        " and inserts are refused next.",
        steps=(
            "Which table grew? SELECT table, formatReadableSize(sum(bytes_on_disk)) FROM system.parts WHERE active"
            " GROUP BY table ORDER BY sum(bytes_on_disk) DESC.",
            "Are there large system tables? query_log, trace_log and text_log have no TTL by default: TRUNCATE them.",
            "Drop old partitions: ALTER TABLE <table> DROP PARTITION <partition>; a DELETE frees nothing for now.",
            "Enlarge the disk when the growth is wanted, and shorten the TTL of the table that grew.",
        ),
        example=Example(
            fires={free: build_flat_samples((1 - bound) * 99), total: build_flat_samples(100)},
            silent={free: build_flat_samples((1 - bound) * 101), total: build_flat_samples(100)},
        ),
    )


def _alert_on_filling_disk(subject: Subject) -> AlertRule:
    bound = subject.get_limit("ClickHouseDiskHigh", DISK)
    free, total = (subject.build_series(name, instance="clickhouse:9363") for name in (FREE, TOTAL))
    return AlertRule(
        name="ClickHouseDiskHigh",
        expr=_build_used_expr(subject, bound),
        for_="30m",  # a large merge needs the space only while it runs
        severity="warning",
        limit=Share(bound),
        summary=f"{subject.title}: {{{{ $value | humanizePercentage }}}} of the disk is used",
        description=f"More than {format_percent(bound)} of ClickHouse's disk is used: merges stop first, then inserts.",
        steps=(
            "Which table grew? SELECT table, sum(bytes_on_disk) FROM system.parts GROUP BY table.",
            "Shorten its TTL, or drop old partitions.",
            "Enlarge the disk when the growth is wanted.",
        ),
        example=Example(
            fires={free: build_flat_samples((1 - bound) * 100 - 1), total: build_flat_samples(100)},
            silent={free: build_flat_samples((1 - bound) * 100 + 1), total: build_flat_samples(100)},
        ),
    )


def _alert_on_parts(subject: Subject) -> AlertRule:
    bound = subject.get_limit("ClickHouseTooManyParts", PARTS)
    return AlertRule(
        name="ClickHouseTooManyParts",
        expr=f"{MOST_PARTS}{subject.build_selector()} > {bound:g}",
        for_="15m",  # merges catch up with a burst of inserts within that time
        severity="warning",
        limit=bound,
        summary=f"{subject.title}: a partition has {{{{ $value | humanize }}}} parts",
        description="Parts are made faster than they are merged: inserts will be slowed down, then refused.",
        steps=(
            "Are inserts small and many? Batch them, or use async_insert.",
            "Are merges running? SELECT * FROM system.merges; look at CPU and disk.",
            "Has a partition key too many values? Then each insert makes many parts.",
        ),
        example=build_gauge_example(subject.build_series(MOST_PARTS), bound),
    )


def _alert_on_refused_inserts(subject: Subject) -> AlertRule:
    series = subject.build_series(REJECTED)
    return AlertRule(
        name="ClickHouseRejectedInserts",
        # each one is rows that are lost now; extrapolation makes one refused insert more than one, never less
        expr=f"increase({REJECTED}{subject.build_selector()}[5m]) > 0.5",
        for_="0s",  # it has happened
        severity="critical",
        summary=f"{subject.title} refused {{{{ $value | humanize }}}} inserts in 5 minutes",
        description="ClickHouse refuses inserts with TOO_MANY_PARTS: whoever does not try again loses the rows.",
        steps=(
            "Which table? SELECT database, table, count() FROM system.parts WHERE active GROUP BY 1, 2 ORDER BY 3 DESC"
            " LIMIT 5.",
            "Are merges running? SELECT * FROM system.merges; if none, is the disk full, or were they stopped (SYSTEM"
            " START MERGES)?",
            "Slow the writers down or batch them: one insert a second of many rows, or async_insert = 1.",
            "To win time, raise parts_to_throw_insert of that table, and take it back when merges have caught up.",
        ),
        example=build_growth_example(series, 0),
    )


def panels(subjects: Sequence[Subject]) -> tuple[Panel, ...]:
    """Queries and their time, inserts, merges, parts and disk."""

    def build_rate(name: str) -> str:
        return f"rate(ClickHouseProfileEvents_{name}{{{CHOSEN}}}[$__rate_interval])"

    queries = {"begun": build_rate("Query"), "failed": build_rate("FailedQuery")}
    mean = {"mean": f"{build_rate('QueryTimeMicroseconds')} / 1e6 / ({build_rate('Query')} > 0)"}
    merges = {"being run": f"ClickHouseMetrics_Merge{{{CHOSEN}}}", "begun per second": build_rate("Merge")}
    parts, used = {"parts": f"{MOST_PARTS}{{{CHOSEN}}}"}, {"used": f"1 - {FREE}{{{CHOSEN}}} / {TOTAL}{{{CHOSEN}}}"}
    disk = min((s.get_limit("ClickHouseDiskHigh", DISK) for s in subjects), default=DISK)
    full = min((s.get_limit("ClickHouseDiskAlmostFull", DISK_FULL) for s in subjects), default=DISK_FULL)
    rows = {"rows": build_rate("InsertedRows"), "refused inserts": build_rate("RejectedInserts")}
    return (
        build_panel("ClickHouse queries", queries, "ops", "Queries per second.", width=8),
        build_panel("ClickHouse query time", mean, "s", "Mean of all queries.", width=8),
        build_panel(
            "Rows inserted", rows, "short", "Per second; people are called for inserts that are refused.", width=8,
        ),
        build_panel("Merges", merges, "short", "Being run all the time: inserts are too small.", width=8),
        build_panel(
            "Parts", parts, "short", f"Of the worst partition; a warning is sent above {PARTS:g}.", width=8,
            thresholds=build_thresholds((PARTS, "red")),
        ),
        build_panel(
            "ClickHouse disk", used, "percentunit",
            f"A warning is sent above {format_percent(disk)}; people are called above {format_percent(full)}.", width=8,
            thresholds=build_thresholds((disk, "yellow"), (full, "red")),
        ),
    )  # fmt: skip
