"""How a running stack is, from all that its parts and its files say: what `verify`, `up` and `doctor` judge by."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from cli import content, exposed, forward, lines, probed, render, verify
from cli.hosts import Host
from cli.workspace import Workspace
from model.errors import ConfigError
from model.plan import Plan


def _say_nothing(_phase: str) -> None:
    pass


def build_report(
    space: Workspace,
    base_url: str,
    host: Host,
    patience: float = 30,
    announce: Callable[[str], None] = _say_nothing,
) -> verify.Report:
    """How a stack is, as far as its parts answer; what they do not answer is a sentence of the report.

    What is not well is given so many seconds to become so, for health, targets and lines each; `announce` is called
    with the name of each phase before it.
    """
    announce("health")
    health, warnings = host.wait_healthy(patience), tuple[str, ...]()
    if not health:
        nothing = f"nothing of the stack {space.stack} runs here: make up STACK={space.stack}"
        return verify.Report(space.stack, health, (), [nothing], base_url=base_url)
    unseen: list[str] = []
    scraped: list[dict[str, Any]] = []
    pages: list[tuple[str, str]] = []
    try:
        plan = render.plan_workspace(space)
        announce("targets")
        scraped, unseen = wait_targets(host, plan, patience)
        unseen += list_stopped(host, scraped)
        health, warnings = [*health, *verify.list_missing(plan, health)], plan.warnings
        announce("view")
        unseen += host.list_unseen(plan, patience if scraped else 0)
        differences = _compare_exposed(plan, host) if scraped else []
        unseen += [item.text for item in differences if item.certain]
        warnings = (*warnings, *(item.text for item in differences if not item.certain))
        unseen += content.list_empty_pages(plan, host)
        pages = forward.list_pages(plan)
        warnings = (*warnings, *(_list_quiet(plan, host) if scraped else ()))
    except ConfigError as error:
        scraped, unseen = wait_targets(host, None, patience)
        unseen.append(f"what should be there is not known: {error}")
    return verify.Report(space.stack, health, scraped, unseen, warnings, base_url, pages)


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
    deadline = time.monotonic() + timeout
    try:
        while True:
            scraped = host.wait_targets(max(0.0, deadline - time.monotonic()))
            lacking = verify.list_lacking(plan, scraped) if plan and scraped else []
            if not lacking or time.monotonic() > deadline:
                return scraped, lacking
            time.sleep(0.5)  # pods are found some seconds after they are there
    except RuntimeError as error:
        return [], [f"the targets are not known: {error}"]
