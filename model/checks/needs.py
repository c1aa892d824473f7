"""Parts of a stack that stand on others: what one needs, another one has to offer.

A part says both in its telemetry and names no other part. Some needs follow from what is there: scrape jobs and rules
need whoever scrapes and evaluates, alerts whoever sends notifications, panels the data source that they ask. What a
system's file describes needs whoever watches it: a database its exporter, a health endpoint who asks it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from model.dashboard import CACHED
from model.errors import Problem
from model.places import locate_in_section, locate_setting
from model.system import System
from model.telemetry import (
    DRAWING,
    EDGE,
    EVALUATION,
    LOG_FILES,
    NOTIFICATION,
    Dashboard,
    Need,
    Telemetry,
    name_series_offer,
    name_source_offer,
)

if TYPE_CHECKING:
    from model.component import Planning

SHOWN = 3
"""So many names stand in a message, and the number of the others."""


def check_needs(context: Planning, collected: Telemetry, idle: Mapping[str, Telemetry]) -> list[Problem]:
    """Needs that nothing meets: one problem for each part that is switched off and would meet some, with all of them.

    Args:
        context: settings and sections of the stack.
        collected: what everyone that is switched on contributes.
        idle: what each part would contribute that is switched off, and that this target knows.
    """
    unmet = [
        need
        for need in (*list_implied_needs(context, collected), *collected.needs)
        if need.what not in collected.offers
    ]
    reasons_by_part: dict[str, list[str]] = {}
    alone = []
    for need in unmet:
        able = next((name for name, part in idle.items() if need.what in list_offers(part)), None)
        if able:
            reasons_by_part.setdefault(able, []).append(need.why)
        else:
            where = need.where or f"stack {context.stack}"
            alone.append(Problem(where, f"{need.why}, but nothing here offers {need.what}"))
    return alone + [
        Problem(
            locate_in_section(context.stack, name, "enabled"),
            f"false, but {join_sentences(list(dict.fromkeys(reasons)))}; leave it out, or what stands on it too",
        )
        for name, reasons in reasons_by_part.items()
    ]


def list_offers(part: Telemetry) -> set[str]:
    """What a part offers: what it says, and its data sources."""
    return {*part.offers, *(name_source_offer(entry.uid) for entry in part.datasources)}


def list_implied_needs(context: Planning, collected: Telemetry) -> Iterator[Need]:
    """Needs that follow from what has been collected."""
    alerts = sum(len(group.alerts) for group in collected.rules)
    if collected.scrape or collected.rules:
        counts = f"{len(collected.scrape)} scrape jobs and {alerts} alerts"
        yield Need(what=EVALUATION, why=f"it serves {counts}")
    if alerts:
        yield Need(what=NOTIFICATION, why=f"nobody would be notified of {alerts} alerts")
    if DRAWING in collected.offers:
        yield from _list_datasource_needs(collected)
    yield from _list_system_needs(context.system)
    cluster = context.settings.kubernetes
    if context.settings.target == "kubernetes" and (cluster.ingress_class or cluster.service_type != "ClusterIP"):
        key = "ingressClass" if cluster.ingress_class else "serviceType"
        yield Need(
            what=EDGE,
            why=f"kubernetes.{key} leads people to it",
            where=locate_setting(context.stack, f"kubernetes.{key}"),
        )


def _list_system_needs(system: System) -> Iterator[Need]:
    """Databases, health endpoints and log files of a system: without whoever reads them, nobody would miss them."""
    for kind in sorted({database.kind for database in system.databases.values()}):
        of_kind = [f"databases.{key}" for key, database in system.databases.items() if database.kind == kind]
        yield Need(what=name_series_offer(kind), why=f"{system.name} has {shorten_names(of_kind)}, which it watches")
    if probed := [f"services.{key}.health" for key, service in system.services.items() if service.health]:
        yield Need(what=name_series_offer("probes"), why=f"{system.name} has {shorten_names(probed)}, which it asks")
    if system.host_logs:
        files = [log.path for log in system.host_logs]
        yield Need(what=LOG_FILES, why=f"{system.name} has hostLogs ({shorten_names(files)}), which it reads")


def _list_datasource_needs(collected: Telemetry) -> Iterator[Need]:
    """The data sources that panels ask and that are not there."""
    there = {entry.uid for entry in collected.datasources}
    asking: dict[str, list[str]] = {}
    for board in collected.dashboards:
        for uid in sorted(list_datasource_uids(board) - there):
            asking.setdefault(uid, []).append(board.uid)
    for uid, boards in asking.items():
        yield Need(what=name_source_offer(uid), why=f"the dashboards {shorten_names(boards)} ask it")


@lru_cache(maxsize=CACHED)
def list_datasource_uids(board: Dashboard) -> frozenset[str]:
    """Uids of the data sources that a dashboard asks; those that Grafana brings itself are none."""
    uids = _find_datasource_uids(board.model)
    return frozenset(uid for uid in uids if uid and not uid.startswith(("-", "$", "grafana")))


def _find_datasource_uids(model: Mapping[str, Any]) -> Iterator[str]:
    nodes: list[Any] = [model]  # a list and no recursion: a stack has some 15,000 values to look at
    while nodes:
        node = nodes.pop()
        if isinstance(node, dict):
            source_ref = node.get("datasource")
            if isinstance(source_ref, dict) and isinstance(source_ref.get("uid"), str):
                yield str(source_ref["uid"])
            nodes += node.values()
        elif isinstance(node, list):
            nodes += node


def join_sentences(parts: Sequence[str]) -> str:
    """Sentences as one: `a, b and c`."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def shorten_names(names: Sequence[str], shown: int = SHOWN) -> str:
    """The first `shown` names of a list, and how many more there are."""
    more = len(names) - shown
    return ", ".join(names[:shown]) + (f" and {more} more" if more > 0 else "")
