"""`observability backup` and `backups`: backups now, and what is at the destination.

The programs run in the agents' own containers; where the stack does not run, what is at the destination is listed by
a container, or a Job, of its own (see `cli.tasks`).
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.filesize import decimal as format_bytes
from rich.markup import escape
from rich.table import Table

from cli.arguments import FINE, UNWELL
from cli.hosts import Host
from cli.running import open_running
from cli.secrets import format_age
from cli.tasks import Say, Task
from cli.workspace import PROJECT, Workspace
from components.backup.settings import CONFIG_DIR, DOCUMENT, NAME, PROGRAM, SCRATCH_DIR
from model.base import HOUR
from model.errors import ConfigError, Problem
from model.places import locate_in_section
from model.plan import Plan
from model.workload import Workload

WAIT = HOUR
"""Seconds that a run waits for one of the schedule that is underway."""
_SAID = {"id", "bytes", "files", "uploaded_bytes", "seconds"}
"""What a run says at its end."""
ID = "%Y%m%dT%H%M%SZ"
"""How the ID of a backup says its time, in UTC."""


STATE = "pulumi-state"
"""What copies of the state are called among the backups."""


@dataclass(frozen=True, kw_only=True)
class Copy:
    """A backup at the destination: bytes and files of the whole volume, and when it ended (RFC 3339)."""

    id: str
    bytes: int
    files: int
    ended: str


@dataclass(frozen=True)
class Opened:
    """A stack: its workspace, its plan with its secrets, where it runs, and whose backups are meant if not its own."""

    space: Workspace
    plan: Plan
    host: Host
    source: str = ""

    def list_options(self) -> tuple[str, ...]:
        """What an agent's program is given to read the backups that are meant."""
        return ("--from-stack", self.source) if self.source else ()


def list_agents(plan: Plan) -> tuple[Workload, ...]:
    """The agents of a stack.

    Raises:
        ConfigError: it has no backups.
    """
    if not (agents := plan.workloads.get(NAME, ())):
        message = "false, so there are no backups; name a destination (docs/how-to/back-up-and-restore.md)"
        raise ConfigError([Problem(locate_in_section(plan.stack, NAME, "enabled"), message)])
    return agents


def build_command(word: str, *more: str, folder: str = CONFIG_DIR) -> tuple[str, ...]:
    """The command line of an agent's program, whose document is in `folder`."""
    return (*PROGRAM, word, "--document", f"{folder}/{DOCUMENT}", *more)


def find_folder(plan: Plan) -> str:
    """Where a task finds the document."""
    return SCRATCH_DIR if plan.settings.target == "docker" else CONFIG_DIR


def read_secrets(space: Workspace, agent: Workload) -> dict[str, str]:
    """The contents of an agent's secret files by path, from the stack's configuration: nothing of it is generated."""
    done = space.run_pulumi("config", "--show-secrets", "--json", "--stack", space.stack, capture=True)
    values = {key.removeprefix(f"{PROJECT}:"): item.get("value", "") for key, item in json.loads(done.stdout).items()}
    return {file.path: file.fill(str(values[file.secret])) for file in agent.secrets}


# -- backup ----------------------------------------------------------------------------------------------------------


def run_backups(plan: Plan, host: Host, console: Console) -> int:
    """Has every agent make a backup, one after the other. Returns 1 where one fails."""
    agents = list_agents(plan)
    failed = [agent.beside for agent in agents if not run_backup(agent, host, console)]
    if failed:
        console.print(f"[red]no backup of {', '.join(failed)}[/]: the lines above say why")
    return UNWELL if failed else FINE


def run_backup(agent: Workload, host: Host, console: Console) -> bool:
    """Has one agent make a backup, and shows its lines; whether it did."""
    console.print(f"[bold]== {agent.beside}[/]")
    lines: list[str] = []

    def say(line: str) -> None:
        if lines:
            console.print(f"   {escape(lines[-1])}")
        lines.append(line)

    try:
        code = host.run_program(agent.name, build_command("run", "--wait", str(WAIT)), say)
    except RuntimeError as error:
        console.print(f"   [red]{escape(str(error))}[/]")
        return False
    done = parse_run(lines[-1] if lines else "")
    if code or done is None:
        console.print(f"   {escape(lines[-1] if lines else 'it said nothing')} [red](exit status {code})[/]")
        return False
    console.print(f"   {describe_run(done)}")
    return True


def parse_run(line: str) -> dict[str, Any] | None:
    """What a run says in its last line, as a JSON object; None where it is none."""
    try:
        value = json.loads(line)
    except ValueError:
        return None
    return value if isinstance(value, dict) and value.keys() >= _SAID else None


def describe_run(done: Mapping[str, Any]) -> str:
    """What a run says at its end, for people."""
    return (
        f"{done['id']}: {format_bytes(int(done['bytes']))} in {done['files']} files,"
        f" {format_bytes(int(done['uploaded_bytes']))} uploaded, {float(done['seconds']):.1f} s"
    )


# -- backups ---------------------------------------------------------------------------------------------------------


def list_copies(ask: Callable[[tuple[str, ...], Say], int], command: tuple[str, ...]) -> list[Copy]:
    """What an agent says is at the destination, newest first.

    Raises:
        RuntimeError: it says nothing that could be read.
    """
    lines: list[str] = []
    code = ask(command, lines.append)
    if code:
        raise RuntimeError(f"exit status {code}: {' '.join(lines)[-500:]}")
    return parse_copies(lines)


def parse_copies(lines: Sequence[str]) -> list[Copy]:
    """The JSON array that a list ends with, on one line or on several.

    Raises:
        RuntimeError: there is none.
    """
    text = "\n".join(lines)
    begin = max((number for number, line in enumerate(lines) if line.startswith("[")), default=len(lines))
    try:
        entries = json.loads("\n".join(lines[begin:]))
        return [Copy(**{key: item[key] for key in ("id", "bytes", "files", "ended")}) for item in entries]
    except (ValueError, KeyError, TypeError):
        raise RuntimeError(f"no list of backups: {text[-500:]}") from None


def ask_running(host: Host, agent: Workload, *more: str) -> list[Copy]:
    """What is at the destination, by the agent that runs; `more` are words of its command line.

    Raises:
        RuntimeError: it does not run, or does not reach it.
    """
    return list_copies(lambda command, say: host.run_program(agent.name, command, say), build_command("list", *more))


def ask_once(opened: Opened, agent: Workload, *more: str) -> list[Copy]:
    """What is at the destination, where no agent runs.

    Raises:
        RuntimeError: it cannot be reached.
    """
    tasks, secrets = opened.host.open_tasks(opened.plan), read_secrets(opened.space, agent)
    command = build_command("list", *opened.list_options(), *more, folder=find_folder(opened.plan))
    return list_copies(lambda words, say: tasks.run(Task(agent=agent, command=words, secrets=secrets), say), command)


def ask(opened: Opened, agent: Workload, *more: str, running: bool) -> list[Copy]:
    """What is at the destination, newest first; nothing is made for it where the stack runs.

    Raises:
        RuntimeError: it cannot be reached.
    """
    return ask_running(opened.host, agent, *more) if running else ask_once(opened, agent, *more)


def show_copies(opened: Opened, console: Console, *, as_json: bool) -> int:
    """Prints what is at the destination. Returns 1 where something has no backup, or it cannot be known."""
    plan = opened.plan
    agents, running = list_agents(plan), bool(opened.host.open_tasks(plan).list_running())
    found: dict[str, list[Copy]] = {}
    unknown: dict[str, str] = {}
    asked: list[tuple[str, Workload, tuple[str, ...]]] = [(agent.beside, agent, ()) for agent in agents]
    for name, agent, more in (*asked, (STATE, agents[0], ("--name", STATE))):
        try:
            found[name] = ask(opened, agent, *more, running=running)
        except RuntimeError as error:
            unknown[name] = str(error)
    if as_json:
        print(json.dumps({"stack": plan.stack, "backups": _describe(found), "unknown": unknown}))
    else:
        print_copies(plan.stack, found, unknown, console)
    return UNWELL if unknown or not all(found.values()) else FINE


def _describe(found: Mapping[str, Sequence[Copy]]) -> dict[str, Any]:
    return {name: [asdict(copy) for copy in copies] for name, copies in found.items()}


def print_copies(stack: str, found: Mapping[str, Sequence[Copy]], unknown: Mapping[str, str], console: Console) -> None:
    """Prints a table of backups, and what has none."""
    table = Table(title=f"Backups of stack {stack}", title_justify="left")
    for heading in ("of", "id", "age", "size", "files"):
        table.add_column(heading, no_wrap=True)
    now = datetime.now(UTC)
    for name, copies in found.items():
        for copy in copies:
            table.add_row(
                name, copy.id, format_age(parse_id(copy.id), now), format_bytes(copy.bytes), f"{copy.files:,}"
            )
    console.print(table)
    for name in (name for name, copies in found.items() if not copies):
        console.print(f"[red]{name} has no backup[/]: make backup STACK={stack}")
    for name, why in unknown.items():
        console.print(f"[red]{name}: what is at the destination cannot be known:[/] {escape(why)}")


def parse_id(text: str) -> datetime | None:
    """The time that the ID of a backup says; None where it says none."""
    try:
        return datetime.strptime(text, ID).replace(tzinfo=UTC)
    except ValueError:
        return None


def run_command(args: argparse.Namespace) -> int:
    """Shows the backups that there are. Returns the exit code."""
    console = Console(highlight=False, soft_wrap=True, stderr=args.json)
    opened = Opened(*open_running(args.stack))
    return show_copies(opened, console, as_json=args.json)
