"""How a running stack is, from all that its parts and its files say: what `verify`, `up` and `doctor` judge by."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from cli import content, exposed, forward, lines, pages, probed, render, verify
from cli.hosts import Host
from cli.table import Report
from cli.verify import Health
from cli.waiting import Wait
from cli.workspace import Workspace
from model.checks.entry import TRAEFIK
from model.errors import ConfigError
from model.plan import Plan
from model.workload import Workload


def _say_nothing(_phase: str) -> None:
    pass


def build_report(
    space: Workspace,
    base_url: str,
    host: Host,
    patience: float = 30,
    announce: Callable[[str], None] = _say_nothing,
) -> Report:
    """How a stack is, as far as its parts answer; what they do not answer is a sentence of the report.

    What is not well is given so many seconds to become so, for health, targets and lines each; `announce` is called
    with the name of each phase before it.
    """
    announce("health")
    health = host.wait_healthy(patience)
    if not health:
        nothing = f"nothing of the stack {space.stack} runs here: make up STACK={space.stack}"
        return Report(space.stack, health, (), [nothing], base_url=base_url)
    unseen: list[str] = []
    scraped: list[dict[str, Any]] = []
    try:
        plan = render.plan_workspace(space)
        announce("targets")
        scraped, unseen = wait_targets(host, plan, patience)
        unseen += list_stopped(host, scraped)
        health = [*health, *verify.list_missing(plan, health)]
        announce("view")
        unseen += host.list_unseen(plan, patience if scraped else 0)
        announce("what services expose")
        differences = _compare_exposed(plan, host) if scraped else []
        unseen += [item.text for item in differences if item.certain]
        announce("pages")
        unseen += content.list_empty_pages(plan, host)
        uncertain = [item.text for item in differences if not item.certain]
        return compose_report(
            plan, health, scraped, unseen, [*uncertain, *(_list_quiet(plan, host) if scraped else ())]
        )
    except ConfigError as error:
        scraped, unseen = wait_targets(host, None, patience)
        unseen.append(f"what should be there is not known: {error}")
    return Report(space.stack, health, scraped, unseen, base_url=base_url)


def list_stopped(host: Host, scraped: Sequence[Mapping[str, Any]]) -> list[str]:
    """Why targets are down whose name leads to what does not run, as sentences: Prometheus knows their names alone."""
    names = {str(urlsplit(target["scrapeUrl"]).hostname) for target in scraped if target["health"] != "up"}
    return host.explain_absences(names)


def _compare_exposed(plan: Plan, host: Host) -> list[exposed.Difference]:
    """What services expose or answer otherwise than declared."""
    try:
        unanswered = map(exposed.Difference, probed.list_unanswered(host.ask_prometheus))
        return [*unanswered, *exposed.compare_exposed(plan, host.ask_prometheus)]
    except RuntimeError as error:
        return [exposed.Difference(f"what services expose is not known: {error}")]


def _list_quiet(plan: Plan, host: Host) -> list[str]:
    """Who is up and has written no line lately."""
    try:
        return lines.list_quiet(plan, host.ask_prometheus, host.ask_loki)
    except RuntimeError as error:
        return [f"which services write no lines is not known: {error}"]


def wait_targets(host: Host, plan: Plan | None, timeout: float) -> tuple[list[dict[str, Any]], list[str]]:
    """The targets as `Host.wait_targets` gives them, and sentences on who has too few after `timeout` seconds.

    Where whoever knows them does not answer, that is the sentence.
    """
    wait = Wait(timeout)
    try:
        while True:
            scraped = host.wait_targets(wait.remaining)
            lacking = verify.list_lacking(plan, scraped) if plan and scraped else []
            if not lacking or not wait.goes_on(f"this to change: {lacking[0]}"):  # pods are found seconds later
                return scraped, lacking
    except RuntimeError as error:
        return [], [f"the targets are not known: {error}"]


# -- what people see of it -------------------------------------------------------------------------------------------


def compose_report(
    plan: Plan,
    health: Sequence[Health],
    scraped: Sequence[Mapping[str, Any]],
    unseen: Sequence[str],
    warnings: Sequence[str] = (),
) -> Report:
    """A report with the addresses of a plan; what the plan warns of comes before other warnings."""
    return Report(
        stack=plan.stack,
        workloads=describe_health(plan, health),
        scraped=scraped,
        unseen=unseen,
        warnings=[*plan.warnings, *warnings],
        base_url=plan.settings.base_url,
        pages=forward.list_pages(plan),
        unguarded=list_unguarded(plan, health),
    )


def describe_health(plan: Plan, health: Sequence[Health]) -> list[Health]:
    """The same, each with what it is for people, and with an address that opens something or is marked as an API."""
    workloads = {item.name: item for item in plan.list_workloads()}
    return [_describe(plan, item, workloads.get(item.workload)) for item in health]


def _describe(plan: Plan, item: Health, workload: Workload | None) -> Health:
    described = replace(item, replacement=pages.find_replacement(plan, item.workload))
    port = next((port for port in workload.ports if port.publish is not None), None) if workload else None
    if not item.url or port is None:
        return described
    if item.workload == TRAEFIK:  # by another name than the base URL's it answers nothing
        return replace(described, url=f"{plan.settings.base_url.rstrip('/')}/")
    routes = pages.list_routes_to(plan, item.workload)
    for route in routes:
        if route.page is not None and (urlsplit(route.url).port or 80) == port.number:
            return replace(described, url=f"{item.url}{pages.find_inner_path(plan, route)}")
    return replace(described, api=bool(routes) or port.name != "http")


def list_unguarded(plan: Plan, health: Sequence[Health]) -> list[str]:
    """Workloads whose own address asks for no login: all but the entry point, and what has a login of its own."""
    guarded = {pages.find_workload(route) for route in plan.telemetry.routes if not route.login} | {TRAEFIK}
    return [item.workload for item in health if item.url and item.workload not in guarded]
