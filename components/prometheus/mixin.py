"""Prometheus and everything it scrapes: the alerts about both, and their panels.

Source of the names: https://prometheus.io/docs/prometheus/latest/getting_started/ and its own /metrics.
"""

from __future__ import annotations

from functools import cache

from components.drawing import count_events, count_refused, draw_failures
from components.prometheus import alerts as prometheus_alerts
from components.prometheus import discovery_alerts as discovery
from components.prometheus import target_alerts as targets
from model.dashboard_spec import Panel
from model.telemetry import AlertRule
from packs.base import CHOSEN, Tune, build_panel, build_thresholds


def alerts(tune: Tune, *, replicas: int = 1, alertmanagers: int = 1, cluster: bool = False) -> tuple[AlertRule, ...]:
    """Alerts about everything that is scraped, and about Prometheus.

    Args:
        tune: what the system says about alerts.
        replicas: how many instances of Prometheus there are.
        alertmanagers: how many instances of Alertmanager they notify.
        cluster: whether targets are found by what a cluster knows of its pods and nodes.
    """
    own = prometheus_alerts.alerts(tune, replicas=replicas, alertmanagers=alertmanagers)
    return (*own, *targets.alerts(tune, cluster=cluster), *discovery.alerts(cluster=cluster))


# -- panels ----------------------------------------------------------------------------------------------------------


@cache
def build_target_panels() -> tuple[Panel, ...]:
    """What is scraped and what fires, whoever it belongs to."""
    up = {"{{instance}}": f"up{{{CHOSEN}}}"}
    firing = {"{{alertname}}": 'sum by (alertname) (ALERTS{alertstate="firing"})'}
    lasts = {"{{service}}": f"max by (service) (scrape_duration_seconds{{{CHOSEN}}})"}
    samples = {"{{service}}": f"sum by (service) (scrape_samples_scraped{{{CHOSEN}}})"}
    good = build_thresholds((1, "green"))
    return (
        build_panel(
            "Targets up",
            up,
            "bool_yes_no",
            "Yes: the last scrape was answered.",
            kind="stat",
            width=24,
            thresholds=good,
        ),
        build_panel("Alerts firing", firing, "short", "Watchdog always fires: it shows that alerting works.", width=8),
        build_panel("Scrape duration", lasts, "s", "Near the time-out of a scrape its samples get lost.", width=8),
        build_panel("Samples per scrape", samples, "short", "A step upwards is a new label with many values.", width=8),
    )


@cache
def panels() -> tuple[Panel, ...]:
    """What Prometheus takes in, holds and evaluates."""
    ingested = {"samples": "sum(rate(prometheus_tsdb_head_samples_appended_total[$__rate_interval]))"}
    series = {"series": "sum(prometheus_tsdb_head_series)"}
    # a group is called after the file that it is in: <path>;<group>
    group = 'label_replace(prometheus_rule_group_last_duration_seconds, "group", "$1", "rule_group", ".*;(.*)")'
    slow = {"{{group}}": f"max by (group) ({group})"}
    storage = {
        "used": "sum(prometheus_tsdb_storage_blocks_bytes)",
        "limit": "sum(prometheus_tsdb_retention_limit_bytes)",
    }
    storage_fails = {
        what: count_events(f"prometheus_tsdb_{name}_total") for name, what in prometheus_alerts.STORAGE.items()
    }
    scrapes = "prometheus_target_scrapes_{}_total"
    failures = {
        "configuration refused": count_refused("prometheus_config_last_reload_successful"),
        "targets not understood": count_events("prometheus_target_sync_failed_total"),
        "discovery fails": count_events("prometheus_sd_refresh_failures_total"),
        "a cluster's objects not listed": count_events("prometheus_sd_kubernetes_failures_total"),
        "scrapes with too many samples": count_events(scrapes.format("exceeded_sample_limit")),
        "samples that came twice": count_events(scrapes.format("sample_duplicate_timestamp")),
        "samples out of order": count_events(scrapes.format("sample_out_of_order")),
        "rules not evaluated": count_events("prometheus_rule_evaluation_failures_total"),
        "alerts not sent": count_events("prometheus_notifications_errors_total"),
    }
    return (
        build_panel("Samples per second", ingested, "short", "What Prometheus stores.", width=6),
        build_panel("Series in memory", series, "short", "Memory grows with it: about 4 KiB for each.", width=6),
        build_panel("Duration of rule groups", slow, "s", "Must stay below the evaluation interval.", width=6),
        build_panel(
            "Storage", storage, "bytes", "At the limit the oldest samples are deleted; a limit of 0 is none.", width=6
        ),
        draw_failures("Failures within Prometheus", failures, prometheus_alerts.SELF, "Within five minutes.", width=12),
        draw_failures(
            "Failures of the storage", storage_fails, prometheus_alerts.SELF, "Within five minutes.", width=12
        ),
    )
