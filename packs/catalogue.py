"""The packs by name, and what each gives to a service that uses it: the only list of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

from model.dashboard_spec import Panel, Query
from model.logs import CONTAINERS
from model.service import Service
from model.system import System
from packs import (
    clickhouse,
    go,
    http,
    llm,
    milvus,
    nodejs,
    pool,
    process,
    python,
    slo,
    web,
    websocket,
    worker,
)
from packs.base import CHOSEN, Pack, Subject, build_panel, build_thresholds

PACKS: Mapping[str, Pack] = {
    "http": cast(Pack, http),
    "worker": cast(Pack, worker),
    "websocket": cast(Pack, websocket),
    "web": cast(Pack, web),
    "nodejs": cast(Pack, nodejs),
    "go": cast(Pack, go),
    "python": cast(Pack, python),
    "pool": cast(Pack, pool),
    "clickhouse": cast(Pack, clickhouse),
    "milvus": cast(Pack, milvus),
    "llm": cast(Pack, llm),
}
"""The packs that a service can use."""

TITLES: Mapping[str, str] = {
    "health": "Service health", "logs": "Logs", "slo": "SLOs", "http": "Requests", "worker": "Jobs",
    "websocket": "WebSockets", "web": "In the browser", "nodejs": "Node.js", "go": "Go", "python": "Python",
    "pool": "Database connections", "clickhouse": "ClickHouse", "milvus": "Milvus", "llm": "Questions and models",
    "process": "Processes",
}  # fmt: skip
"""Headings of the rows that services fill; components bring others."""

ERRORS = "error|critical|fatal"
"""The levels of lines that somebody should read; components/lines/levels.py finds them of what programs write."""


def add_pack_metrics(service: Service) -> Service:
    """The service with the metrics that its packs bring.

    A pack brings none when the service declares metrics of the pack's roles itself: then it is known what it measures.
    """
    declared = dict(service.metrics)
    for name in service.packs:
        usual = PACKS[name].METRICS
        roles = {metric.role for metric in usual.values()} - {"generic", "constant"}
        own = {metric.role for metric in service.metrics.values()}
        if not roles & own:
            declared = {**usual, **declared}
    made = service.model_copy(update={"metrics": declared})
    return add_timed_requests(made) if "http" in service.packs else made


def add_timed_requests(service: Service) -> Service:
    """The service with the counter of requests that its durations have, where it declares none."""
    return service.model_copy(update={"metrics": {**http.count_timed(service), **service.metrics}})


def build_row_panels(name: str, system: System, keys: Sequence[str]) -> tuple[Panel, ...]:
    """The panels of a row for the services `keys` of a system; empty when the row has nothing to show for them."""
    if name == "health":
        return build_health_panels()
    if name == "logs":
        return build_log_panels(system)
    if name == "slo":
        return slo.panels(system)
    if name == "process":
        subjects = [Subject(system, key) for key in keys]
        return process.panels([s for s in subjects if s.find_metric("memory") or s.find_metric("cpu")])
    services = system.services
    users = [Subject(system, key) for key in keys if name in services[key].packs]
    return PACKS[name].panels(users) if users else ()


def build_health_panels() -> tuple[Panel, ...]:
    """Which services answer their scrapes, and what is firing."""
    up = {"{{service}}": f"min by (service) (up{{{CHOSEN}}})"}
    alerts = 'ALERTS{alertstate="firing", environment=~"$environment|"}'
    firing = {"{{alertname}} {{service}}": f"max by (alertname, severity, service) ({alerts})"}
    return (
        build_panel(
            "Services up", up, "bool_yes_no", "Yes: the last scrapes were answered.", kind="stat", width=16, height=6,
            thresholds=build_thresholds((1, "green")),
        ),
        build_panel(
            "Alerts firing", firing, "short", "Watchdog always fires: it shows that alerting works.", kind="table",
            width=8, height=6,
        ),
    )  # fmt: skip


def build_log_panels(system: System) -> tuple[Panel, ...]:
    """Error lines and all lines, by the same variables as the other panels.

    Loki's own detected_level is the label level where a line has one, else it is found by words of the line, so that
    `"errors":0` is no error: https://grafana.com/docs/loki/latest/configure/#limits_config (discover_log_levels).
    """
    chosen = build_log_selector(system)
    errors = Query(expr=f'{chosen} | detected_level=~"{ERRORS}"')
    return (
        Panel(
            title="Errors in logs", kind="logs", queries=(errors,), width=24,
            description="Lines whose level is error or worse; of lines without a level, those with such a word.",
        ),
        Panel(
            title="All log lines", kind="logs", description="Newest first.", queries=(Query(expr=chosen),), width=24,
            height=12,
        ),
    )  # fmt: skip


def build_log_selector(system: System) -> str:
    """The log lines of a system's containers and files, by the variables of a dashboard."""
    jobs = "|".join(dict.fromkeys([CONTAINERS, *(log.job for log in system.host_logs)]))
    return f'{{job=~"{jobs}", environment=~"$environment", service=~"$service"}}'
