"""Alertmanager: does it take its configuration, and do its notifications arrive?

Source of the names: https://prometheus.io/docs/alerting/latest/alertmanager/ and its own /metrics.
"""

from __future__ import annotations

from functools import cache

from components.drawing import count_refused, draw_failures, fill_zero_if_up, select
from model.base import format_duration, parse_duration
from model.dashboard_spec import Panel
from model.limits import Share
from model.telemetry import AlertRule, Example, Inhibition
from packs.base import (
    BY,
    SERVICE,
    Tune,
    build_counter_samples,
    build_flat_samples,
    build_panel,
    build_service_series,
    format_percent,
    get_limit,
)

FAILED_SHARE = 0.01
"""One failure in a hundred can be a receiver's hiccup, which is tried again; more is a broken receiver."""
SELF = "alertmanager"
SWITCH = "dead-mans-switch"
"""Our receiver that waits for Watchdog."""
SWITCH_SHARE = 0.5
"""Most calls fail: heartbeat services wait for several missed ones before they complain."""
SWITCH_CALLS = 5
"""So many calls are looked at."""


# -- alerts ----------------------------------------------------------------------------------------------------------


def alerts(tune: Tune, *, replicas: int = 1, switch: str = "1m", own: bool = True) -> tuple[AlertRule, ...]:
    """Alerts about Alertmanager itself; that it is down says TargetDown. Several can also disagree.

    Args:
        tune: what the system says otherwise.
        replicas: how many instances there are.
        switch: how often the dead man's switch is called.
        own: whether it is the stack's own, whose metrics have the receiver's name.
    """
    called = (alert_on_switch_not_reached(switch),) if own else ()
    several = (
        (alert_on_one_failing_to_send(tune), alert_on_members_inconsistent(), alert_on_config_inconsistent())
        if replicas > 1
        else ()
    )
    return alert_on_config_refused(), alert_on_notifications_failing(tune), *called, *several


def alert_on_config_refused() -> AlertRule:
    """Alertmanager keeps its old configuration when it cannot read the new one."""
    loaded = build_service_series(SELF, "alertmanager_config_last_reload_successful")
    return AlertRule(
        name="AlertmanagerFailedReload",
        expr="alertmanager_config_last_reload_successful == 0",  # Alertmanager's own 1 and 0: taken, or refused
        for_="5m",  # long enough for `make up` to be repeated with a corrected document
        severity="critical",
        summary="Alertmanager refuses its configuration",
        description="The previous routes keep working; changed receivers have no effect.",
        steps=(
            'Read why: `{service="alertmanager"} |= "Loading configuration file failed"` in Grafana\'s Explore.',
            "Correct the receivers and routes in the stack's settings, and check that every secret they name is set.",
            "Run `make up` again: it repeats the delivery and waits until Alertmanager has taken it.",
        ),
        example=Example(fires={loaded: build_flat_samples(0)}, silent={loaded: build_flat_samples(1)}),
    )


def _build_failed_share(function: str) -> str:
    """The share of an integration's notifications that fail, for each instance."""
    keys, people = f"{BY}, instance, integration", f'{{receiver_name!="{SWITCH}"}}'
    return (
        f"{function}(sum by ({keys}) (rate(alertmanager_notifications_failed_total{people}[5m]))"
        f" / sum by ({keys}) (rate(alertmanager_notifications_total{people}[5m])))"
    )


def _build_sent_series(share: float, instance: str) -> dict[str, str]:
    """What an instance sends, of which a share fails."""
    names = {"instance": instance, "integration": "slack"}
    return {
        build_service_series(
            SELF, "alertmanager_notifications_failed_total", **names, reason="serverError"
        ): build_counter_samples(10000 * share),
        build_service_series(SELF, "alertmanager_notifications_total", **names): build_counter_samples(10000),
    }


def alert_on_notifications_failing(tune: Tune) -> AlertRule:
    """A share for each integration: a broken Slack does not hide behind a working mail server.

    Of several instances the best one decides: when one cannot send, another one does.
    """
    bound = get_limit(tune, "AlertmanagerClusterFailedToSendAlerts", FAILED_SHARE)
    return AlertRule(
        name="AlertmanagerClusterFailedToSendAlerts",
        expr=f"{_build_failed_share(f'min by ({BY}, integration) ')} > {bound:g}",
        for_="5m",  # a receiver's restart is over by then, and what failed meanwhile has been tried again
        severity="critical",
        limit=Share(bound),
        inhibits=(Inhibition(alerts=("AlertmanagerFailedToSendAlerts",), on=(*SERVICE, "integration")),),
        summary="{{ $value | humanizePercentage }} of the notifications to {{ $labels.integration }} fail",
        description=f"More than {format_percent(bound)} of the notifications to {{{{ $labels.integration }}}} do not"
        " arrive: people are not told of alerts.",
        steps=(
            "Until it is solved, watch Alertmanager's own page: it lists every alert that people are not told of.",
            'Read the receiver\'s answer: `{service="alertmanager"} |= "Notify for alerts failed"` in Loki.',
            "A refusal (401, 403, 404) is an old address or credential: set the receiver's secret again, `make up`.",
            "No answer or a time-out is the way there: can the engine's host reach the receiver?",
        ),
        example=Example(
            fires={**_build_sent_series(bound * 1.01, "a"), **_build_sent_series(1, "b")},
            silent={**_build_sent_series(bound * 0.99, "a"), **_build_sent_series(1, "b")},
        ),
    )


def alert_on_switch_not_reached(interval: str) -> AlertRule:
    """The service that waits for Watchdog is not reached: it will say that the stack is dead, or nobody would.

    There is no series, and so no alert, where no switch is declared. Of several instances the best one decides.
    """
    window = format_duration(max(parse_duration("5m"), SWITCH_CALLS * parse_duration(interval)))
    keys, chosen = f"{BY}, instance", f'{{receiver_name="{SWITCH}"}}[{window}]'
    failed, total = (f"sum by ({keys}) (rate(alertmanager_notifications_{name}{chosen}))" for name in _COUNTERS)
    names = {"instance": "a", "integration": "webhook", "receiver_name": SWITCH}
    every = build_service_series(SELF, "alertmanager_notifications_total", **names)
    some = build_service_series(SELF, "alertmanager_notifications_failed_total", **names, reason="other")
    return AlertRule(
        name="DeadMansSwitchNotReached",
        expr=f"min by ({BY}) ({failed} / {total}) > {SWITCH_SHARE:g}",
        for_="5m",  # the other side's restart is over by then
        severity="warning",  # its own alarm calls people, if it is meant to
        summary="The dead man's switch is not reached: {{ $value | humanizePercentage }} of the calls fail",
        description="Watchdog does not reach the service that should call people when this stack is dead. It may raise"
        " its alarm although all is well, and if its address is wrong, nobody would notice that this stack has died.",
        steps=(
            'Read its answer: `{service="alertmanager"} |= "dead-mans-switch"` in Explore.',
            "A refusal (401, 403, 404) is an old address: set the secret of `alertmanager.deadMansSwitch`, `make up`.",
            "No answer or a time-out is the way there: can the engine's host reach the service?",
            "See at the service itself when it was called last, and acknowledge its alarm until this is solved.",
        ),
        example=Example(
            fires={every: build_counter_samples(10000), some: build_counter_samples(5100)},
            silent={every: build_counter_samples(10000), some: build_counter_samples(4900)},
        ),
    )


_COUNTERS = ("failed_total", "total")


# -- several instances -----------------------------------------------------------------------------------------------


def alert_on_one_failing_to_send(tune: Tune) -> AlertRule:
    """One instance cannot reach a receiver; the others send in its place, a little later."""
    bound = get_limit(tune, "AlertmanagerFailedToSendAlerts", FAILED_SHARE)
    return AlertRule(
        name="AlertmanagerFailedToSendAlerts",
        expr=f"{_build_failed_share('')} > {bound:g}",
        for_="6m",  # a minute after AlertmanagerClusterFailedToSendAlerts, which silences it, would have come
        severity="warning",  # people are told by another instance
        limit=Share(bound),
        summary="{{ $value | humanizePercentage }} of the notifications of {{ $labels.instance }} to"
        " {{ $labels.integration }} fail",
        description=f"One Alertmanager fails to send more than {format_percent(bound)} of its notifications to"
        " {{ $labels.integration }}; the others send them.",
        steps=(
            'Read the receiver\'s answer: `{service="alertmanager"} |= "Notify for alerts failed"` in Loki.',
            "If only this instance fails, compare its node's way out with that of the others.",
            "If its secret differs (401, 403), restart its pod: it has not read the new one.",
        ),
        example=Example(
            fires={**_build_sent_series(bound * 1.01, "a"), **_build_sent_series(0, "b")},
            silent={**_build_sent_series(bound * 0.99, "a"), **_build_sent_series(0, "b")},
        ),
    )


def _build_gauges(name: str, *values: float) -> dict[str, str]:
    """A gauge of several instances."""
    return {
        build_service_series(SELF, name, instance=f"alertmanager-{n}"): build_flat_samples(value)
        for n, value in enumerate(values)
    }


def alert_on_members_inconsistent() -> AlertRule:
    """An instance that does not see the others sends everything itself as well."""
    members = "max_over_time(alertmanager_cluster_members[5m])"
    return AlertRule(
        name="AlertmanagerMembersInconsistent",
        expr=f"{members} - on({BY}) group_left() count by ({BY}) ({members}) < 0",  # fewer than there are
        for_="15m",  # as in the mixin: after a restart of all of them each has found the others by then
        severity="critical",  # as in the mixin: what is silenced in one is told by another
        summary="Alertmanager {{ $labels.instance }} does not see all others",
        description="An Alertmanager sees fewer instances than are scraped: notifications come twice, and silences that"
        " were made in one do not hold in the other.",
        steps=(
            "Open the status page of each instance: which peers does it list?",
            "Check that they reach each other on port 9094, by TCP and UDP: a NetworkPolicy, a firewall between nodes.",
            'Read `{service="alertmanager"} |= "gossip"` in Explore for names that do not resolve.',
            "Restart the instance that is alone: peers are looked up at the start.",
        ),
        example=Example(
            fires=_build_gauges("alertmanager_cluster_members", 3, 3, 2),
            silent=_build_gauges("alertmanager_cluster_members", 3, 3, 3),
        ),
    )


def alert_on_config_inconsistent() -> AlertRule:
    """Who sends depends on the moment, and so do route and receiver then."""
    return AlertRule(
        name="AlertmanagerConfigInconsistent",
        expr=f'count by ({BY}) (count_values by ({BY}) ("config_hash", alertmanager_config_hash)) > 1',  # all are alike
        for_="20m",  # as in the mixin: a delivery to all of them may take as long
        severity="critical",
        summary="The Alertmanagers have {{ $value }} different configurations",
        description="Instances of Alertmanager run different configurations: where an alert is sent depends on which of"
        " them sends it.",
        steps=(
            "Run `make up` again: it repeats the delivery and waits until every instance has taken it.",
            "See which one lags: `alertmanager_config_last_reload_success_timestamp_seconds` by instance.",
            'Read why: `{service="alertmanager"} |= "Loading configuration file failed"` in Explore.',
        ),
        example=Example(
            fires=_build_gauges("alertmanager_config_hash", 1, 1, 2),
            silent=_build_gauges("alertmanager_config_hash", 1, 1, 1),
        ),
    )


# -- panels ----------------------------------------------------------------------------------------------------------


@cache
def panels() -> tuple[Panel, ...]:
    """What is sent, what fails, and what is known; only integrations that were ever used, as all have series."""
    used = " and on (integration) sum by (integration) (alertmanager_notifications_total) > 0"
    used += fill_zero_if_up(SELF, "integration")
    sent = "sum by (integration) (rate(alertmanager_notifications_total[$__rate_interval]))"
    failed = "sum by (integration) (rate(alertmanager_notifications_failed_total[$__rate_interval]))"
    counts = {"{{state}}": "sum by (state) (alertmanager_alerts)"}
    members, hashes = select("alertmanager_cluster_members"), select("alertmanager_config_hash")
    failures = {
        "configuration refused": count_refused("alertmanager_config_last_reload_successful"),
        "configurations too many": f'count(count_values("config_hash", {hashes})) - 1',
        "members not seen": f"count({members}) - min({members})",
    }
    return (
        build_panel(
            "Notifications sent", {"{{integration}}": sent + used}, "ops", "Per second, failed ones too.", width=8
        ),
        build_panel(
            "Notifications failed", {"{{integration}}": failed + used}, "ops", "People miss these alerts.", width=8
        ),
        build_panel("Alerts held", counts, "short", "Suppressed: silenced, or inhibited by a worse one.", width=8),
        draw_failures(
            "Failures within Alertmanager", failures, SELF, "Instances that refuse, differ, or do not see each other."
        ),
    )
