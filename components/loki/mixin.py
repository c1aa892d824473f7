"""Loki: does it answer, does it take all lines, does it delete old ones?

Source of the names: https://grafana.com/docs/loki/latest/operations/meta-monitoring/ and its own /metrics.
"""

from __future__ import annotations

from functools import cache

from components.drawing import count_events, count_refused, draw_failures, fill_zero_if_up, select
from model.base import HOUR
from model.dashboard_spec import Panel
from model.limits import Count, Share
from model.telemetry import AlertRule, Example
from packs.base import (
    BY,
    Tune,
    build_flat_samples,
    build_growth_example,
    build_panel,
    build_service_series,
    build_share_example,
    build_thresholds,
    format_percent,
    get_limit,
)

ERROR_SHARE = 0.1
"""One request in ten failing is more than restarts and slow disks explain."""
DISCARDED = 0.0
"""Lines in five minutes: what is discarded is lost, so by default each one counts."""
RETENTION_SECONDS = 10800.0
"""It runs every ten minutes; three hours are far beyond any slow run."""
COMPACTOR = "loki_compactor_apply_retention_last_successful_run_timestamp_seconds"
"""Of each instance, and 0 on those that are not the compactor."""
SELF = "loki"
LOKIS = f"{SELF}(-.*)?"
"""Loki as a whole, and its parts."""
NOTHING_YET = fill_zero_if_up(LOKIS)


# -- alerts ----------------------------------------------------------------------------------------------------------


def alerts(tune: Tune) -> tuple[AlertRule, ...]:
    """Alerts about Loki; that it is down says TargetDown."""
    return (
        alert_on_request_errors(tune),
        alert_on_request_panics(),
        alert_on_discarded_lines(tune),
        alert_on_retention_not_applied(tune),
        alert_on_retention_never_applied(),
        alert_on_limits_refused(),
    )


def alert_on_request_errors(tune: Tune) -> AlertRule:
    """A share for each route: pushes are many, and would hide queries that all fail."""
    bound = get_limit(tune, "LokiRequestErrors", ERROR_SHARE)
    requests = "loki_request_duration_seconds_count"
    failed = build_service_series(SELF, requests, route="loki_api_v1_push", status_code="500")
    accepted = build_service_series(SELF, requests, route="loki_api_v1_push", status_code="204")
    return AlertRule(
        name="LokiRequestErrors",
        expr=f'sum by ({BY}, route) (rate({requests}{{status_code=~"5.."}}[5m]))'
        f" / sum by ({BY}, route) (rate({requests}[5m])) > {bound:g}",
        for_="10m",  # Loki needs minutes after a crash to read its write-ahead log again
        severity="critical",
        limit=Share(bound),
        summary="{{ $value | humanizePercentage }} of Loki's {{ $labels.route }} requests fail",
        description=f"More than {format_percent(bound)} of these requests end with a 5xx status: lines are delayed, as"
        " Promtail tries again, or queries fail.",
        steps=(
            "Run `make verify`: is Loki healthy, or does it crash-loop?",
            "Read Loki's own lines with `docker logs <stack>-loki`, or `kubectl logs` of the part that `service` names:"
            " a failing Loki may not show them itself.",
            "Look at the disk of its volume: without space it can neither write nor delete.",
            "If only queries fail, they ask for too much at once: shorten their range, or raise Loki's `memory`.",
        ),
        example=build_share_example(failed, accepted, bound),
    )


def alert_on_request_panics() -> AlertRule:
    """Loki catches them, answers 500 and goes on; a share of all requests hides them."""
    panics = build_service_series(SELF, "loki_panic_total", instance="loki:3100")
    return AlertRule(
        name="LokiRequestPanics",
        expr=f"sum by ({BY}) (increase(loki_panic_total[10m])) > 0",  # each one is a mistake in Loki itself
        for_="0s",  # it has happened
        severity="warning",
        summary="{{ $value | humanize }} requests crashed in Loki within 10 minutes",
        description="A query or a line sets off a mistake in Loki: that request fails each time, and the lines of a"
        " push that does are lost.",
        steps=(
            'Read where: `{service=~"loki.*"} |= "panic"` in Explore shows the request and the stack.',
            "If it is a query, open the dashboard or the person's search that asks it, and ask otherwise.",
            "Look for the first line of the stack among Loki's issues; a newer version may have it mended.",
        ),
        example=build_growth_example(panics, 0, minutes=10),
    )


def alert_on_discarded_lines(tune: Tune) -> AlertRule:
    """Lines that Loki received and did not take."""
    bound = get_limit(tune, "LokiDiscardsLines", DISCARDED)
    discarded = build_service_series(SELF, "loki_discarded_samples_total", reason="rate_limited", tenant="fake")
    more = f"more than {bound:g} " if bound else ""
    return AlertRule(
        name="LokiDiscardsLines",
        expr=f"sum by ({BY}, reason) (increase(loki_discarded_samples_total[5m])) > {bound:g}",
        for_="5m",  # a single burst after a start, when Promtail sends what waited, is over by then
        severity="warning",
        limit=Count(bound),
        summary="Loki discarded {{ $value | humanize }} lines in 5 minutes: {{ $labels.reason }}",
        description=f"Loki discards {more}lines in 5 minutes, and they are lost: it refuses what exceeds its limits.",
        steps=(
            "The reason names the limit: rate_limited and per_stream_rate_limit are about volume, stream_limit and"
            " max_label_names_per_series about labels, line_too_long about a line of more than 256 KB.",
            "Others are about time: too_far_behind is a line an hour older than the newest of its stream,"
            " greater_than_max_sample_age one of more than a week, too_far_in_future a clock ten minutes ahead. Compare"
            " the clock of the host that sends them, and look whether Promtail was away.",
            'Find who logs so much: `topk(5, sum by (service) (rate({job=~".+"}[5m])))` in Grafana\'s Explore.',
            "Lower that service's log level, or remove the label with many values.",
            "If the lines are needed, raise `ingestionRateMb` or `maxStreams` of Loki: it needs no restart.",
        ),
        example=build_growth_example(discarded, bound),
    )


def alert_on_retention_not_applied(tune: Tune) -> AlertRule:
    """Seconds since the last success; 0 stands for none yet, as after a start."""
    bound = get_limit(tune, "LokiRetentionNotApplied", RETENTION_SECONDS)
    latest = f"max by ({BY}) ({COMPACTOR})"  # of several instances one is at work, and each may have been
    minutes = int(bound // 60) + 12  # after it has run once, `bound` and the hold must pass
    series, ago = build_service_series(SELF, COMPACTOR), f"+60x{minutes + 1}"
    return AlertRule(
        name="LokiRetentionNotApplied",
        expr=f"time() - {latest} > {bound:g} and {latest} > 0",
        for_="10m",  # one more turn: a run may be at work right now
        severity="warning",
        limit=bound,
        summary="Loki has deleted nothing for {{ $value | humanizeDuration }}",
        description=f"The compactor has not applied the retention for {bound / HOUR:g} hours: the disk will fill up.",
        steps=(
            'Read why: `{service=~"loki.*"} |= "compactor"` in Grafana\'s Explore.',
            "Look at the disk of Loki's volume: to delete lines, the compactor first has to write a smaller index.",
            "Restart Loki's container: the compactor starts anew, and lines wait in Promtail meanwhile.",
        ),
        example=Example(fires={series: f"-{bound + 1:g}{ago}"}, silent={series: f"-{bound:g}{ago}"}, at=f"{minutes}m"),
    )


def alert_on_retention_never_applied() -> AlertRule:
    """The time is 0 until the first success: a compactor that is broken from its start has no last one to be old."""
    series = build_service_series(SELF, COMPACTOR, instance="loki:3100")
    return AlertRule(
        name="LokiRetentionNeverApplied",
        expr=f"max by ({BY}) (max_over_time({COMPACTOR}[3h])) == 0 and max by ({BY}) ({COMPACTOR} offset 3h) == 0",
        for_="10m",  # three hours are in the condition; it runs every ten minutes
        severity="warning",
        summary="Loki has deleted nothing since it started",
        description="The compactor has not succeeded once in three hours since Loki's start: old lines stay, and the"
        " disk will fill up.",
        steps=(
            'Read why: `{service=~"loki.*"} |= "compactor"` in Grafana\'s Explore.',
            "Is its working directory writable, and does the volume have space? `make verify`, and the disk's alerts.",
            "With a bucket: may its key delete and list? The compactor needs both.",
        ),
        example=Example(fires={series: "0+0x240"}, silent={series: "0+0x100 60+60x140"}, at="200m"),
    )


def alert_on_limits_refused() -> AlertRule:
    """Loki keeps its old limits when it cannot read the new ones."""
    loaded = build_service_series(SELF, "loki_runtime_config_last_reload_successful", config="loki")
    return AlertRule(
        name="LokiRuntimeConfigRefused",
        expr="loki_runtime_config_last_reload_successful == 0",  # Loki's own 1 and 0: taken, or refused
        for_="5m",  # it reads the file every two seconds; `make up` may be repeated with a corrected one
        severity="critical",
        summary="Loki refuses its limits",
        description="The previous limits keep working; changed ones have no effect.",
        steps=(
            'Read why: `{service=~"loki.*"} |= "failed to load config"` in Explore names the key that is not taken.',
            "Correct Loki's settings section, and run `make test`.",
            "Run `make up` again: it repeats the delivery and waits until Loki has taken it.",
        ),
        example=Example(fires={loaded: build_flat_samples(0)}, silent={loaded: build_flat_samples(1)}),
    )


# -- panels ----------------------------------------------------------------------------------------------------------


@cache
def panels() -> tuple[Panel, ...]:
    """What Loki receives and holds."""
    received = {"bytes": f"sum(rate(loki_distributor_bytes_received_total[$__rate_interval])){NOTHING_YET}"}
    lines = {"lines": f"sum(rate(loki_distributor_lines_received_total[$__rate_interval])){NOTHING_YET}"}
    streams = {"streams": f"sum(loki_ingester_memory_streams){NOTHING_YET}"}
    cleaned = {"since the last run": f"time() - (max({select(COMPACTOR)}) > 0){NOTHING_YET}"}
    failures = {
        "requests that end with 5xx": count_events("loki_request_duration_seconds_count", 'status_code=~"5.."'),
        "panics": count_events("loki_panic_total"),
        "lines discarded": count_events("loki_discarded_samples_total"),
        "limits refused": count_refused("loki_runtime_config_last_reload_successful"),
    }
    return (  # Loki has no such series before the first line
        build_panel("Log bytes received", received, "Bps", "Beyond Loki's ingestion rate lines are refused.", width=6),
        build_panel("Log lines received", lines, "cps", "What Promtail sends.", width=6),
        build_panel(
            "Streams in memory",
            streams,
            "short",
            "One for each set of labels, on each instance that holds it.",
            width=6,
        ),
        build_panel(
            "Old lines deleted",
            cleaned,
            "s",
            f"How long ago: every ten minutes, and 0 until the first time. A warning is sent above"
            f" {RETENTION_SECONDS / HOUR:g} hours, and when there is no first time for as long.",
            width=6,
            thresholds=build_thresholds((RETENTION_SECONDS, "yellow")),
        ),
        draw_failures("Failures within Loki", failures, LOKIS, "Within five minutes; discarded lines are lost."),
    )
