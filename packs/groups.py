"""The rule groups of services: of services that differ only in what they are called, the rules are made once.

Rules follow from packs, metrics and what is tuned; the key and the title of a service only stand in their texts. So
the rules of a kind are made for a service without a name, and those of each service are copies with its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Set

from model.copies import copy_with
from model.service import Service
from model.system import System
from model.telemetry import AlertRule, Example, RuleGroup
from packs import outcome, presence
from packs.base import Rules, Subject
from packs.catalogue import PACKS
from packs.roles import derive_metrics_kind

NO_KEY, NO_TITLE = "\ue000", "\ue001"
"""Key and title of a service without a name: characters for private use, which no text of a rule has by itself."""


def build_service_groups(system: System, elsewhere: Set[str]) -> list[RuleGroup]:
    """The rules of every service, then whether outcomes of each are known.

    Args:
        system: the system, with the metrics of its packs and its dashboards.
        elsewhere: series in rules that are no service's own.
    """
    kinds = {key: _derive_kind(key, service) for key, service in system.services.items()}
    shared = {kind for kind, count in Counter(kinds.values()).items() if count > 1}
    made: dict[Hashable, tuple[RuleGroup, ...]] = {}
    groups: list[RuleGroup] = []
    outcomes: list[RuleGroup] = []
    for key, kind in kinds.items():
        subject = Subject(system, key)
        if kind not in shared:
            every = tuple(_build_groups(subject, elsewhere))
        else:
            if kind not in made:
                made[kind] = tuple(_build_groups(_remove_name(subject), elsewhere))
            every = tuple(_add_name(group, subject) for group in made[kind])
        groups.append(copy_with(every[0], board=find_dashboard(system, key)))
        outcomes += every[1:]
    return groups + outcomes


def find_first_dashboard(system: System) -> str:
    """The uid of the dashboard that alerts about no service lead to."""
    return system.dashboards[0].uid if system.dashboards else ""


def find_dashboard(system: System, key: str) -> str:
    """The dashboard that alerts of a service lead to: one that is about it alone, else the system's first."""
    about = (board.uid for board in system.dashboards if key in board.services)
    return next(about, find_first_dashboard(system))


# -- rules -----------------------------------------------------------------------------------------------------------


def _build_groups(subject: Subject, elsewhere: Set[str]) -> Iterator[RuleGroup]:
    """The rules of a service's packs, and whether its outcomes are known: asked for less often, for it looks at an
    hour of every counter. Rules that two packs bring stand once.
    """
    parts = [PACKS[name].rules(subject) for name in subject.service.packs]
    merged = Rules(
        tuple({rule.record: rule for part in parts for rule in part.recordings}.values()),
        tuple({alert.name: alert for part in parts for alert in part.alerts}.values()),
    )
    queries = [rule.expr for rule in merged.recordings] + [rule.expr for rule in merged.alerts]
    every = (*merged.alerts, *presence.build_alerts(subject, queries, elsewhere))
    alerts = tuple(copy_with(alert, service=subject.key) for alert in every)
    name = f"{subject.system.name}-{subject.key}"
    yield RuleGroup(name=name, recordings=merged.recordings, alerts=alerts)
    if counted := dict.fromkeys(each for part in parts for each in part.outcomes):
        alert = copy_with(outcome.alert_on_unknown_outcomes(subject, tuple(counted)), service=subject.key)
        # a group of its own: rules of one group that differ in nothing but their query count as duplicates
        yield RuleGroup(name=f"{name}-outcomes", interval=outcome.INTERVAL, alerts=(alert,))


# -- names -----------------------------------------------------------------------------------------------------------


def _derive_kind(key: str, service: Service) -> Hashable:
    """What all services have in common that have the same rules.

    What is said of alerts is said of one service, which is then of a kind of its own.
    """
    return key if service.tune else derive_metrics_kind(service)


def _remove_name(subject: Subject) -> Subject:
    """The same service without a name, in a system that has no other."""
    nameless = subject.service.model_copy(update={"title": NO_TITLE})
    return Subject(subject.system.model_copy(update={"services": {NO_KEY: nameless}}), NO_KEY)


def _add_name(group: RuleGroup, subject: Subject) -> RuleGroup:
    """The rules of a service without a name as those of `subject`."""
    key, title = subject.key, subject.title

    def add(text: str) -> str:
        return text.replace(NO_KEY, key).replace(NO_TITLE, title)

    recordings = tuple([copy_with(rule, expr=add(rule.expr)) for rule in group.recordings])
    alerts = tuple([_add_name_to_alert(alert, key, add) for alert in group.alerts])
    return copy_with(group, name=add(group.name), recordings=recordings, alerts=alerts)


def _add_name_to_alert(alert: AlertRule, key: str, add: Callable[[str], str]) -> AlertRule:
    example = alert.example
    if example:
        fires = {add(series): values for series, values in example.fires.items()}
        silent = {add(series): values for series, values in example.silent.items()}
        example = Example(fires=fires, silent=silent, at=example.at)
    texts = {"expr": add(alert.expr), "summary": add(alert.summary), "description": add(alert.description)}
    return copy_with(alert, **texts, service=key, example=example)
