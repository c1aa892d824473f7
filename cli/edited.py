"""What people changed in the databases of Grafana and Alertmanager: dashboards, data sources, silences.

Formats: https://grafana.com/docs/grafana/latest/developers/http_api/ and
https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import yaml

from cli.alertmanagers import Instance
from cli.drawn import list_panels
from components.grafana.settings import NAME as GRAFANA
from model.deviation import UP, Deviation, Drift, format_value
from model.plan import Plan
from model.telemetry import Dashboard

LONG = timedelta(days=1)
"""A silence is for the hours of a repair or a maintenance; what is quiet for longer is declared as a mute."""
SOURCES = "datasources/datasources.yaml"
OF_GRAFANA = "delete it in Grafana, or declare it: docs/dashboards.md"
OF_SILENCE = "expire it in Alertmanager, or declare it as a mute: docs/notifications.md"
Ask = Callable[[str], Any]
"""What Grafana's API answers at a path. Raises RuntimeError."""


def has_database(plan: Plan) -> bool:
    """Whether the stack's dashboards can be edited: the viewer that replaces Grafana has no database."""
    return any(workload.name == GRAFANA == workload.image for workload in plan.list_workloads())


def compare_grafana(plan: Plan, ask: Ask, at_once: int) -> Drift:
    """Dashboards and data sources that Grafana has otherwise than they were provisioned.

    Raises:
        RuntimeError: it does not answer.
    """
    listed = {item["uid"]: item for item in ask("/api/search?type=dash-db&limit=5000")}
    declared = {board.uid: board for board in plan.telemetry.dashboards}
    there = [board for uid, board in declared.items() if uid in listed]
    with ThreadPoolExecutor(at_once) as pool:
        answers = [*pool.map(lambda board: ask(f"/api/dashboards/uid/{board.uid}"), there)]
    deviations = [
        *(_build("dashboard", uid, "presence", "there", "missing") for uid in sorted(declared.keys() - listed.keys())),
        *(
            _build(
                "dashboard", uid, "presence", "not declared", f"there: {listed[uid].get('title')}", repair=OF_GRAFANA
            )
            for uid in sorted(listed.keys() - declared.keys())
        ),
        *(item for board, answer in zip(there, answers, strict=True) for item in _compare_board(board, answer)),
        *_compare_sources(_read_sources(plan), ask("/api/datasources")),
    ]
    return Drift(deviations=tuple(deviations))


def _compare_board(board: Dashboard, answer: Mapping[str, Any]) -> Iterator[Deviation]:
    if not answer["meta"].get("provisioned"):
        yield _build(
            "dashboard", board.uid, "origin", "provisioned from its file", "Grafana's database", repair=OF_GRAFANA
        )
    declared, running = describe_board(board.model), describe_board(answer["dashboard"])
    for key in sorted(declared.keys() | running.keys()):
        if declared.get(key) != running.get(key):
            values = (declared.get(key, "not declared"), running.get(key, "missing"))
            yield _build("dashboard", board.uid, key, *values)


def describe_board(model: Mapping[str, Any]) -> dict[str, list[str]]:
    """What a dashboard says, without what each version of Grafana writes in another way: titles and expressions."""
    panels = [*list_panels(model)]
    texts: dict[str, list[str]] = {"title": [str(model.get("title"))]}
    for panel in panels:
        key = f"panel {panel.get('title') or panel.get('type')}"
        exprs = [str(target.get("expr")) for target in panel.get("targets") or () if "expr" in target]
        texts.setdefault(key, []).extend(exprs)
    return texts


def _read_sources(plan: Plan) -> dict[str, Mapping[str, Any]]:
    (grafana,) = (workload for workload in plan.list_workloads() if workload.name == GRAFANA)
    text = grafana.config.files.get(SOURCES, "") if grafana.config else ""
    return {item["uid"]: item for item in (yaml.safe_load(text) or {}).get("datasources") or ()}


def _compare_sources(
    declared: Mapping[str, Mapping[str, Any]], answer: Sequence[Mapping[str, Any]]
) -> Iterator[Deviation]:
    running = {item["uid"]: item for item in answer}
    for uid in sorted(declared.keys() | running.keys()):
        if uid not in running:
            yield _build("data source", uid, "presence", "there", "missing")
        elif uid not in declared:
            shown = f"there: {running[uid].get('name')} at {running[uid].get('url')}"
            yield _build("data source", uid, "presence", "not declared", shown, repair=OF_GRAFANA)
        else:
            for key in ("type", "url"):
                if declared[uid].get(key) != running[uid].get(key):
                    yield _build("data source", uid, key, declared[uid].get(key), running[uid].get(key))


def _build(kind: str, name: str, what: str, declared: Any, running: Any, *, repair: str = UP) -> Deviation:
    values = {"declared": format_value(declared), "running": format_value(running)}
    return Deviation(kind=kind, name=name, what=what, repair=repair, **values)


# -- silences ----------------------------------------------------------------------------------------------------------


def compare_silences(instances: Sequence[Instance], now: datetime) -> Drift:
    """Silences that have lasted, or will last, for more than a day. All instances know the same ones.

    Raises:
        RuntimeError: no Alertmanager answers.
    """
    why = "none runs"
    for instance in instances:
        try:
            silences = json.loads(instance.ask("/api/v2/silences"))
        except RuntimeError as error:
            why = str(error)
            continue
        return Drift(deviations=tuple(_list_long(silences, now)))
    raise RuntimeError(why)


def _list_long(silences: Sequence[Mapping[str, Any]], now: datetime) -> Iterator[Deviation]:
    for item in silences:
        begin, end = (datetime.fromisoformat(item[key]) for key in ("startsAt", "endsAt"))
        if item["status"]["state"] != "expired" and (end - now > LONG or now - begin > LONG):
            matchers = ", ".join(map(_format_matcher, item["matchers"]))
            shown = f"{matchers} from {begin:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M}, by {item.get('createdBy')}"
            yield _build("silence", item["id"], "time", "a day at most", shown, repair=OF_SILENCE)


def _format_matcher(item: Mapping[str, Any]) -> str:
    signs = {(True, False): "=", (True, True): "=~", (False, False): "!=", (False, True): "!~"}
    return f"{item['name']}{signs[item.get('isEqual', True), bool(item.get('isRegex'))]}{item['value']}"
