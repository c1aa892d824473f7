"""Alertmanager: does it take its configuration, and do its notifications arrive?

Source of the names: https://prometheus.io/docs/alerting/latest/alertmanager/ and its own /metrics.
"""

from __future__ import annotations

from model.packs.base import BY, Tune, counter, flat, limit, panel, percent, series_of
from model.system import Panel
from model.telemetry import AlertRule, Example

FAILED_SHARE = 0.01
"""One failure in a hundred can be a receiver's hiccup, which is tried again; more is a broken receiver."""
SELF = "alertmanager"


# -- alerts ----------------------------------------------------------------------------------------------------------


def alerts(tune: Tune) -> tuple[AlertRule, ...]:
    """Alerts about Alertmanager itself; that it is down says TargetDown."""
    return config_refused(), notifications_failing(tune)


def config_refused() -> AlertRule:
    """Alertmanager keeps its old configuration when it cannot read the new one."""
    loaded = series_of(SELF, "alertmanager_config_last_reload_successful")
    return AlertRule(
        name="AlertmanagerConfigReloadFailed",
        expr="alertmanager_config_last_reload_successful == 0",  # Alertmanager's own 1 and 0: taken, or refused
        hold="5m",  # long enough for `make up` to be repeated with a corrected document
        severity="critical",
        summary="Alertmanager refuses its configuration",
        description="The previous routes keep working; changed receivers have no effect.",
        steps=(
            'Read why: `{service="alertmanager"} |= "Loading configuration file failed"` in Grafana\'s Explore.',
            "Correct the receivers and routes in the stack's settings, and check that every secret they name is set.",
            "Run `make up` again: it repeats the delivery and waits until Alertmanager has taken it.",
        ),
        example=Example(fires={loaded: flat(0)}, silent={loaded: flat(1)}),
    )


def notifications_failing(tune: Tune) -> AlertRule:
    """A share for each integration: a broken Slack does not hide behind a working mail server."""
    bound = limit(tune, "AlertmanagerNotificationsFailing", FAILED_SHARE)
    failed = series_of(SELF, "alertmanager_notifications_failed_total", integration="slack", reason="serverError")
    sent = series_of(SELF, "alertmanager_notifications_total", integration="slack")
    return AlertRule(
        name="AlertmanagerNotificationsFailing",
        expr=f"sum by ({BY}, integration) (rate(alertmanager_notifications_failed_total[5m]))"
        f" / sum by ({BY}, integration) (rate(alertmanager_notifications_total[5m])) > {bound:g}",
        hold="5m",  # a receiver's restart is over by then, and what failed meanwhile has been tried again
        severity="critical",
        limit=bound,
        summary="{{ $value | humanizePercentage }} of the notifications to {{ $labels.integration }} fail",
        description=f"More than {percent(bound)} of the notifications to {{{{ $labels.integration }}}} do not arrive:"
        " people are not told of alerts.",
        steps=(
            "Until it is solved, watch Alertmanager's own page: it lists every alert that people are not told of.",
            'Read the receiver\'s answer: `{service="alertmanager"} |= "Notify for alerts failed"` in Loki.',
            "A refusal (401, 403, 404) is an old address or credential: set the receiver's secret again, `make up`.",
            "No answer or a time-out is the way there: can the engine's host reach the receiver?",
        ),
        example=Example(
            fires={failed: counter(10000 * bound * 1.01), sent: counter(10000)},
            silent={failed: counter(10000 * bound * 0.99), sent: counter(10000)},
        ),
    )


# -- panels ----------------------------------------------------------------------------------------------------------


def panels() -> tuple[Panel, ...]:
    """What is sent, what fails, and what is known; only integrations that were ever used, as all have series."""
    used = " and on (integration) sum by (integration) (alertmanager_notifications_total) > 0 or on() vector(0)"
    sent = "sum by (integration) (rate(alertmanager_notifications_total[$__rate_interval]))"
    failed = "sum by (integration) (rate(alertmanager_notifications_failed_total[$__rate_interval]))"
    held = {"{{state}}": "sum by (state) (alertmanager_alerts)"}
    return (
        panel("Notifications sent", {"{{integration}}": sent + used}, "ops", "Per second, failed ones too.", width=8),
        panel("Notifications failed", {"{{integration}}": failed + used}, "ops", "People miss these alerts.", width=8),
        panel("Alerts held", held, "short", "Suppressed: silenced, or inhibited by a worse one.", width=8),
    )
