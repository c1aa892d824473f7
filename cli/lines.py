"""Whose log lines Loki has: services that say where their lines come from and have none, and those that are quiet.

API: https://grafana.com/docs/loki/latest/reference/loki-http-api/.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

from cli.exposed import Ask, list_up, query_series
from cli.waiting import Wait
from components.loki.settings import NAME, READ
from model.base import DAY
from model.logs import SOURCES
from model.plan import Plan
from model.service import Service
from model.settings import AGENTS
from model.system import System

LINES_SECONDS = DAY
"""How far lines are looked back for: quiet services write no more than a few a day."""
RECENT = "1h"
"""Within which a service that is asked for something writes a line as a rule."""
AskLoki = Callable[[str], Any]
"""What Loki's API answers as `data` to a path below /loki/api/v1/, with its query; None where it has nothing."""


def find_agent(plan: Plan) -> str | None:
    """Who reads lines in a stack; None where nobody does."""
    return next((workload.name for workload in plan.list_workloads() if workload.name in AGENTS), None)


def has_lines(plan: Plan) -> bool:
    """Whether a stack has both who reads lines and who keeps them."""
    planned = {workload.name for workload in plan.list_workloads()}
    return find_agent(plan) is not None and bool(planned & {NAME, READ})


def list_label_values(ask: AskLoki, stack: str, label: str) -> set[str]:
    """The values of a label of the lines that Loki has of a stack.

    Source: https://grafana.com/docs/loki/latest/reference/loki-http-api/#query-label-values
    """
    start = time.time() - LINES_SECONDS
    query = urlencode({"query": f'{{stack="{stack}"}}', "start": int(start * 1e9)})
    return set(map(str, ask(f"label/{label}/values?{query}") or ()))


def wait_service_lines(plan: Plan, ask: AskLoki, timeout: float) -> list[str]:
    """What `check_service_lines` says after at most `timeout` seconds, or why nobody can know."""
    wait = Wait(timeout)
    while has_lines(plan):
        try:
            sentence = check_service_lines(plan.system, ask, plan.stack)
        except RuntimeError as error:
            sentence = str(error)
        if sentence is None:
            break
        if not wait.goes_on(f"this to change: {sentence}"):
            return [sentence]
    return []


def check_service_lines(system: System, ask: AskLoki, stack: str) -> str | None:
    """Which services say where their lines come from, and have none; None when each has some, or none says so."""
    missing = _list_missing(system, ask, stack)
    if not missing:
        return None
    names = ", ".join(f"{key} ({source})" for key, source in missing.items())
    return f"Loki has no line of the last 24 hours of {names}; does it write there, and is the name right?"


def _list_missing(system: System, ask: AskLoki, stack: str) -> dict[str, str]:
    """The keys that say where lines come from, by service, where there are none."""
    said = {
        key: f"logs.{name}" for key, service in system.services.items() for name in SOURCES
        if getattr(service.logs, name) is not None
    }  # fmt: skip
    known = list_label_values(ask, stack, "service") if said else set()
    return {key: said[key] for key in sorted(said.keys() - known)}


def list_quiet(plan: Plan, ask_prometheus: Ask, ask_loki: AskLoki) -> list[str]:
    """The services that are up, and of which Loki has no line of the last hour, as sentences.

    No mistake as such: nobody may have asked them for anything. Those of which `check_service_lines` speaks are left
    out.

    Raises:
        RuntimeError: Loki or Prometheus does not answer.
    """
    places = dict(_list_places(plan)) if has_lines(plan) else {}
    if not places:
        return []
    silent = places.keys() & list_up(plan.system, ask_prometheus) - _list_writing(plan.stack, [*places], ask_loki)
    silent -= _list_missing(plan.system, ask_loki, plan.stack).keys() if silent else set()
    return [
        f"lines of {key}: none in the last hour, though it is up; that is right where it has nothing to say, else"
        f" {places[key]}"
        for key in sorted(silent)
    ]


def _list_writing(stack: str, keys: list[str], ask: AskLoki) -> set[str]:
    """Services that have written a line lately; labels are kept by the day, so lines are counted."""
    # a key has nothing that needs an escape, and LogQL's strings do not take one for a dash
    chosen = f'{{stack="{stack}", service=~"{"|".join(keys)}"}}'
    query = f"sum by (service) (count_over_time({chosen}[{RECENT}]))"
    return {each["metric"].get("service", "") for each in query_series(ask, query)}


def _list_places(plan: Plan) -> Iterator[tuple[str, str]]:
    """The services that should have lines, each with where to look when it has none."""
    find = _find_place_on_cluster if plan.settings.target == "kubernetes" else _find_place_on_engine
    for key, service in plan.system.services.items():
        if service.logs.file:
            yield key, f"look at the files of the entry of hostLogs whose job is {service.logs.file}"
        elif plan.settings.demo:
            yield key, "look at the log of its stand-in"
        elif place := find(key, service):
            yield key, place


def _find_place_on_engine(key: str, service: Service) -> str | None:
    """None where it is no container of the engine: a process of the host, or a host of some network."""
    if name := service.logs.container or service.logs.compose:
        return f"look at `docker logs` of {name}"
    hosts = [each.rpartition(":")[0] for each in (*service.addresses, service.address) if each] or [key]
    if service.on_host or not any(re.fullmatch(r"[A-Za-z][\w-]*", host) for host in hosts):
        return None
    return f"look at `docker logs` of its container; where that has lines, services.{key}.logs.container names it"


def _find_place_on_cluster(key: str, service: Service) -> str | None:
    """None where nothing says which pods are its own, and nothing that it has lines at all."""
    if pods := service.logs.selector:
        return _format_pods(pods.namespace, pods.labels)
    if pods_scraped := service.kubernetes:
        return _format_pods(pods_scraped.namespace, pods_scraped.selector)
    if "logs" in service.model_fields_set and not service.on_host:
        return f"services.{key}.logs.selector says which pods write them"
    return None


def _format_pods(namespace: str, labels: Mapping[str, str]) -> str:
    chosen = ",".join(f"{name}={value}" for name, value in sorted(labels.items()))
    return f"look at `kubectl logs -n {namespace} -l {chosen} --since={RECENT}`"
