"""Prometheus itself: are samples stored, rules evaluated, alerts handed to Alertmanager, and does all of that go on?

Where a condition is one of Prometheus' own mixin it has its name:
https://github.com/prometheus/prometheus/blob/main/documentation/prometheus-mixin/alerts.libsonnet
"""

from __future__ import annotations

from model.limits import Share
from model.telemetry import AlertRule, Example, Inhibition
from packs.base import (
    BY,
    SERVICE,
    Tune,
    build_counter_samples,
    build_flat_samples,
    build_gauge_example,
    build_growth_example,
    build_service_series,
    format_percent,
    get_limit,
)

RULES_SHARE = 1.0
"""A group that takes longer than its interval skips evaluations: its alerts come late or not at all."""
STORAGE_SHARE = 0.95
"""Blocks are dropped whole when the next one does not fit: in the last twentieth that is about to happen."""
SOME_LOST = 0.01
"""As in the mixin: one in a hundred is a restart that met one batch; the same alert is sent again a minute later."""
ALL_LOST = 0.03
"""As in the mixin: three in a hundred of every Alertmanager is no accident of one of them."""
SELF = "prometheus"
STORAGE = {
    "compactions_failed": "merging blocks",
    "stale_series_compactions_failed": "merging series that have ended",
    "reloads_failures": "loading blocks",
    "head_truncations_failed": "cutting what is in memory",
    "checkpoint_creations_failed": "writing a checkpoint",
    "checkpoint_deletions_failed": "removing an old checkpoint",
    "wal_truncations_failed": "cutting the write-ahead log",
    "wal_writes_failed": "writing the write-ahead log",
    "wal_corruptions": "reading the write-ahead log",
    "mmap_chunk_corruptions": "reading chunks of series in memory",
}
"""Counters `prometheus_tsdb_<name>_total`, and what has failed when one grows."""


def alerts(tune: Tune, *, replicas: int = 1, alertmanagers: int = 1) -> tuple[AlertRule, ...]:
    """Alerts about Prometheus; some make sense only where there are several of it, or of Alertmanager."""
    return (
        build_watchdog_alert(),
        alert_on_config_refused(),
        alert_on_rule_failures(),
        *(() if alertmanagers == 1 else (alert_on_errors_of_some(tune),)),
        alert_on_errors_of_any(tune),
        alert_on_slow_rule_groups(tune),
        alert_on_storage_almost_full(tune),
        alert_on_storage_failing(),
        *(() if replicas == 1 else (alert_on_not_ingesting(),)),
    )


def build_watchdog_alert() -> AlertRule:
    """That it stops arriving is the message; it needs samples, as no alert can fire without them."""
    up = build_service_series(SELF, "up")
    return AlertRule(
        name="Watchdog",
        expr="count(up) > 0",  # any answer or none to a scrape; without samples `up` ends after the lookback (5 min)
        for_="0s",  # it is true from the first scrape on
        severity="info",
        summary="The alerting pipeline works",
        description="Always fires. When it stops arriving, Prometheus stores no samples, or Prometheus, Alertmanager or"
        " the way to you is broken.",
        steps=(
            "While it arrives there is nothing to do: `alertmanager: {deadMansSwitch: {urlSecret: ...}}` sends it to a"
            " service that calls people when it stays away.",
            "If it stayed away, run `make verify`: are Prometheus and Alertmanager healthy?",
            "Look at Prometheus' disk and lines: `no space left on device`, `Error on ingesting`; without samples no"
            " alert can fire.",
            "Look at Alertmanager's status page: does it list the alert, and the receiver that you expect?",
        ),
        example=Example(fires={up: build_flat_samples(1)}, silent={up: "1+0x50"}),
    )


def alert_on_config_refused() -> AlertRule:
    """Prometheus keeps its old configuration when it cannot read the new one."""
    loaded = build_service_series(SELF, "prometheus_config_last_reload_successful")
    return AlertRule(
        name="PrometheusBadConfig",
        expr="prometheus_config_last_reload_successful == 0",  # Prometheus' own 1 and 0: taken, or refused
        for_="5m",  # long enough for `make up` to be repeated with a corrected document
        severity="critical",
        summary="Prometheus refuses its configuration",
        description="The rules that were there before keep running. Targets of the refused document may be scraped"
        " already: Prometheus takes scrape jobs before it reads rules.",
        steps=(
            'Read why: `{service="prometheus"} |= "Error reloading config"` in Explore names file and line.',
            "Correct the stack or system file that the document comes from, and run `make test`.",
            "Run `make up` again: it repeats the delivery and waits until Prometheus has taken it.",
        ),
        example=Example(fires={loaded: build_flat_samples(0)}, silent={loaded: build_flat_samples(1)}),
    )


def alert_on_rule_failures() -> AlertRule:
    """A rule that cannot be evaluated neither fires nor records."""
    failed = build_service_series(
        SELF, "prometheus_rule_evaluation_failures_total", rule_group="/etc/prometheus/rules/api.yml;api"
    )
    return AlertRule(
        name="PrometheusRuleFailures",
        expr="increase(prometheus_rule_evaluation_failures_total[5m]) > 0",  # each one may hide an alert
        for_="5m",  # a single failure, such as a query that timed out once, is over by then
        severity="warning",
        summary="{{ $value | humanize }} rule evaluations failed in 5 minutes",
        description="Alerts of rule group {{ $labels.rule_group }} may be missing.",
        steps=(
            "Open the page Status > Rule health of Prometheus: the failing rule is red and shows its error.",
            "If it says `many-to-many` or `duplicate`, two series differ only in a label that the rule drops: look at"
            " the metrics in its expression for a new label or instance.",
            'If it timed out, look at the panel "Duration of rule groups" and at Prometheus\' memory and CPU.',
        ),
        example=build_growth_example(failed, 0),
    )


# -- alerts on their way ---------------------------------------------------------------------------------------------


def _build_lost_share(by: str) -> str:
    """The share of alerts that did not arrive, for each Alertmanager: `sent` counts only those that did."""
    failed = "rate(prometheus_notifications_errors_total[5m])"
    return f"{by}({failed} / ({failed} + rate(prometheus_notifications_sent_total[5m])))"


def _build_sent_series(share: float, to: str) -> dict[str, str]:
    """Alerts to one Alertmanager of which a share is lost."""
    prefix, instance = "prometheus_notifications", "prometheus:9090"
    errors = build_service_series(SELF, f"{prefix}_errors_total", alertmanager=to, instance=instance)
    sent = build_service_series(SELF, f"{prefix}_sent_total", alertmanager=to, instance=instance)
    return {errors: build_counter_samples(10000 * share), sent: build_counter_samples(10000 * (1 - share))}


def alert_on_errors_of_some(tune: Tune) -> AlertRule:
    """One of several Alertmanagers gets nothing: the others still tell people."""
    bound = get_limit(tune, "PrometheusErrorSendingAlertsToSomeAlertmanagers", SOME_LOST)
    return AlertRule(
        name="PrometheusErrorSendingAlertsToSomeAlertmanagers",
        expr=f"{_build_lost_share('')} > {bound:g}",
        for_="15m",  # an instance that is moved to another node is back by then
        severity="warning",  # each alert goes to all of them, and one is enough
        limit=Share(bound),
        summary="{{ $value | humanizePercentage }} of the alerts do not reach {{ $labels.alertmanager }}",
        description=f"More than {format_percent(bound)} of the alerts that Prometheus sends to one Alertmanager are"
        " lost; the others get them.",
        steps=(
            "Run `make verify`: is that instance of Alertmanager healthy?",
            'Read what Prometheus gets as answer: `{service="prometheus"} |= "Error sending alerts"` in Explore.',
            "If it runs, compare its node and network with those of the others.",
        ),
        example=Example(fires=_build_sent_series(bound * 1.01, "a"), silent=_build_sent_series(bound * 0.99, "a")),
    )


def alert_on_errors_of_any(tune: Tune) -> AlertRule:
    """No Alertmanager gets all alerts; the best of them decides."""
    bound = get_limit(tune, "PrometheusErrorSendingAlertsToAnyAlertmanager", ALL_LOST)
    return AlertRule(
        name="PrometheusErrorSendingAlertsToAnyAlertmanager",
        expr=f"{_build_lost_share(f'min by ({BY}, instance) ')} > {bound:g}",
        for_="5m",  # a restart of Alertmanager is over by then, and firing alerts are sent again anyway
        severity="critical",
        limit=Share(bound),
        inhibits=(Inhibition(alerts=("PrometheusErrorSendingAlertsToSomeAlertmanagers",), on=(*SERVICE, "instance")),),
        summary="{{ $value | humanizePercentage }} of the alerts reach no Alertmanager",
        description=f"More than {format_percent(bound)} of the alerts that Prometheus sends are lost, whichever"
        " Alertmanager it sends them to: people are not told of them.",
        steps=(
            "Until it is solved, watch the page Alerts of Prometheus: notifications do not come.",
            "Run `make verify`: is Alertmanager healthy?",
            'Read what Prometheus gets as answer: `{service="prometheus"} |= "Error sending alerts"` in Explore.',
            "If Alertmanager is healthy, check that both share a network and that the address is that of the stack.",
        ),
        example=Example(
            fires={**_build_sent_series(1, "a"), **_build_sent_series(bound * 1.01, "b")},
            silent={**_build_sent_series(1, "a"), **_build_sent_series(bound * 0.99, "b")},
        ),
    )


# -- evaluation and storage -------------------------------------------------------------------------------------------


def alert_on_slow_rule_groups(tune: Tune) -> AlertRule:
    """A share of the group's own interval, so that groups of any interval can be compared."""
    bound = get_limit(tune, "PrometheusSlowRuleGroups", RULES_SHARE)
    group = "/etc/prometheus/rules/api.yml;api"
    lasted = build_service_series(SELF, "prometheus_rule_group_last_duration_seconds", rule_group=group)
    interval = build_service_series(SELF, "prometheus_rule_group_interval_seconds", rule_group=group)
    return AlertRule(
        name="PrometheusSlowRuleGroups",
        expr=f"prometheus_rule_group_last_duration_seconds / prometheus_rule_group_interval_seconds > {bound:g}",
        for_="15m",  # a compaction or a heavy query beside it is over by then
        severity="warning",
        limit=bound,
        summary="Rule group {{ $labels.rule_group }} takes {{ $value | humanizePercentage }} of its interval",
        description=f"Evaluating the group takes more than {format_percent(bound)} of the time between two"
        " evaluations: beyond 100% its alerts come late and its recorded series have gaps.",
        steps=(
            'Open the panel "Duration of rule groups": did one group become slow, or all of them?',
            "If one did, open Status > Rule health of Prometheus: its slowest rule reads too many series or too long a"
            " range; record a part of it in a rule of its own.",
            "If all did, Prometheus lacks CPU or memory, or is asked too much: look at its container and at who queries"
            " it, then raise `cpus` or `memory` in its settings section.",
        ),
        example=build_gauge_example(lasted, bound * 15, **{interval: build_flat_samples(15)}),
    )


def alert_on_storage_almost_full(tune: Tune) -> AlertRule:
    """Only where a size is set: a limit of 0 means none."""
    bound = get_limit(tune, "PrometheusStorageAlmostFull", STORAGE_SHARE)
    used = build_service_series(SELF, "prometheus_tsdb_storage_blocks_bytes")
    most = build_service_series(SELF, "prometheus_tsdb_retention_limit_bytes")
    endless = {
        build_service_series("unlimited", "prometheus_tsdb_storage_blocks_bytes"): build_flat_samples(1e12),
        build_service_series("unlimited", "prometheus_tsdb_retention_limit_bytes"): build_flat_samples(0),
    }
    return AlertRule(
        name="PrometheusStorageAlmostFull",
        expr=f"prometheus_tsdb_storage_blocks_bytes / prometheus_tsdb_retention_limit_bytes > {bound:g}"
        " and prometheus_tsdb_retention_limit_bytes > 0",
        for_="30m",  # while blocks are merged the old ones lie beside the new one; that takes minutes
        severity="info",  # nothing breaks: old samples go earlier than the retention time says
        limit=Share(bound),
        summary="Prometheus' samples take {{ $value | humanizePercentage }} of the disk space that they may",
        description=f"More than {format_percent(bound)} of the retention size is used: the oldest samples are"
        " deleted before they are as old as the retention time promises.",
        steps=(
            'Open the panel "Storage": does it grow evenly, or since a deployment?',
            'Look at the panel "Samples per scrape": a new label with many values is cheaper to remove than to store.',
            "If the history is needed, raise `retentionSize` of Prometheus; the volume's disk must have that space.",
            "If the shorter history is enough, lower `retention`, so that it says what is true.",
        ),
        example=build_gauge_example(used, bound * 1e9, **{most: build_flat_samples(1e9)}, **endless),
    )


def alert_on_storage_failing() -> AlertRule:
    """One alert for all of them: the cause is nearly always the disk, and so are the steps."""
    failed = build_service_series(SELF, "prometheus_tsdb_compactions_failed_total")
    parts = [
        f'label_replace(increase(prometheus_tsdb_{name}_total[3h]), "operation", "{text}", "", "") > 0'
        for name, text in STORAGE.items()
    ]
    return AlertRule(
        name="PrometheusTSDBFailing",
        expr=" or ".join(parts),  # each failure leaves data that is not on the disk as it should be
        for_="0s",  # as a restart would lose data, somebody should know before it; three hours are in the condition
        severity="warning",
        summary="Prometheus failed at {{ $labels.operation }}, {{ $value | humanize }} times in three hours",
        description="Prometheus could not write or read its own data: the disk is full or broken. It goes on with what"
        " is in memory, and a restart may lose that.",
        steps=(
            'Read the reason: `{service="prometheus", level="error"} |= "tsdb"` in Explore.',
            "`no space left on device`: free or enlarge the disk, or lower `retentionSize`; then watch the next"
            " compaction, which comes every two hours.",
            "`input/output error` on the host (`dmesg -T | tail`): the disk is broken; copy the volume while it can be"
            " read.",
            "Corruptions after a crash of the host are repaired at the start: what was lost are the last minutes.",
        ),
        example=build_growth_example(failed, 0, minutes=180),
    )


def alert_on_not_ingesting() -> AlertRule:
    """Told by the other instance: one that stores nothing cannot say so, its Watchdog ends instead."""
    stored = build_service_series(SELF, "prometheus_tsdb_head_samples_appended_total", instance="a", type="float")
    group = build_service_series(SELF, "prometheus_rule_group_rules", instance="a", rule_group="x")
    rules = {group: build_flat_samples(3)}
    keys = f"{BY}, instance"
    return AlertRule(
        name="PrometheusNotIngestingSamples",
        expr=f"sum by ({keys}) (rate(prometheus_tsdb_head_samples_appended_total[5m])) <= 0"  # it scrapes itself
        f" and sum by ({keys}) (prometheus_rule_group_rules) > 0",
        for_="10m",  # as in the mixin: one that replays its log after a start stores again by then
        severity="warning",  # the other instance scrapes, evaluates and alerts as before
        summary="Prometheus {{ $labels.instance }} stores no samples",
        description="One of the instances of Prometheus stores nothing: its rules see no data and its alerts are"
        " silent. The others go on.",
        steps=(
            "Read its lines: `no space left on device`, `Error on ingesting`, `out of bounds`.",
            "Look at its volume: `kubectl -n <namespace> exec <pod> -- df /prometheus`.",
            "If its clock is off, samples are too old or too new for it: compare with its node's time.",
        ),
        example=Example(
            fires={stored: build_flat_samples(5), **rules}, silent={stored: build_counter_samples(5), **rules}
        ),
    )
