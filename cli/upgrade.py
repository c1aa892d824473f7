"""`observability upgrade`: other versions of images, one after the other, each with its health and its data checked.

What waits for its turn is held by the setting `versions`, so whatever ends the command, the next run starts from what
runs. A version that does not do well is taken back.
"""

from __future__ import annotations

import argparse
import subprocess
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from rich.console import Console
from rich.markup import escape

from cli import engine, lifecycle, render, stored, verify
from cli.arguments import FINE, UNWELL
from cli.backups import run_backups
from cli.hosts import Host
from cli.locks import refuse_locked
from cli.versions import Upgrade, list_upgrades, print_upgrades, read_deployed
from cli.workspace import ROOT, Workspace, hold_versions, open_workspace, read_held
from components.backup.settings import NAME as BACKUP
from model.errors import ConfigError, Problem, suggest_name
from model.images import hold_tags
from model.plan import Plan
from stack.assemble import load_images

ANSWERS = 120.0
"""Seconds within which a part answers as before once it is healthy: Loki reads its write-ahead log meanwhile."""
console = Console(highlight=False, soft_wrap=True)


@dataclass
class Course:
    """An upgrade that is underway.

    Attributes:
        stack: the stack's name.
        held: tags of what waits for its turn, or was taken back, by the images' names.
        known: what was wrong around the stack before the first step, as sentences.
        stored: what was stored before the first step; `moment` is until when, in seconds of the Unix epoch.
    """

    stack: str
    held: dict[str, str]
    known: Collection[str] = ()
    stored: Mapping[str, float] = field(default_factory=dict)
    moment: float = 0

    def begin(self) -> list[str]:
        """Deploys with all versions as they are, and remembers how it is then. Returns what is wrong, as sentences.

        Targets that are down already do not stand in the way.
        """
        if isinstance(done := self.roll_out(), list):
            return done
        report, plan, host = done
        self.known = list_troubles(report)
        moment = time.time() - stored.ARRIVED
        self.stored = stored.read_stored(plan, host, moment)
        self.moment = moment
        return list_unwell(report)

    def go_on(self) -> list[str]:
        """Deploys with what is held. Returns what is worse than at the beginning, as sentences."""
        if isinstance(done := self.roll_out(), list):
            return done
        report, plan, host = done
        worse = [text for text in list_troubles(report) if text not in self.known]
        if wrong := [*list_unwell(report), *worse]:
            lifecycle.print_failures(host)
            return wrong

        def read() -> Mapping[str, float]:
            return stored.read_stored(plan, host, self.moment)

        return stored.wait_stored(read, self.stored, ANSWERS, stored.get_slack(plan))

    def roll_out(self) -> tuple[verify.Report, Plan, Host] | list[str]:
        """Deploys with what is held, and says how it is then; what is wrong, as sentences, where Pulumi failed.

        Raises:
            ConfigError: the files are wrong, or the host is in the way of a run.
            LockedError: another run came first.
        """
        hold_versions(open_workspace(self.stack, engine.build_tool_env()), self.held)
        space, plan, host = lifecycle.connect_stack(self.stack)
        try:
            return lifecycle.roll_out(space, plan, host, lifecycle.Phases()), plan, host
        except subprocess.CalledProcessError:
            lifecycle.print_failures(host)
            return ["Pulumi failed: its lines above say why"]


def list_unwell(report: verify.Report) -> list[str]:
    """The stack's own parts that are not well, as sentences."""
    return [f"{item.workload} is {item.state}" for item in report.workloads if not item.good]


def list_troubles(report: verify.Report) -> list[str]:
    """What is wrong around a stack's parts, as sentences: targets that are down, and what is watched by nobody."""
    down = [f"{target['scrapeUrl']} is {target['health']}" for target in report.scraped if target["health"] != "up"]
    return [*down, *report.unseen, *([] if report.scraped else ["no targets are known"])]


def upgrade_stack(course: Course, upgrades: Sequence[Upgrade]) -> int:
    """Brings one image after the other to its version. Returns 1 where one of them was taken back."""
    announce(f"all as it is, with the files of this checkout: {', '.join(f'{u.name} {u.before}' for u in upgrades)}")
    if wrong := course.begin():
        _say_wrong("nothing was upgraded, as the stack is not well", wrong)
        return UNWELL
    for number, upgrade in enumerate(upgrades, 1):
        announce(f"{number} of {len(upgrades)}: {upgrade.name} {upgrade.before} -> {upgrade.after}")
        began = time.monotonic()
        del course.held[upgrade.name]
        if wrong := course.go_on():
            _say_wrong(f"{upgrade.name} {upgrade.after} does not do well", wrong)
            take_back(course, upgrade)
            return UNWELL
        seconds = time.monotonic() - began
        console.print(
            f"   [green]{upgrade.name} {upgrade.after}[/]: healthy, and all that was stored is there ({seconds:.0f} s)"
        )
    return FINE


def take_back(course: Course, upgrade: Upgrade) -> None:
    """Puts the version before in place again, where it reads what the new one has written."""
    stack = course.stack
    course.held[upgrade.name] = upgrade.before
    if not upgrade.reversible:
        hold_versions(open_workspace(stack, engine.build_tool_env()), course.held)
        console.print(
            f"[red]{upgrade.before} may not read what {upgrade.after} has written, so it is left as it is.[/] Mend it,"
            f" or go back with a backup, which needs empty volumes ({', '.join(upgrade.stores)}):"
            f" make down STACK={stack}; make restore STACK={stack} FROM=latest; make up STACK={stack}"
        )
        return
    announce(f"back: {upgrade.name} {upgrade.after} -> {upgrade.before}")
    if wrong := course.go_on():
        _say_wrong(f"{upgrade.name} is back at {upgrade.before}, and it is not well", wrong)
        return
    console.print(f"[yellow]{upgrade.name} is back at {upgrade.before}, healthy, with all that was stored.[/]")
    console.print(
        f"`versions` holds it there, and what would have come after it: {', '.join(sorted(course.held))}."
        f" Once the cause is mended: make upgrade STACK={stack}"
    )


def announce(text: str) -> None:
    """Prints what begins now."""
    console.print(f"[bold]== {escape(text)}[/]")


def _say_wrong(what: str, why: Sequence[str]) -> None:
    console.print(f"[red]{escape(what)}[/]")
    for sentence in why:
        console.print(f"   {escape(sentence)}")


# -- before it -------------------------------------------------------------------------------------------------------


def check_upgrades(
    stack: str, upgrades: Sequence[Upgrade], only: Sequence[str], *, saved: bool, without_backup: bool
) -> list[Problem]:
    """What stands in the way of upgrades, and what cannot be meant.

    Args:
        stack: the stack's name.
        upgrades: all that there are.
        only: names of those that are wanted; all when empty.
        saved: whether the stack makes backups.
        without_backup: whether people said that they want none.
    """
    names, where = [each.name for each in upgrades], f"stack {stack}"
    problems = [
        Problem("ONLY", f"{name!r} is no image that has another version; {suggest_name(name, names)}")
        for name in only
        if name not in names
    ]
    wanted = [each for each in upgrades if not only or each.name in only]
    problems += [
        Problem(
            where,
            f"{each.name} {each.before} is newer than {each.after}, which may not read its data; hold it:"
            f" observability:versions: {{{each.name}: {each.before}}} in Pulumi.{stack}.yaml",
        )
        for each in wanted
        if each.back and each.stores
    ]
    stores = sorted({name for each in wanted for name in each.stores})
    if stores and not saved and not without_backup:
        message = (
            f"{', '.join(stores)} store data, and the stack makes no backups (docs/how-to/back-up-and-restore.md);"
            " say WITHOUT_BACKUP=1 if losing it is no harm"
        )
        problems.append(Problem(where, message))
    return problems


def prepare_upgrades(stack: str) -> tuple[Workspace, Plan, Host, list[Upgrade]]:
    """The stack's workspace and plan, where it runs, and what of it has another version than the checkout.

    What an earlier upgrade holds is upgraded; what people say in the stack's own file is the version that they want.

    Raises:
        ConfigError: something in its files is wrong.
        LockedError: another run changes the stack.
    """
    first = render.plan_file(ROOT / f"Pulumi.{stack}.yaml", stack)
    space, plan, host = lifecycle.connect_stack(stack, lifecycle.fetch_prerequisites(first))
    refuse_locked(space.backend, space.stack)
    record = read_held(stack)
    own = {name: tag for name, tag in plan.settings.versions.items() if name not in record["held"]}
    images = hold_tags(load_images(ROOT), {**own, **record["said"]})
    return space, plan, host, list_upgrades(plan, images, read_deployed(space.export_state(), images))


def run_command(args: argparse.Namespace) -> int:
    """Upgrades the stack in `args`, or shows what there is to upgrade. Returns its exit code."""
    only = args.only.replace(",", " ").split()
    space, plan, host, upgrades = prepare_upgrades(args.stack)
    if not upgrades:
        if not args.list:
            hold_versions(space, {})  # what was held waits for nothing any more
        console.print(f"every image of stack {args.stack} has the version of configs/images.yaml, or is held")
        return FINE
    print_upgrades(args.stack, upgrades, console)
    if args.list:
        return FINE
    saved = bool(plan.workloads.get(BACKUP))
    if problems := check_upgrades(args.stack, upgrades, only, saved=saved, without_backup=args.without_backup):
        raise ConfigError(problems)
    if saved and not args.without_backup and run_backups(plan, host, console) != FINE:
        console.print("nothing was upgraded, as there is no backup")
        return UNWELL
    course = Course(args.stack, {each.name: each.before for each in upgrades})
    code = upgrade_stack(course, [each for each in upgrades if not only or each.name in only])
    if code == FINE:
        console.print(f"stack {args.stack} has all versions that were wanted")
    return code
