"""`observability restore`: fills the volumes of a stack that does not run from backups; the next `up` takes them over.

All that stands in the way is said at once, before anything is made.
"""

from __future__ import annotations

import argparse
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.filesize import decimal as format_bytes
from rich.markup import escape

from cli import lifecycle, render
from cli.arguments import FINE, UNWELL
from cli.backups import Copy, Opened, ask, build_command, find_folder, list_agents, parse_id, read_secrets
from cli.locks import refuse_locked
from cli.secrets import list_stored_names
from cli.tasks import INCOMPLETE, NOT_OURS, Task, Tasks
from cli.workspace import ROOT
from components.backup.settings import DATA_DIR
from model.errors import ConfigError, Problem, suggest_name
from model.workload import Workload

LATEST = "latest"


@dataclass(frozen=True, kw_only=True)
class Choice:
    """A backup that a volume is filled from."""

    agent: Workload
    volume: str
    copy: Copy


def choose_copy(copies: Sequence[Copy], wanted: str) -> Copy | None:
    """The newest backup, or the newest that is not younger than the one that is wanted."""
    old = [copy for copy in copies if wanted == LATEST or copy.id <= wanted]
    return max(old, key=lambda copy: copy.id, default=None)


def check_wanted(wanted: str, found: Mapping[str, Sequence[Copy]]) -> Iterator[str]:
    """Whether a backup of this ID is there at all: a slip of the pen must not lead to an older one."""
    known = {copy.id for copies in found.values() for copy in copies}
    if wanted != LATEST and wanted not in known:
        hint = suggest_name(wanted, known) if parse_id(wanted) else "an ID is like 20261130T031500Z"
        yield f"FROM={wanted} is the ID of no backup; {hint} (make backups lists them, FROM=latest takes the newest)"


def check_volumes(tasks: Tasks, agents: Sequence[Workload], stack: str, running: Sequence[str]) -> Iterator[str]:
    """What is in the way of data that is to come: a stack that runs, and volumes that are not empty."""
    if running:
        yield f"the stack runs ({', '.join(running[:3])}…); remove it first: make down STACK={stack}"
        return
    for agent in agents:
        for volume in tasks.list_volumes(agent):
            try:
                names = set(tasks.list_content(agent, volume)) - NOT_OURS
            except RuntimeError as error:
                yield str(error)
                continue
            if names and INCOMPLETE not in names:
                yield (
                    f"the volume {volume} of {agent.beside} is not empty; remove it, or all of the stack's:"
                    f" make down STACK={stack} PURGE=1"
                )


def check_names(agents: Sequence[Workload], without: Collection[str]) -> Iterator[str]:
    """Names in WITHOUT that have no backups at all."""
    known = [agent.beside for agent in agents]
    yield from (
        f"WITHOUT: {name!r} has no backups; {suggest_name(name, known)}" for name in without if name not in known
    )


def choose_backups(opened: Opened, wanted: str, without: Collection[str]) -> list[Choice]:
    """What each volume is filled from, but for those of parts that are left out.

    Raises:
        ConfigError: something stands in the way of one of them.
    """
    tasks, every = opened.host.open_tasks(opened.plan), list_agents(opened.plan)
    agents = [agent for agent in every if agent.beside not in without]
    running = tasks.list_running()
    problems = [*check_names(every, without), *check_volumes(tasks, agents, opened.plan.stack, running)]
    found: dict[str, list[Copy]] = {}
    for agent in agents:
        try:
            found[agent.beside] = ask(opened, agent, running=bool(running))
        except RuntimeError as error:
            problems.append(f"the backups of {agent.beside} cannot be listed: {error}")
    chosen = {name: copy for name, copies in found.items() if (copy := choose_copy(copies, wanted))}
    problems += list(check_wanted(wanted, found)) or list(check_missing(found, chosen, wanted))
    if problems:
        raise ConfigError(Problem(f"restore of {opened.plan.stack}", text) for text in problems)
    return [
        Choice(agent=agent, volume=volume, copy=chosen[agent.beside])
        for agent in agents
        for volume in tasks.list_volumes(agent)
    ]


def check_missing(found: Mapping[str, Sequence[Copy]], chosen: Collection[str], wanted: str) -> Iterator[str]:
    """Parts without a backup: that one of them begins empty has to be said."""
    when = "" if wanted == LATEST else f" of {wanted} or before"
    for name in found.keys() - set(chosen):
        yield f"{name} has no backup{when}; leave it out with WITHOUT={name}, and it begins empty"


def restore_stack(opened: Opened, choices: Sequence[Choice], console: Console) -> int:
    """Fills each volume. Returns 1 where one is not whole."""
    tasks = opened.host.open_tasks(opened.plan)
    made = {choice.volume: fill_volume(opened, tasks, choice, console) for choice in choices}
    whole = {choice.agent.beside: True for choice in choices}
    for choice in choices:
        whole[choice.agent.beside] = whole[choice.agent.beside] and made[choice.volume]
    done = [name for name, good in whole.items() if good]
    if len(done) == len(whole):
        finish(opened, done, console)
        return FINE
    console.print(
        f"[red]not restored: {', '.join(name for name in whole if name not in done)}[/]. Do not run `make up` before"
        " they are."
        + (f" Those that are whole are left as they are: say WITHOUT={','.join(done)} the next time." if done else "")
    )
    return UNWELL


def fill_volume(opened: Opened, tasks: Tasks, choice: Choice, console: Console) -> bool:
    """Makes a volume and fills it; whether all of the backup is in it."""
    agent, copy = choice.agent, choice.copy
    console.print(f"[bold]== {choice.volume}[/] from {copy.id}: {format_bytes(copy.bytes)} in {copy.files} files")
    options = ("--id", copy.id, *opened.list_options(), "--into", DATA_DIR)
    command = build_command("restore", *options, folder=find_folder(opened.plan))
    try:
        tasks.make_volume(agent, choice.volume)
        task = Task(agent=agent, command=command, secrets=read_secrets(opened.space, agent), volume=choice.volume)
        code = tasks.run(task, lambda line: console.print(f"   {escape(line)}"))
    except RuntimeError as error:
        console.print(f"   [red]{escape(str(error))}[/]")
        return False
    if code:
        console.print(f"   [red]exit status {code}[/]")
    return code == 0


def finish(opened: Opened, restored: Collection[str], console: Console) -> None:
    """Says what is still missing for the data to be of use, and what comes next."""
    stack = opened.plan.stack
    sources = [source for source in opened.plan.telemetry.backups if source.workload in restored]
    needed = {name for source in sources for name in source.secrets}
    for name in sorted(needed - list_stored_names(opened.space)):
        console.print(
            f"[yellow]{name} is not set[/]: `make up` generates another one, with which what the restored data has"
            f" encrypted cannot be read. If you have the old one: make secret STACK={stack} NAME={name}"
        )
    console.print(f"All is there. Start it: make up STACK={stack}")


def run_command(args: argparse.Namespace) -> int:
    """Restores the stack in `args`. Returns its exit code."""
    console = Console(highlight=False, soft_wrap=True)
    first = render.plan_file(ROOT / f"Pulumi.{args.stack}.yaml", args.stack)
    list_agents(first)  # before anything is fetched
    opened = Opened(*lifecycle.connect_stack(args.stack, lifecycle.fetch_prerequisites(first)), args.from_stack)
    refuse_locked(opened.space.backend, opened.space.stack)
    lifecycle.run_preflight(opened.host, opened.plan)
    without = args.without.replace(",", " ").split()
    return restore_stack(opened, choose_backups(opened, args.backup, without), console)
