"""`observability drift`: what runs of a stack, compared with what its files declare. Nothing is changed.

Everything is compared that somebody could have changed behind Pulumi's back: see `targets.docker.drift`,
`targets.kubernetes.drift`, `cli.delivered` and `cli.edited`. A schedule reads the exit code, and `--notify` has the
stack's own Alertmanager say it.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

from docker.errors import DockerException
from rich.console import Console
from rich.markup import escape

from cli import edited, secrets
from cli.alertmanagers import Instance, build_labels
from cli.arguments import DRIFTED, FINE, UNREAD
from cli.hosts import Host
from cli.running import open_running
from cli.tunnel import ask_tunnel
from cli.workspace import Workspace
from components.grafana.settings import NAME as GRAFANA
from components.grafana.settings import PASSWORD
from components.grafana.settings import PORT as GRAFANA_PORT
from model.base import parse_duration
from model.deviation import Drift
from model.plan import Plan

ALERT = "StackDrift"
OLD = timedelta(days=365)
"""A year: the longest that common rules for passwords of machines allow without a change."""
console = Console(highlight=False, soft_wrap=True)


def find_drift(space: Workspace, plan: Plan, host: Host, now: datetime) -> Drift:
    """Compares all that can be looked at; what cannot is a sentence of the result."""
    with ThreadPoolExecutor(1) as beside:  # Pulumi is another process, so it costs no time
        ages = beside.submit(_look, "the ages of secrets", lambda: list_old_secrets(space, plan, now))
        drift = _look("what the platform has", lambda: host.compare(plan))
        for part in host.compare_documents(plan).values():
            drift += part
        if edited.has_database(plan):
            drift += _look("what is in Grafana's database", lambda: _compare_grafana(space, plan, host))
        drift += _look("silences", lambda: edited.compare_silences(host.list_alertmanagers(), now))
        return drift + ages.result()


def _look(what: str, compare: Callable[[], Drift]) -> Drift:
    try:
        return compare()
    except (DockerException, LookupError, OSError, RuntimeError, ValueError, subprocess.SubprocessError) as error:
        return Drift(unread=(f"{what} could not be looked at: {error}",))


def _compare_grafana(space: Workspace, plan: Plan, host: Host) -> Drift:
    password = space.read_outputs(show_secrets=True).get(PASSWORD)
    if not password:
        raise RuntimeError(f"the stack has no {PASSWORD}")

    def ask(path: str) -> Any:
        tunnel = host.open_tunnel(GRAFANA, GRAFANA_PORT)
        return json.loads(ask_tunnel(tunnel, "GET", path, login=("admin", str(password))).text)

    return edited.compare_grafana(plan, ask, host.at_once)


def list_old_secrets(space: Workspace, plan: Plan, now: datetime) -> Drift:
    """Notes on secrets that have had their value for more than a year, and that can have another one."""
    times = secrets.find_times(space, plan, secrets.list_stored_names(space))
    old = sorted(name for name, since in times.items() if now - since > OLD and not plan.secrets[name].permanent)
    return Drift(
        notes=tuple(
            f"secret {name}: it has had its value for {secrets.format_age(times[name], now)}; make rotate NAME={name}"
            for name in old
        )
    )


# -- what comes of it --------------------------------------------------------------------------------------------------


def print_drift(stack: str, drift: Drift) -> None:
    """Prints what is not as declared, and nothing where all is: a schedule sends what a command prints."""
    if drift.deviations:
        console.print(f"Stack {stack}: {len(drift.deviations)} not as declared")
    for number, item in enumerate(drift.deviations, start=1):
        what = escape(f"{item.name}, {item.what}: declared {item.declared}; running {item.running}")
        console.print(f"{number:3}. [red]{item.kind}[/] {what}")
        console.print(f"     {escape(item.repair)}")
    for sentence in drift.unread:
        console.print(f"     [yellow]not compared[/] {escape(sentence)}")
    for sentence in drift.notes:
        console.print(f"     [yellow]note[/] {escape(sentence)}")


def choose_code(drift: Drift) -> int:
    """The exit code: what is certain counts before what is not known."""
    return DRIFTED if drift.deviations else UNREAD if drift.unread else FINE


def notify(plan: Plan, instances: Sequence[Instance], drift: Drift, lasting: timedelta, now: datetime) -> Drift:
    """Has Alertmanager say that there is drift, for so long, or that there is none any more.

    Returns the drift; that nobody could be notified is one more sentence of it.
    """
    well = choose_code(drift) == FINE
    body = json.dumps([build_alert(plan, drift, now, now if well else now + lasting)])
    why, sent = "no Alertmanager runs", 0
    for instance in instances:
        try:
            instance.ask("/api/v2/alerts", body)
            sent += 1
        except RuntimeError as error:
            why = str(error)
    return drift if sent else drift + Drift(unread=(f"nobody is notified: {why}",))


def build_alert(plan: Plan, drift: Drift, now: datetime, until: datetime) -> dict[str, Any]:
    """The alert as Alertmanager's API takes it; its labels are always the same ones, so that it can end."""
    every = [f"{item.kind} {item.name}, {item.what}" for item in drift.deviations] + list(drift.unread)
    annotations = {
        "summary": f"{len(drift.deviations)} not as declared, {len(drift.unread)} not compared",
        "description": "; ".join(every[:10]) + f". `make drift STACK={plan.stack}` says all of it.",
    }
    return {
        "labels": {"alertname": ALERT, "severity": "warning", **build_labels(plan)},
        "annotations": annotations,
        "startsAt": now.isoformat(),
        "endsAt": until.isoformat(),
        "generatorURL": plan.settings.base_url,
    }


def run_command(args: argparse.Namespace) -> int:
    """Prints what runs otherwise than declared. Returns one of FINE, DRIFTED and UNREAD."""
    began, now = time.monotonic(), datetime.now(UTC)
    try:
        space, plan, host = open_running(args.stack)
    except (SystemExit, subprocess.SubprocessError) as error:
        return _print_unreached(args, str(error))
    drift = find_drift(space, plan, host, now)
    if args.notify:
        lasting = timedelta(seconds=parse_duration(args.notify))
        drift = notify(plan, host.list_alertmanagers(), drift, lasting, now)
    if args.json:
        seconds = round(time.monotonic() - began, 1)
        print(json.dumps({"stack": args.stack, "code": choose_code(drift), "seconds": seconds, **asdict(drift)}))
    else:
        print_drift(args.stack, drift)
    return choose_code(drift)


def _print_unreached(args: argparse.Namespace, why: str) -> int:
    """Without the place nothing can be compared."""
    drift = Drift(unread=(why,))
    if args.json:
        print(json.dumps({"stack": args.stack, "code": UNREAD, **asdict(drift)}))
    else:
        print_drift(args.stack, drift)
    return UNREAD
