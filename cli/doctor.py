"""`observability doctor`: all that is wrong with a stack, in the order in which it is mended.

A mistake in a file, an engine that lacks something, a part that does not run: each may be why of what comes after it.
Nothing that runs is changed.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Console
from rich.markup import escape

from cli import engine, render
from cli.arguments import FINE, UNWELL
from cli.exposed import Ask
from cli.hosts import Host, open_host
from cli.report import build_report
from cli.stack_file import find_location
from cli.table import Report
from cli.verify import describe_mend
from cli.waiting import say_waiting
from cli.workspace import ROOT, Workspace, open_workspace
from model.errors import ConfigError

SEVERITIES = ("critical", "warning", "info")
ALWAYS = "Watchdog"
"""The alert that fires as long as all is well."""
PATIENCE = 5.0
"""Seconds: a doctor is asked when something is wrong already, so waiting for it to end is of no use."""
console = Console(highlight=False, soft_wrap=True)


@dataclass(frozen=True)
class Trouble:
    """Something that is wrong: where, what, and what to do about it."""

    where: str
    what: str
    remedy: str


def list_mistakes(stack: str) -> Iterator[Trouble]:
    """What `make up` would refuse in the files of a stack."""
    try:
        render.plan_file(ROOT / f"Pulumi.{stack}.yaml", stack)
    except ConfigError as error:
        for problem in error.problems:
            yield Trouble(
                "file", str(problem), f"change it; `make render STACK={stack}` checks all of it and touches nothing"
            )


def list_obstacles(space: Workspace, host: Host) -> Iterator[Trouble]:
    """What the engine or the cluster lacks for the stack as its files have it, with what is known of this machine."""
    try:
        plan = render.plan_workspace(space)
    except ConfigError:
        return  # a mistake that is said already
    for sentence in host.check_preflight(plan):
        yield Trouble(plan.settings.target, sentence, "docs/operations.md says what each engine needs")


def list_sick(report: Report, host: Host) -> Iterator[Trouble]:
    """Workloads that are not well, each with its last words."""
    said = {name.removeprefix(f"{report.stack}-"): text for name, text in host.read_last_log_lines()}
    for item in report.workloads:
        if not item.good:
            words = said.get(item.workload, "").strip().splitlines()[-1:]
            what = f"{item.workload} is {item.state}" + "".join(f"; it last said: {line}" for line in words)
            yield Trouble("workload", what, describe_mend(report.stack))


def list_unwatched(report: Report) -> Iterator[Trouble]:
    """Targets that are down, and what runs and is watched by nobody."""
    for target in report.scraped:
        if target["health"] != "up":
            service = target["labels"].get("service", target["labels"]["job"])
            what = f"{service} at {target['scrapeUrl']} is not scraped: {target['lastError'] or 'not yet asked'}"
            yield Trouble("target", what, "docs/scraping.md: how a service is reached, and what each error means")
    sick = [item.workload for item in report.workloads if not item.good]
    for sentence in report.unseen:
        if any(f"{report.stack}-{name} " in sentence for name in sick):
            continue  # it asked what is sick, which is said already
        yield Trouble("unseen", sentence, f"`make verify STACK={report.stack}` looks again")


def list_alerts(ask: Ask, state: str = "firing") -> Iterator[Trouble]:
    """Alerts that fire now, or wait for their `for` (pending), the most severe first."""
    try:
        alerts = ask("alerts")["alerts"]
    except RuntimeError:
        return  # that it does not answer is said already

    def rank(alert: dict[str, Any]) -> tuple[int, str]:
        severity = alert["labels"].get("severity", "")
        return (SEVERITIES.index(severity) if severity in SEVERITIES else len(SEVERITIES), alert["labels"]["alertname"])

    for alert in sorted((a for a in alerts if a["state"] == state), key=rank):
        name, labels = alert["labels"]["alertname"], alert["labels"]
        if name != ALWAYS:
            of = f" of {labels['service']}" if "service" in labels else ""
            what = f"{name}{of} ({labels.get('severity', 'no severity')}): {alert['annotations'].get('summary', '')}"
            page = f"docs/runbooks/{name}.md"
            known = (ROOT / page).exists()
            yield Trouble(
                "alert", what, page if known else alert["annotations"].get("description", "its rule says why")
            )


@dataclass(frozen=True)
class Diagnosis:
    """Everything that is wrong with a stack, in the order in which to mend it, and what may become so, as sentences."""

    troubles: Sequence[Trouble]
    notes: Sequence[str] = ()


def diagnose_stack(stack: str) -> Diagnosis:
    """Looks at files, place, workloads, targets and alerts of a stack."""
    troubles = [*list_mistakes(stack)]
    try:
        space = open_workspace(stack, engine.build_tool_env())
        location, base_url = find_location(space.directory, stack)
        host = open_host(stack, location)
        obstacles = [*list_obstacles(space, host)]
    except ConfigError as error:  # without the place nothing else can be looked at
        places = [Trouble("place", str(problem), "without it nothing is known") for problem in error.problems]
        return Diagnosis(troubles or places)
    except SystemExit as error:
        place = Trouble("engine", str(error), "start it, or say where it is: docs/operations.md")
        return Diagnosis([*troubles, place])
    report = build_report(space, base_url, host, PATIENCE)
    ask = host.ask_prometheus
    troubles += [*obstacles, *list_sick(report, host), *list_unwatched(report), *list_alerts(ask)]
    pending = [f"pending: {each.what}" for each in list_alerts(ask, "pending")]
    return Diagnosis(troubles, [*pending, *report.warnings])


def print_diagnosis(stack: str, diagnosis: Diagnosis) -> None:
    """Prints what is wrong as a numbered list, or that nothing is; below it what may become so."""
    troubles = diagnosis.troubles
    if troubles:
        console.print(
            f"Stack {stack}: {len(troubles)} found; mend the first and look again, as others may follow from it"
        )
    else:
        console.print(f"Stack {stack}: nothing is wrong")
    for number, trouble in enumerate(troubles, start=1):
        console.print(f"{number:3}. [red]{trouble.where}[/] {escape(trouble.what)}")
        console.print(f"     {escape(trouble.remedy)}")
    for note in diagnosis.notes:
        console.print(f"     [yellow]note[/] {escape(note)}")


def run_command(args: argparse.Namespace) -> int:
    """Prints what is wrong. Returns 1 where anything is."""
    with say_waiting(None if args.json else console.print):
        diagnosis = diagnose_stack(args.stack)
    if args.json:
        print(json.dumps({"stack": args.stack, **asdict(diagnosis)}))
    else:
        print_diagnosis(args.stack, diagnosis)
    return UNWELL if diagnosis.troubles else FINE
