"""Prometheus itself and everything it scrapes: are targets answered, rules evaluated, alerts delivered, samples kept?

Source of the names: https://prometheus.io/docs/prometheus/latest/getting_started/ and its own /metrics.
"""

from __future__ import annotations

from model.packs.base import CHOSEN, Tune, above, colours, flat, grown, limit, panel, percent, series_of
from model.system import Panel
from model.telemetry import AlertRule, Example

RULES_SHARE = 1.0
"""A group that takes longer than its interval skips evaluations: its alerts come late or not at all."""
STORAGE_SHARE = 0.95
"""Blocks are dropped whole when the next one does not fit: in the last twentieth that is about to happen."""
SELF = "prometheus"


# -- alerts ----------------------------------------------------------------------------------------------------------


def alerts(tune: Tune) -> tuple[AlertRule, ...]:
    """Alerts about everything that is scraped, and about Prometheus."""
    return (
        watchdog(),
        target_down(),
        config_refused(),
        rule_failures(),
        notifications_dropped(),
        sample_limit_hit(),
        slow_rule_groups(tune),
        storage_almost_full(tune),
    )


def watchdog() -> AlertRule:
    """Nothing silences it: that it stops arriving is the message."""
    return AlertRule(
        name="Watchdog",
        expr="vector(1)",
        hold="0s",  # it is true from the first evaluation on
        severity="info",
        summary="The alerting pipeline works",
        description="Always fires. When it stops arriving, Prometheus, Alertmanager or the way to you is broken.",
        steps=(
            "While it arrives there is nothing to do: send it to a receiver that complains when it stays away.",
            "If it stayed away, run `make verify`: are Prometheus and Alertmanager healthy?",
            "Look at Alertmanager's status page: does it list the alert, and the receiver that you expect?",
        ),
        example=Example(fires={series_of(SELF, "up"): flat(1)}, silent={}),
    )


def target_down() -> AlertRule:
    """No answer to a scrape, whoever was asked."""
    up = series_of("api", "up", job="api", instance="api:4000")
    return AlertRule(
        name="TargetDown",
        expr="up == 0",  # Prometheus' own 1 and 0: answered, or not
        hold="1m",  # four missed scrapes at the default interval: no restart takes that long
        severity="critical",
        summary="{{ $labels.service }} ({{ $labels.instance }}) cannot be scraped",
        description="Prometheus has had no answer from {{ $labels.job }} for a minute: it is down or unreachable.",
        steps=(
            "Run `make verify`: it shows whether the container runs, and Prometheus' own error for the target.",
            "Read the container's last lines in Loki: `{service=\"<service>\"}` in Grafana's Explore, from before the"
            " alert began; if it was killed at its memory limit, raise the limit.",
            "If it runs and serves, check the network: is the address right, and do the target and Prometheus share a"
            " network (`observability:docker: {externalNetworks: [...]}`)?",
        ),
        example=Example(fires={up: "1+0x58 0+0x61"}, silent={up: "1+0x59 0+0x60"}),
    )


def config_refused() -> AlertRule:
    """Prometheus keeps its old configuration when it cannot read the new one."""
    loaded = series_of(SELF, "prometheus_config_last_reload_successful")
    return AlertRule(
        name="PrometheusConfigReloadFailed",
        expr="prometheus_config_last_reload_successful == 0",  # Prometheus' own 1 and 0: taken, or refused
        hold="5m",  # long enough for `make up` to be repeated with a corrected document
        severity="critical",
        summary="Prometheus refuses its configuration",
        description="The previous configuration keeps running; new rules and targets have no effect.",
        steps=(
            'Read why: `{service="prometheus"} |= "Error reloading config"` in Explore names file and line.',
            "Correct the stack or system file that the document comes from, and run `make test`.",
            "Run `make up` again: it repeats the delivery and waits until Prometheus has taken it.",
        ),
        example=Example(fires={loaded: flat(0)}, silent={loaded: flat(1)}),
    )


def rule_failures() -> AlertRule:
    """A rule that cannot be evaluated neither fires nor records."""
    failed = series_of(
        SELF, "prometheus_rule_evaluation_failures_total", rule_group="/etc/prometheus/rules/api.yml;api"
    )
    return AlertRule(
        name="PrometheusRuleFailures",
        expr="increase(prometheus_rule_evaluation_failures_total[5m]) > 0",  # each one may hide an alert
        hold="5m",  # a single failure, such as a query that timed out once, is over by then
        severity="warning",
        summary="{{ $value | humanize }} rule evaluations failed in 5 minutes",
        description="Alerts of rule group {{ $labels.rule_group }} may be missing.",
        steps=(
            "Open the page Status > Rule health of Prometheus: the failing rule is red and shows its error.",
            "If it says `many-to-many` or `duplicate`, two series differ only in a label that the rule drops: look at"
            " the metrics in its expression for a new label or instance.",
            'If it timed out, look at the panel "Duration of rule groups" and at Prometheus\' memory and CPU.',
        ),
        example=grown(failed, 0),
    )


def notifications_dropped() -> AlertRule:
    """Prometheus gives up on notifications that Alertmanager does not take."""
    dropped = series_of(SELF, "prometheus_notifications_dropped_total", alertmanager="http://alertmanager:9093")
    return AlertRule(
        name="PrometheusNotificationsDropped",
        expr="increase(prometheus_notifications_dropped_total[5m]) > 0",  # each one is an alert that nobody hears of
        hold="5m",  # a restart of Alertmanager is over by then, and firing alerts are sent again anyway
        severity="critical",
        summary="{{ $value | humanize }} alerts were not delivered to Alertmanager",
        description="Prometheus cannot reach Alertmanager, so nobody is told of anything.",
        steps=(
            "Until it is solved, watch the page Alerts of Prometheus: notifications do not come.",
            "Run `make verify`: is Alertmanager healthy?",
            'Read what Prometheus gets as answer: `{service="prometheus"} |= "Error sending alert"` in Explore.',
            "If Alertmanager is healthy, check that both share a network and that the address is that of the stack.",
        ),
        example=grown(dropped, 0),
    )


def sample_limit_hit() -> AlertRule:
    """Prometheus refuses a scrape with more samples than its job's limit as a whole."""
    refused = series_of(SELF, "prometheus_target_scrapes_exceeded_sample_limit_total")
    return AlertRule(
        name="PrometheusSampleLimitHit",
        expr="increase(prometheus_target_scrapes_exceeded_sample_limit_total[10m]) > 0",  # a refused scrape is a gap
        hold="0s",  # the target does not shrink by itself
        severity="warning",
        summary="{{ $value | humanize }} scrapes exceeded their sample limit in 10 minutes",
        description="These scrapes are refused as a whole. Lower the target's cardinality or raise sampleLimit for it.",
        steps=(
            "Find the target: on the page Target health of Prometheus it is down with `sample limit exceeded`.",
            'Look at the panel "Samples per scrape": what grew, and since which deployment?',
            'Count the series of each metric of it: `topk(10, count by (__name__) ({service="<service>"}))`, then drop'
            " the label with many values in the service.",
            "Only if every series is needed, raise `sampleLimit` of the service in the system's file.",
        ),
        example=grown(refused, 0, minutes=10),
    )


def slow_rule_groups(tune: Tune) -> AlertRule:
    """A share of the group's own interval, so that groups of any interval can be compared."""
    bound = limit(tune, "PrometheusSlowRuleGroups", RULES_SHARE)
    group = "/etc/prometheus/rules/api.yml;api"
    lasted = series_of(SELF, "prometheus_rule_group_last_duration_seconds", rule_group=group)
    interval = series_of(SELF, "prometheus_rule_group_interval_seconds", rule_group=group)
    return AlertRule(
        name="PrometheusSlowRuleGroups",
        expr=f"prometheus_rule_group_last_duration_seconds / prometheus_rule_group_interval_seconds > {bound:g}",
        hold="15m",  # a compaction or a heavy query beside it is over by then
        severity="warning",
        limit=bound,
        summary="Rule group {{ $labels.rule_group }} takes {{ $value | humanizePercentage }} of its interval",
        description=f"Evaluating the group takes more than {percent(bound)} of the time between two evaluations: beyond"
        " 100% its alerts come late and its recorded series have gaps.",
        steps=(
            'Open the panel "Duration of rule groups": did one group become slow, or all of them?',
            "If one did, open Status > Rule health of Prometheus: its slowest rule reads too many series or too long a"
            " range; record a part of it in a rule of its own.",
            "If all did, Prometheus lacks CPU or memory, or is asked too much: look at its container and at who queries"
            " it, then raise `cpus` or `memory` in its settings section.",
        ),
        example=above(lasted, bound * 15, **{interval: flat(15)}),
    )


def storage_almost_full(tune: Tune) -> AlertRule:
    """Only where a size is set: a limit of 0 means none."""
    bound = limit(tune, "PrometheusStorageAlmostFull", STORAGE_SHARE)
    used = series_of(SELF, "prometheus_tsdb_storage_blocks_bytes")
    most = series_of(SELF, "prometheus_tsdb_retention_limit_bytes")
    endless = {
        series_of("unlimited", "prometheus_tsdb_storage_blocks_bytes"): flat(1e12),
        series_of("unlimited", "prometheus_tsdb_retention_limit_bytes"): flat(0),
    }
    return AlertRule(
        name="PrometheusStorageAlmostFull",
        expr=f"prometheus_tsdb_storage_blocks_bytes / prometheus_tsdb_retention_limit_bytes > {bound:g}"
        " and prometheus_tsdb_retention_limit_bytes > 0",
        hold="30m",  # while blocks are merged the old ones lie beside the new one; that takes minutes
        severity="info",  # nothing breaks: old samples go earlier than the retention time says
        limit=bound,
        summary="Prometheus' samples take {{ $value | humanizePercentage }} of the disk space that they may",
        description=f"More than {percent(bound)} of the retention size is used: the oldest samples are deleted before"
        " they are as old as the retention time promises.",
        steps=(
            'Open the panel "Storage": does it grow evenly, or since a deployment?',
            'Look at the panel "Samples per scrape": a new label with many values is cheaper to remove than to store.',
            "If the history is needed, raise `retentionSize` of Prometheus; the volume's disk must have that space.",
            "If the shorter history is enough, lower `retention`, so that it says what is true.",
        ),
        example=above(used, bound * 1e9, **{most: flat(1e9)}, **endless),
    )


# -- panels ----------------------------------------------------------------------------------------------------------


def target_panels() -> tuple[Panel, ...]:
    """What is scraped and what fires, whoever it belongs to."""
    up = {"{{service}} {{instance}}": f"up{{{CHOSEN}}}"}
    firing = {"{{alertname}}": 'sum by (alertname) (ALERTS{alertstate="firing"})'}
    lasts = {"{{service}}": f"max by (service) (scrape_duration_seconds{{{CHOSEN}}})"}
    samples = {"{{service}}": f"sum by (service) (scrape_samples_scraped{{{CHOSEN}}})"}
    good = colours((1, "green"))
    return (
        panel("Targets up", up, "short", "1: the last scrape was answered.", kind="stat", width=24, thresholds=good),
        panel("Alerts firing", firing, "short", "Watchdog always fires: it shows that alerting works.", width=8),
        panel("Scrape duration", lasts, "s", "Near the time-out of a scrape its samples get lost.", width=8),
        panel("Samples per scrape", samples, "short", "A step upwards is a new label with many values.", width=8),
    )


def panels() -> tuple[Panel, ...]:
    """What Prometheus takes in, holds and evaluates."""
    ingested = {"samples": "sum(rate(prometheus_tsdb_head_samples_appended_total[$__rate_interval]))"}
    series = {"series": "sum(prometheus_tsdb_head_series)"}
    slow = {"{{rule_group}}": "max by (rule_group) (prometheus_rule_group_last_duration_seconds)"}
    storage = {
        "used": "sum(prometheus_tsdb_storage_blocks_bytes)",
        "limit": "sum(prometheus_tsdb_retention_limit_bytes)",
    }
    return (
        panel("Samples per second", ingested, "short", "What Prometheus stores.", width=6),
        panel("Series in memory", series, "short", "Memory grows with it: about 4 KiB for each.", width=6),
        panel("Duration of rule groups", slow, "s", "Must stay below the evaluation interval.", width=6),
        panel(
            "Storage", storage, "bytes", "At the limit the oldest samples are deleted; a limit of 0 is none.", width=6
        ),
    )
