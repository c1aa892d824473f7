"""Backups: is each as new, as large and as readable as it should be?

Source of the names: images/backup/backup_agent/metrics.py. Each agent stands beside one workload, so what is said of
`backup-loki` is said of Loki's data. An agent that is down says nothing of all this: TargetDown does.
"""

from __future__ import annotations

from functools import cache

from components.backup.settings import NAME, Settings
from components.drawing import count_refused, draw_failures, select
from model.base import DAY, HOUR, format_duration
from model.cron import derive_longest_gap
from model.dashboard_spec import Panel
from model.limits import Share
from model.telemetry import AlertRule, Example
from packs.base import (
    Tune,
    build_flat_samples,
    build_panel,
    build_service_series,
    build_thresholds,
    format_percent,
    get_limit,
)

INTERVALS = 2.0
"""So many intervals of the schedule without a new backup: one run that fails says so itself, after two of them a day's
data is nowhere else."""
REMAINING = 0.5
"""Part of the size of the backup before: retention and compaction take a tenth from one day to the next, and a volume
that was lost, or a part of it, takes most of it."""
VERIFICATIONS = 2
"""So many times that the newest backup should have been read and was not: one may fall into a restart."""
SELF = f"{NAME}-.*"
"""The agents, as a regular expression."""
EXAMPLE = f"{NAME}-any"


# -- alerts ----------------------------------------------------------------------------------------------------------


def alerts(tune: Tune, own: Settings) -> tuple[AlertRule, ...]:
    """Alerts about all agents."""
    return (
        alert_on_failed_run(),
        alert_on_old_backup(tune),
        alert_on_dropped_size(tune),
        alert_on_unverified_backup(own),
        alert_on_unreachable_destination(),
    )


def alert_on_failed_run() -> AlertRule:
    """The last run ended without a backup."""
    good, ran = _name_series("backup_last_run_successful"), _name_series("backup_last_run_timestamp_seconds")
    return AlertRule(
        name="BackupFailed",
        expr="backup_last_run_successful == 0 and backup_last_run_timestamp_seconds > 0",
        for_="5m",  # the next run is an interval away, so nothing mends it by itself but a `make backup` in between
        severity="warning",
        summary="The last run of {{ $labels.service }} failed",
        description="There is no backup of that run; those of before are untouched.",
        steps=(
            'Read why: `{service=~"backup-.*"} |= "error"` in Grafana\'s Explore, or `make backup STACK=x`, which'
            " shows the run.",
            "If files change faster than they can be read, choose a quieter time: `backup: {schedule: ...}`.",
            "If the scratch directory is full, give the engine's disk, or the claim, more room.",
        ),
        example=Example(
            fires={good: build_flat_samples(0), ran: build_flat_samples(60)},
            silent={good: build_flat_samples(1), ran: build_flat_samples(60)},
        ),
    )


def alert_on_old_backup(tune: Tune) -> AlertRule:
    """The newest backup at the destination is too old, or there has never been one."""
    bound = get_limit(tune, "BackupTooOld", INTERVALS)
    newest, interval = _name_series("backup_newest_timestamp_seconds"), _name_series("backup_interval_seconds")
    late = f"> {bound:g} * backup_interval_seconds"
    return AlertRule(
        name="BackupTooOld",
        expr=f"time() - (backup_newest_timestamp_seconds > 0) {late}"
        f" or time() - process_start_time_seconds {late} and backup_copies == 0",  # the age of the agent
        for_="10m",  # a run that is late by its own length is no missing one
        severity="critical",
        limit=bound,
        summary="{{ $labels.service }} has no backup of the last {{ $value | humanizeDuration }}",
        description=f"The newest backup that the destination itself lists is older than {bound:g} intervals of the"
        " schedule, or there is none at all: what came since then is lost with the machine.",
        steps=(
            "Run one: `make backup STACK=x` shows what it says.",
            "See what is there: `make backups STACK=x`.",
            "If the agent does not run, look at it: `make verify STACK=x`.",
        ),
        example=Example(
            fires={newest: build_flat_samples(1), interval: build_flat_samples(HOUR / bound)},
            silent={newest: build_flat_samples(1), interval: build_flat_samples(5400 / bound)},
            at="1h20m",
        ),
    )


def alert_on_dropped_size(tune: Tune) -> AlertRule:
    """The newest backup is much smaller than the one before."""
    bound = get_limit(tune, "BackupSizeDropped", REMAINING)
    now, before = _name_series("backup_size_bytes"), _name_series("backup_previous_size_bytes")
    return AlertRule(
        name="BackupSizeDropped",
        expr=f"backup_size_bytes / (backup_previous_size_bytes > 0) < {bound:g}",
        for_="5m",  # both are of the same run, so this bridges a scrape in between alone
        severity="warning",
        limit=Share(bound),
        summary="The newest backup of {{ $labels.service }} has {{ $value | humanizePercentage }} of the size before",
        description=f"It has less than {format_percent(bound)} of what the one before had. Either much was deleted on"
        " purpose, or data is gone that the next backups will not have either.",
        steps=(
            "Look whether the data is still there: the dashboard Monitoring Stack, and queries over the last days.",
            "If it is gone, stop here: note the ID of the backup before (`make backups STACK=x`) and restore that one.",
            "If it was deleted on purpose, as by a shorter retention, the alert ends with the next backup.",
        ),
        example=Example(
            fires={now: build_flat_samples(99 * bound), before: build_flat_samples(100)},
            silent={now: build_flat_samples(101 * bound), before: build_flat_samples(100)},
        ),
    )


def alert_on_unverified_backup(own: Settings) -> AlertRule:
    """The newest backup could not be read back, or nobody has tried for long."""
    bound = VERIFICATIONS * derive_longest_gap(own.verify) * DAY
    good, at = _name_series("backup_verify_successful"), _name_series("backup_verified_timestamp_seconds")
    return AlertRule(
        name="BackupNotVerified",
        expr="backup_verify_successful == 0 and backup_verified_timestamp_seconds > 0"
        f" or time() - (backup_verified_timestamp_seconds > 0) > {bound}"
        f" or time() - process_start_time_seconds > {bound} and backup_copies > 0"
        " unless backup_verified_timestamp_seconds > 0",
        for_="10m",  # what fails stays so until the next verification
        severity="warning",
        summary="No backup of {{ $labels.service }} was read back",
        description="The newest backup could not be fetched and compared with what was backed up, or it has not been"
        f" tried for {format_duration(bound)}. A backup that was never read is a hope.",
        steps=(
            'Read why: `{service=~"backup-.*"} |= "verif"` in Grafana\'s Explore.',
            "If files at the destination are spoilt, `make backup STACK=x` makes a new backup; look who else writes"
            " there.",
            "If the destination is slow or refuses downloads, look at its own limits.",
        ),
        example=Example(
            fires={good: build_flat_samples(0), at: build_flat_samples(1)},
            silent={good: build_flat_samples(1), at: build_flat_samples(1)},
        ),
    )


def alert_on_unreachable_destination() -> AlertRule:
    """The destination does not answer, or refuses the agent."""
    series = _name_series("backup_destination_up")
    return AlertRule(
        name="BackupDestinationUnreachable",
        expr="backup_destination_up == 0",
        for_="70m",  # it is looked at once an hour: two answers in a row that did not come
        severity="warning",
        summary="{{ $labels.service }} does not reach the destination of its backups",
        description="The destination does not answer, refuses the login, or cannot be read with the passphrase: the"
        " next backup fails, and how old the newest one is cannot be known.",
        steps=(
            'Read what it answers: `{service=~"backup-.*"} |= "destination"` in Grafana\'s Explore.',
            "Look whether the bucket or directory is still there, and whether the key was revoked or replaced:"
            " `make secret STACK=x NAME=...` and `make up`.",
            "If no network policy or firewall lets the agent out, open the way to the destination.",
        ),
        example=Example(fires={series: build_flat_samples(0)}, silent={series: build_flat_samples(1)}, at="100m"),
    )


def _name_series(name: str) -> str:
    return build_service_series(EXAMPLE, name)


# -- panels ----------------------------------------------------------------------------------------------------------


@cache
def panels() -> tuple[Panel, ...]:
    """How old and how large the newest backups are, what a run takes, and what failed."""
    age = f"time() - ({select('backup_newest_timestamp_seconds')} > 0)"
    unverified = f"time() - ({select('backup_verified_timestamp_seconds')} > 0)"
    failures = {
        "last run failed": f"{count_refused('backup_last_run_successful')}",
        "not read back": f"{count_refused('backup_verify_successful')}",
        "destination does not answer": f"{count_refused('backup_destination_up')}",
        "without any backup": f"count({select('backup_copies')} == 0)",
    }
    legend, wide = "{{service}}", {"width": 8}
    return (
        build_panel("Age of the newest backup", {legend: age}, "s", "By what the destination lists.", **wide),
        build_panel(
            "Size of the newest backup",
            {legend: select("backup_size_bytes"), "{{service}}, the one before": select("backup_previous_size_bytes")},
            "bytes",
            "All its files, whether or not they were uploaded anew.",
            **wide,
        ),
        build_panel(
            "Backups at the destination",
            {legend: select("backup_copies")},
            "short",
            "Those that are complete.",
            kind="stat",
            thresholds=build_thresholds((0, "red"), (1, "green")),
            **wide,
        ),
        build_panel(
            "Time since it was read back", {legend: unverified}, "s", "Fetched, and each file compared.", **wide
        ),
        build_panel(
            "Uploaded by the last run", {legend: select("backup_uploaded_bytes")}, "bytes", "Encrypted.", **wide
        ),
        build_panel(
            "Length of the last run", {legend: select("backup_last_duration_seconds")}, "s", "Once a run.", **wide
        ),
        draw_failures("Failures of backups", failures, SELF, "Agents of which each is true."),
    )
