"""Times and sizes that contradict each other: each is fine alone, and together they make gaps, or are never reached."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence, Set
from typing import TYPE_CHECKING, Protocol

from model.base import format_duration, parse_duration
from model.errors import Problem
from model.places import locate_in_section, locate_in_system, locate_setting
from model.system import System
from model.telemetry import Telemetry

if TYPE_CHECKING:
    from model.component import Planned, Planning
    from model.receivers import Receiver
    from model.routes import Route

_WINDOW = re.compile(r"\[([0-9][0-9a-z]*)(?::[0-9a-z]*)?\]")
_SERVICE = re.compile(r'service="([^"]+)"')
LEAST_INTERVAL = "1s"
"""A prober gives up half a second before Prometheus does, so with less it has no time left."""
SAMPLES = 2
"""So many samples a window must hold for a rate: with one there is no difference."""
LEAST_LOGS = "24h"
"""Less is not supported: https://grafana.com/docs/loki/latest/operations/storage/retention/."""


# -- scraping and rules ----------------------------------------------------------------------------------------------


def list_windows(expr: str) -> list[str]:
    """The time ranges that a query looks back over: `rate(x[5m])` has 5m."""
    return _WINDOW.findall(expr)


def check_scraping(
    context: Planned, component: str, *, lookback: str, evaluation: str, retention: str | None
) -> list[Problem]:
    """Intervals too long for what rules look back over, and rules that look back further than samples are kept.

    Args:
        context: the stack, with everyone's telemetry.
        component: in whose section the other settings stand.
        lookback: age up to which a sample counts as current.
        evaluation: how often rules are evaluated.
        retention: how long samples are kept; None where that is for others to say.
    """
    problems = [*_check_intervals(context, lookback), *_check_evaluation(context, component, lookback, evaluation)]
    return problems + ([*_check_retention(context, component, retention)] if retention else [])


def _check_intervals(context: Planned, lookback: str) -> Iterator[Problem]:
    interval, services = context.settings.scrape_interval, context.system.services
    shortest = find_shortest_windows(context.telemetry, {key for key, each in services.items() if each.scrape_interval})
    of_all = shortest.get("")
    yield from _check_interval(locate_setting(context.stack, "scrapeInterval"), interval, lookback, of_all)
    for key, service in services.items():
        if service.scrape_interval:
            where = locate_in_system(context.system.name, f"services.{key}.scrapeInterval")
            yield from _check_interval(where, service.scrape_interval, lookback, shortest.get(key, of_all))


def find_shortest_windows(telemetry: Telemetry, keys: Set[str]) -> dict[str, str | None]:
    """The shortest range of the rules whose queries name a service, for those of `keys`; that of all rules under ""."""
    every = [rule.expr for group in telemetry.rules for rule in group.recordings]
    every += [alert.expr for group in telemetry.rules for alert in group.alerts]
    windows_by_key: dict[str, set[str]] = {"": set(list_windows(" ".join(every)))}
    for expr in every if keys else ():
        for key in keys & {*_SERVICE.findall(expr)}:
            windows_by_key.setdefault(key, set()).update(list_windows(expr))
    return {key: min(windows, key=parse_duration, default=None) for key, windows in windows_by_key.items()}


def _check_interval(where: str, interval: str, lookback: str, window: str | None) -> Iterator[Problem]:
    most = parse_duration(window) / SAMPLES if window else parse_duration(lookback)
    if parse_duration(interval) < parse_duration(LEAST_INTERVAL):
        yield Problem(where, f"{interval} leaves a scrape no time to be answered; use {LEAST_INTERVAL} at least")
    elif window and parse_duration(interval) > most:
        message = f"{interval} is too long: rules look back {window} and need {SAMPLES} samples in it"
        yield Problem(where, f"{message}; use {format_duration(most)} at most")
    elif parse_duration(interval) >= parse_duration(lookback):
        message = f"{interval} is not shorter than lookbackDelta ({lookback}), so that series would come and go"
        yield Problem(where, f"{message}; shorten it, or raise lookbackDelta")


def _check_evaluation(context: Planned, component: str, lookback: str, evaluation: str) -> Iterator[Problem]:
    """Recorded series and alerts count as gone when they are not evaluated anew in time."""
    slowest = max(
        (group.interval for group in context.telemetry.rules if group.interval), key=parse_duration, default=""
    )
    if parse_duration(evaluation) >= parse_duration(lookback):
        message = (
            f"{evaluation} is not shorter than lookbackDelta ({lookback}), so that recorded series would come and go"
        )
        yield Problem(locate_in_section(context.stack, component, "evaluationInterval"), f"{message}; shorten it")
    elif slowest and parse_duration(slowest) > parse_duration(lookback):
        message = f"{lookback} is shorter than the {slowest} after which some rules are evaluated again; raise it"
        yield Problem(locate_in_section(context.stack, component, "lookbackDelta"), message)


def _check_retention(context: Planned, component: str, retention: str) -> Iterator[Problem]:
    """What looks back further than samples are kept: objectives, alerts of the system, and rules that others bring."""
    system, remedy = context.system, f"raise {component}.retention in Pulumi.{context.stack}.yaml"
    for number, item in enumerate(system.objectives):
        if parse_duration(item.window) > parse_duration(retention):
            message = f"{item.window} is longer than Prometheus keeps samples ({retention}); {remedy}, or shorten it"
            yield Problem(locate_in_system(system.name, f"objectives[{number}].window"), message)
    for number, spec in enumerate(system.alerts):
        for window in dict.fromkeys(list_windows(spec.expr)):
            if parse_duration(window) > parse_duration(retention):
                message = f"[{window}] looks back further than samples are kept ({retention}); {remedy}, or shorten it"
                yield Problem(locate_in_system(system.name, f"alerts[{number}].expr"), message)
    yield from _check_waiting(system, retention, remedy)
    own_groups = (system.name, f"{system.name}-slo")
    brought = [
        (window, alert.name)
        for group in context.telemetry.rules
        if not group.name.startswith(own_groups[1]) and group.name != own_groups[0]
        for alert in group.alerts
        for window in list_windows(alert.expr)
    ]
    window, name = max(brought, key=lambda item: parse_duration(item[0]), default=("", ""))
    if window and parse_duration(window) > parse_duration(retention):
        message = f"{retention} is shorter than the {window} that the alert {name} looks back; raise it"
        yield Problem(locate_in_section(context.stack, component, "retention"), message)


def _check_waiting(system: System, retention: str, remedy: str) -> Iterator[Problem]:
    """Alerts that wait for longer than samples are kept: by then nobody could see what they are about."""
    durations = {f"alerts[{number}].for": spec.for_ for number, spec in enumerate(system.alerts)}
    durations |= {f"tune.{name}.for": wish.for_ for name, wish in system.tune.items()}
    for key, service in system.services.items():
        durations |= {f"services.{key}.tune.{name}.for": wish.for_ for name, wish in service.tune.items()}
    for path, for_ in durations.items():
        if for_ and parse_duration(for_) > parse_duration(retention):
            message = f"{for_} is longer than Prometheus keeps samples ({retention}); shorten it, or {remedy}"
            yield Problem(locate_in_system(system.name, path), message)


# -- notifications ---------------------------------------------------------------------------------------------------


LEAST_FLUSH = "10s"
"""All tries of a notification end when its group is looked at again, but not before this (notify.MinTimeout)."""


class Notifications(Protocol):
    """How notifications are grouped and repeated: the section of Alertmanager."""

    @property
    def group_wait(self) -> str:
        """How long a group's first notification waits."""

    @property
    def group_interval(self) -> str:
        """How often a changed group is sent."""

    @property
    def repeat_interval(self) -> str:
        """How often an unchanged group is sent again."""

    @property
    def retention(self) -> str:
        """How long it is known what was sent."""

    @property
    def routes(self) -> Sequence[Route]:
        """Routes, which may group and repeat otherwise."""

    @property
    def receivers(self) -> Sequence[Receiver]:
        """Receivers, some of whose calls have a time-out."""


def check_notifications(context: Planning, component: str, own: Notifications) -> list[Problem]:
    """Intervals of notifications that Alertmanager would not keep, in the section of `component`.

    How long it is known what was sent is for an operator to say where there is one.
    """
    top = (own.group_wait, own.group_interval, own.repeat_interval)
    retention = "" if context.operator else own.retention
    problems = [*_check_group_intervals(own, "", top, retention), *_check_below(own.routes, "routes", top, retention)]
    problems += _check_timeouts(own)
    return [Problem(locate_in_section(context.stack, component, p.where), p.message) for p in problems]


def _check_below(routes: Sequence[Route], where: str, above: tuple[str, str, str], retention: str) -> Iterator[Problem]:
    """Problems of routes and of those below them, which inherit what they do not say."""
    for number, route in enumerate(routes):
        declared = (route.group_wait, route.group_interval, route.repeat_interval)
        wait, group, repeat = (own or inherited for own, inherited in zip(declared, above, strict=True))
        path = f"{where}[{number}]"
        if any(declared):
            yield from _check_group_intervals(route, f"{path}.", (wait, group, repeat), retention)
        yield from _check_below(route.routes, f"{path}.routes", (wait, group, repeat), retention)


def _check_group_intervals(
    declared: Notifications | Route, prefix: str, intervals: tuple[str, str, str], retention: str
) -> Iterator[Problem]:
    """What is wrong with intervals in force; its place is the one that is said here."""
    wait, group, repeat = intervals
    where = f"{prefix}groupInterval" if declared.group_interval else ""
    if (path := f"{prefix}groupWait" if declared.group_wait else where) and parse_duration(wait) > parse_duration(
        group
    ):
        message = f"{wait} is longer than groupInterval ({group}), so a group's second notification comes sooner"
        yield Problem(path, f"{message} than its first; shorten it, or raise groupInterval")
    path = f"{prefix}repeatInterval" if declared.repeat_interval else where
    if path and parse_duration(repeat) < parse_duration(group):
        message = f"{repeat} is shorter than groupInterval ({group}), at which alone a group is looked at"
        yield Problem(path, f"{message}; raise it, or shorten groupInterval")
    elif declared.repeat_interval and retention and parse_duration(repeat) > parse_duration(retention):
        message = f"{repeat} is longer than it is known what was sent (retention: {retention})"
        yield Problem(f"{prefix}repeatInterval", f"{message}; shorten it, or raise retention")


def _check_timeouts(own: Notifications) -> Iterator[Problem]:
    """Time-outs that are never reached, as the time for all tries is over by then."""
    most = max(parse_duration(own.group_interval), parse_duration(LEAST_FLUSH))
    for number, receiver in enumerate(own.receivers):
        for key, item in receiver.list_integrations():
            timeout = getattr(item, "timeout", None) if "timeout" in item.model_fields_set else None
            if timeout and parse_duration(timeout) >= most:
                message = f"{timeout} leaves no time for a second try: all of them end after {format_duration(most)}"
                yield Problem(f"receivers[{number}].{key}.timeout", f"{message} (groupInterval); shorten it")


# -- logs, dashboards ------------------------------------------------------------------------------------------------


class Lines(Protocol):
    """How long lines are kept, and how many are taken: the section of Loki."""

    @property
    def retention(self) -> str:
        """How long lines are kept."""

    @property
    def ingestion_rate_mb(self) -> int:
        """MB a second on average."""

    @property
    def ingestion_burst_size_mb(self) -> int:
        """MB at once."""


def check_log_limits(context: Planning, component: str, own: Lines) -> list[Problem]:
    """Limits of log lines that Loki refuses, or that could never be reached, in the section of `component`."""
    problems = []
    if parse_duration(own.retention) < parse_duration(LEAST_LOGS):
        message = f"{own.retention}: the least that Loki supports is {LEAST_LOGS}; raise it"
        problems.append(Problem("retention", message))
    if own.ingestion_burst_size_mb < own.ingestion_rate_mb:
        rate = own.ingestion_rate_mb
        message = (
            f"{own.ingestion_burst_size_mb} is less than ingestionRateMb ({rate}), which it keeps from being reached"
        )
        problems.append(Problem("ingestionBurstSizeMb", f"{message}; raise it"))
    return [Problem(locate_in_section(context.stack, component, p.where), p.message) for p in problems]


def check_dashboards(context: Planning, component: str, *, refresh: str, timeout: str) -> list[Problem]:
    """Dashboards that Grafana would redraw less often than they say, and a time-out that it cannot take."""
    problems = [
        Problem(
            locate_in_system(context.system.name, f"dashboards[{number}].refresh"),
            f"{board.refresh} is shorter than {component}.minRefresh ({refresh}) in Pulumi.{context.stack}.yaml,"
            " which would win; make them agree",
        )
        for number, board in enumerate(context.system.dashboards)
        if parse_duration(board.refresh) < parse_duration(refresh)
    ]
    if parse_duration(timeout) % 1:
        message = f"{timeout}: Grafana counts whole seconds; use 1s at least"
        problems.append(Problem(locate_in_section(context.stack, component, "queryTimeout"), message))
    return problems
