"""What a system says about alerts that packs and components bring, and where each alert leads people."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from model.base import parse_duration
from model.copies import copy_with
from model.errors import Problem
from model.inhibition import apply_inhibitions
from model.limits import get_limit_type
from model.renamed_alerts import suggest_present_name
from model.service import Tuning
from model.settings import Settings
from model.system import System
from model.telemetry import AlertRule, Telemetry

DEFAULT_BOARD = "monitoring-stack"
"""Where alerts lead that have no better dashboard."""
_UNTUNED = Tuning()


def tune_telemetry(telemetry: Telemetry, system: System, settings: Settings, *, drawn: bool = True) -> Telemetry:
    """The telemetry with every alert as the system wants it: muted, and with links to its runbook and dashboard.

    Args:
        telemetry: what everyone contributes.
        system: its `tune` and that of its services.
        settings: where people reach runbooks and dashboards.
        drawn: whether there is a Grafana, in which a dashboard could be opened.
    """
    boards = {board.uid for board in telemetry.dashboards}
    own = {alert.name for alert in system.alerts}
    groups = []
    for group in telemetry.rules:
        board = next((uid for uid in (group.board, group.name) if uid in boards), DEFAULT_BOARD) if drawn else ""
        alerts = []
        for alert in group.alerts:
            folder = system.name if alert.name in own else ""
            page = "" if group.file else _locate_runbook(alert.name, folder)  # nobody has written one for a user's
            links = _build_links(alert, board, settings, page)
            if rule := _tune_alert(alert, system, links, settings.longest_for):
                alerts.append(rule)
        groups.append(copy_with(group, alerts=tuple(alerts)))
    return replace(telemetry, rules=apply_inhibitions([group for group in groups if group.alerts or group.recordings]))


def remove_tuning(system: System) -> System:
    """The system without a word about alerts."""
    services = {key: service.model_copy(update={"tune": {}}) for key, service in system.services.items()}
    return system.model_copy(update={"tune": {}, "services": services})


def check_tuning(telemetry: Telemetry, system: System, elsewhere: Collection[str] = ()) -> list[Problem]:
    """What a system says about alerts that it does not have, or that they have nothing to be said about.

    Args:
        telemetry: what everyone contributes, before it is tuned.
        system: the system with its wishes.
        elsewhere: names of alerts that it has in other environments.
    """
    alerts = [alert for group in telemetry.rules for alert in group.alerts]
    wishes = {name: wish for name, wish in system.tune.items() if name not in elsewhere}
    result = _check_wishes(f"configs/systems/{system.name}.yaml: tune", wishes, alerts)
    by_service: dict[str, list[AlertRule]] = {}
    for alert in alerts:
        by_service.setdefault(alert.service, []).append(alert)
    shared = {alert.name for alert in by_service.get("", ())}
    for key, service in system.services.items():
        if not service.tune:
            continue
        where = f"configs/systems/{system.name}.yaml: services.{key}.tune"
        about = by_service.get(key, [])
        common = shared - {alert.name for alert in about}
        own = {name: wish for name, wish in service.tune.items() if name not in common}
        result += _check_wishes(where, own, about) + [
            Problem(f"{where}.{name}", "is one alert for all services; tune it in `tune` at the top of the file")
            for name in service.tune
            if name in common
        ]
    return result


def _check_wishes(where: str, tune: Mapping[str, Tuning], alerts: list[AlertRule]) -> list[Problem]:
    by_name: dict[str, AlertRule] = {alert.name: alert for alert in alerts}
    problems = []
    for name, wish in tune.items():
        if name not in by_name:
            problems.append(
                Problem(f"{where}.{name}", f"there is no such alert; {suggest_present_name(name, by_name)}")
            )
            continue
        if wish.threshold is not None and (message := _describe_unfit(wish.threshold, by_name[name])):
            problems.append(Problem(f"{where}.{name}.threshold", message))
        if wish.min_failures is not None and by_name[name].min_failures is None:
            having = sorted(alert.name for alert in alerts if alert.min_failures is not None)
            message = f"the alert counts no failures; those that do: {', '.join(dict.fromkeys(having)) or 'none'}"
            problems.append(Problem(f"{where}.{name}.minFailures", message))
        if wish.quantile is not None and by_name[name].quantile is None:
            problems.append(Problem(f"{where}.{name}.quantile", "the alert looks at no quantile; leave it out"))
    return problems


def _describe_unfit(threshold: float, alert: AlertRule) -> str:
    """Why an alert cannot have this threshold."""
    if alert.limit is None:
        return "the alert has no threshold that could be another"
    kind = get_limit_type(alert.limit)
    return "" if kind.allows(threshold) else f"{threshold:g}: {kind.REQUIREMENT}"


def _tune_alert(alert: AlertRule, system: System, links: Mapping[str, str], longest: str) -> AlertRule | None:
    """The alert as it is wanted; None when it is not. A service's own word comes before the system's.

    It waits no longer than `longest`, and carries the labels of its service, which expressions do not keep, so that
    people can be chosen by them.
    """
    service = system.services[alert.service] if alert.service else None
    own = service.labels if service else {}
    wish = (service.tune if service else {}).get(alert.name) or system.tune.get(alert.name) or _UNTUNED
    if not wish.enabled:
        return None
    return copy_with(
        alert,
        for_=min(wish.for_ or alert.for_, longest, key=parse_duration),
        severity=wish.severity or alert.severity,
        labels={**own, **alert.labels, **wish.labels},
        annotations={**links, **alert.annotations, **({"tuned": wish.why} if wish.why else {})},
    )


def find_runbook(name: str, system: System) -> str:
    """The runbook of an alert, below docs/runbooks; those of a system's own alerts are in its folder."""
    return _locate_runbook(name, system.name if any(alert.name == name for alert in system.alerts) else "")


def _locate_runbook(name: str, folder: str) -> str:
    return f"{folder}/{name}.md" if folder else f"{name}.md"


def _build_links(alert: AlertRule, board: str, settings: Settings, path: str) -> Mapping[str, str]:
    """Where an alert leads people, as annotations."""
    chosen = f"?var-service={alert.service}" if alert.service else ""
    base = settings.runbooks.rstrip("/")
    links = {"runbook_url": f"{base}/{path}"} if base and path else {}
    if board:
        links["dashboard_url"] = f"{settings.base_url}/d/{board}{chosen}"
    return links
