"""`observability upgrade`: other versions of images, one after the other, each with its health and its data checked.

What waits for its turn is held by the setting `versions`, and what a step is compared with is stored before it begins:
whatever ends the command, the next run looks at that step first. A version that does not do well is taken back.
"""

from __future__ import annotations

import argparse
import fcntl
import re
import subprocess
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.console import Console
from rich.markup import escape

from cli import engine, lifecycle, render, stored
from cli.arguments import FINE, UNWELL
from cli.backups import run_backups
from cli.held import hold_versions, read_wanted
from cli.hosts import Host
from cli.locks import refuse_locked
from cli.pulled import PullError
from cli.record import Underway, read_record
from cli.runs import LockedError
from cli.table import Report
from cli.versions import Upgrade, build_upgrade, list_upgrades, print_upgrades, read_deployed
from cli.workspace import ROOT, Workspace, find_held_file, open_workspace
from components.backup.settings import NAME as BACKUP
from model.errors import ConfigError, Problem, suggest_name
from model.images import Image, hold_tags
from model.plan import Plan
from stack.assemble import load_images

ANSWERS = 120.0
"""Seconds within which a part answers as before once it is healthy: Loki reads its write-ahead log meanwhile."""
console = Console(highlight=False, soft_wrap=True)


# -- how it is -------------------------------------------------------------------------------------------------------


def list_unwell(report: Report) -> list[str]:
    """The stack's own parts that are not well, as sentences."""
    if not report.workloads:
        return ["no part of the stack runs"]
    return [f"{item.workload} is {item.state}" for item in report.workloads if not item.good]


def count_troubles(report: Report) -> Counter[str]:
    """How often each kind of trouble is there around a stack's parts: targets that are down, and what nobody watches.

    Numbers in sentences and addresses of pods change by themselves, so they tell no kinds apart.
    """
    labels = (target["labels"] for target in report.scraped if target["health"] != "up")
    down = [f"targets of {each.get('service', '')} (job {each.get('job', '')}) are down" for each in labels]
    unseen = [re.sub(r"\d+", "N", sentence) for sentence in report.unseen]
    return Counter([*down, *unseen, *([] if report.scraped else ["no targets are known"])])


# -- a course --------------------------------------------------------------------------------------------------------


@dataclass
class Course:
    """An upgrade that is underway.

    Attributes:
        stack: the stack's name.
        held: tags of what waits for its turn, or was taken back, by the images' names.
        known: how often each kind of trouble was there before the first step.
        stored: what was stored before the first step; `moment` is until when, in seconds of the Unix epoch.
    """

    stack: str
    held: dict[str, str]
    known: Mapping[str, int] = field(default_factory=dict)
    stored: Mapping[str, float] = field(default_factory=dict)
    moment: float = 0

    def begin(self) -> list[str]:
        """Deploys with all versions as they are, and remembers how it is then. Returns what is wrong, as sentences.

        Targets that are down already do not stand in the way.
        """
        if isinstance(done := self._roll_out(None), list):
            return done
        report, plan, host = done
        if unwell := list_unwell(report):
            return unwell
        self.known, moment = count_troubles(report), time.time() - stored.ARRIVED
        try:
            self.stored = stored.wait_answers(lambda: stored.read_stored(plan, host, moment), ANSWERS)
        except RuntimeError as error:
            return [f"what is stored is not known: {error}"]
        self.moment = moment
        if not any(name.startswith(stored.SAMPLES_OF) for name in self.stored):
            return ["Prometheus has stored nothing yet that could be compared; try again in some minutes"]
        return []

    def take_step(self, upgrade: Upgrade) -> list[str]:
        """Deploys an image's other version. Returns what is worse than at the beginning, as sentences."""
        self.held.pop(upgrade.name, None)
        wrong = self._look(
            Underway(
                name=upgrade.name,
                before=upgrade.before,
                known=dict(self.known),
                stored=dict(self.stored),
                moment=self.moment,
            )
        )
        if not wrong:
            self.hold()
        return wrong

    def go_back(self, upgrade: Upgrade) -> list[str]:
        """Deploys an image's version before. Returns what is worse than at the beginning, as sentences."""
        self.held[upgrade.name] = upgrade.before
        return self._look(None)

    def hold(self) -> None:
        """Has `versions` say what is held; no step is underway any more."""
        hold_versions(open_workspace(self.stack, engine.build_tool_env()), self.held)

    def _look(self, underway: Underway | None) -> list[str]:
        if isinstance(done := self._roll_out(underway), list):
            return done
        report, plan, host = done
        worse = [kind for kind, count in count_troubles(report).items() if count > self.known.get(kind, 0)]
        if wrong := [*list_unwell(report), *worse]:
            lifecycle.print_failures(host)
            return wrong

        def read() -> Mapping[str, float]:
            return stored.read_stored(plan, host, self.moment)

        return stored.wait_stored(read, self.stored, ANSWERS, stored.get_slack(plan))

    def _roll_out(self, underway: Underway | None) -> tuple[Report, Plan, Host] | list[str]:
        """Deploys with what is held, and says how it is then; what is wrong, as sentences, where Pulumi failed.

        Raises:
            ConfigError: the files are wrong, or the host is in the way of a run.
            LockedError: another run came first.
        """
        hold_versions(open_workspace(self.stack, engine.build_tool_env()), self.held, underway)
        space, plan, host = lifecycle.connect_stack(self.stack)
        try:
            return lifecycle.roll_out(space, plan, host, lifecycle.Phases()), plan, host
        except PullError as error:
            return [str(problem) for problem in error.problems]
        except subprocess.CalledProcessError:
            lifecycle.print_failures(host)
            return ["Pulumi failed: its lines above say why"]


def upgrade_stack(course: Course, upgrades: Sequence[Upgrade], plan: Plan) -> int:
    """Brings one image after the other to its version. Returns 1 where one of them was taken back."""
    announce(f"all as it is, with the files of this checkout: {', '.join(f'{u.name} {u.before}' for u in upgrades)}")
    if wrong := course.begin():
        _say_wrong("nothing was upgraded, as the stack is not well", wrong)
        return UNWELL
    for number, upgrade in enumerate(upgrades, 1):
        announce(f"{number} of {len(upgrades)}: {upgrade.name} {upgrade.before} -> {upgrade.after}")
        if not step(course, upgrade, plan):
            return UNWELL
    return FINE


def step(course: Course, upgrade: Upgrade, plan: Plan) -> bool:
    """Brings one image to its version, and takes it back where it does not do well; whether it has it now."""
    began = time.monotonic()
    if wrong := course.take_step(upgrade):
        _say_wrong(f"{upgrade.name} {upgrade.after} does not do well", wrong)
        take_back(course, upgrade, plan)
        return False
    seconds = time.monotonic() - began
    console.print(
        f"   [green]{upgrade.name} {upgrade.after}[/]: healthy, and the samples, lines and silences of before are there"
        f" ({seconds:.0f} s)"
    )
    return True


def take_back(course: Course, upgrade: Upgrade, plan: Plan) -> None:
    """Puts the version before in place again, where it reads what the new one has written."""
    stack = course.stack
    if not upgrade.reversible:
        course.held[upgrade.name] = upgrade.after
        course.hold()
        print_way_back(stack, upgrade, plan)
        return
    announce(f"back: {upgrade.name} {upgrade.after} -> {upgrade.before}")
    wrong = course.go_back(upgrade)
    if wrong:
        _say_wrong(f"{upgrade.name} is back at {upgrade.before}, and it is not well", wrong)
    else:
        console.print(f"[yellow]{upgrade.name} is back at {upgrade.before}, healthy, with all that was compared.[/]")
    console.print(
        f"`versions` holds it there, and what would have come after it: {', '.join(sorted(course.held))}."
        f" Once the cause is mended: make upgrade STACK={stack}"
    )


def print_way_back(stack: str, upgrade: Upgrade, plan: Plan) -> None:
    """Says how people get back to a version that does not read what the new one has written."""
    console.print(
        f"[red]{upgrade.before} may not read what {upgrade.after} has written, so {upgrade.after} stays.[/]"
        f" Mend the cause, and run make up STACK={stack}."
    )
    others = [agent.beside for agent in plan.workloads.get(BACKUP, ()) if agent.beside not in upgrade.stores]
    if not plan.workloads.get(BACKUP):
        console.print("There is no backup of before to go back to.")
        return
    console.print("Or go back to a backup of before, and lose what came since:")
    for line in (
        f"in Pulumi.{stack}.yaml: observability:versions: {{{upgrade.name}: {upgrade.before}}}",
        f"make down STACK={stack}, and remove the data volumes of {', '.join(upgrade.stores)} alone",
        f"make restore STACK={stack} FROM=ID WITHOUT={','.join(others)} (make backups lists them)",
        f"make up STACK={stack}",
    ):
        console.print(f"   - {escape(line)}")


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


@dataclass(frozen=True)
class Prepared:
    """What an upgrade begins with: the stack's workspace and plan, where it runs, and which tags it has by image."""

    space: Workspace
    plan: Plan
    host: Host
    deployed: Mapping[str, str]

    def build_upgrades(self) -> list[Upgrade]:
        """What has another version than people ask for."""
        return list_upgrades(self.plan, self._list_wanted(), self.deployed)

    def _list_wanted(self) -> Mapping[str, Image]:
        """The images that people ask for: by the stack's own file first, then by configs/images.yaml."""
        return hold_tags(load_images(ROOT), read_wanted(self.space))

    def build_interrupted(self) -> tuple[Upgrade, Underway] | None:
        """The step that a run before has begun and nobody has seen end."""
        underway = read_record(find_held_file(self.space.stack)).underway
        if underway is None or underway.name not in self.plan.images:
            return None
        image = self._list_wanted()[underway.name]
        return build_upgrade(self.plan, image, underway.name, underway.before), underway


def prepare_stack(stack: str, *, change: bool) -> Prepared:
    """The stack as it is; where something is to be changed, what a deployment needs is got first.

    Raises:
        ConfigError: something in its files is wrong, or nothing of it is deployed.
        LockedError: another run changes the stack.
        subprocess.CalledProcessError: what is deployed cannot be read.
    """
    first = render.plan_file(ROOT / f"Pulumi.{stack}.yaml", stack)
    space, plan, host = lifecycle.connect_stack(stack, lifecycle.fetch_prerequisites(first) if change else None)
    refuse_locked(space.backend, space.stack)
    deployed = read_deployed(space.export_state(), load_images(ROOT))
    if not deployed:
        raise ConfigError(
            [Problem(f"stack {stack}", f"nothing of it is deployed; do that first: make up STACK={stack}")]
        )
    return Prepared(space, plan, host, deployed)


@contextmanager
def lock_course(stack: str) -> Iterator[None]:
    """Lets one upgrade of a stack run on this machine; between its steps Pulumi itself holds no lock.

    Raises:
        LockedError: another one runs.
    """
    path = find_held_file(stack).with_name("upgrade.lock")
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LockedError(f"stack {stack} is being upgraded by another run; wait until that has ended") from None
        yield


def run_command(args: argparse.Namespace) -> int:
    """Upgrades the stack in `args`, or shows what there is to upgrade. Returns its exit code."""
    if args.list:
        return show_upgrades(args.stack, prepare_stack(args.stack, change=False).build_upgrades())
    with lock_course(args.stack):
        prepared = prepare_stack(args.stack, change=True)
        if interrupted := prepared.build_interrupted():
            upgrade, underway = interrupted
            announce(f"an interrupted step goes on: {upgrade.name} {upgrade.before} -> {upgrade.after}")
            held = dict(read_record(find_held_file(args.stack)).held)
            course = Course(args.stack, held, underway.known, underway.stored, underway.moment)
            if not step(course, upgrade, prepared.plan):
                return UNWELL
            prepared = prepare_stack(args.stack, change=False)
        return upgrade_all(args, prepared)


def show_upgrades(stack: str, upgrades: Sequence[Upgrade]) -> int:
    """Prints what there is to upgrade. Returns the exit code."""
    if upgrades:
        print_upgrades(stack, upgrades, console)
    else:
        console.print(f"every image of stack {stack} has the version of configs/images.yaml, or is held")
    return FINE


def upgrade_all(args: argparse.Namespace, prepared: Prepared) -> int:
    """Upgrades what people want upgraded, after a backup. Returns the exit code.

    Raises:
        ConfigError: something stands in the way; nothing was changed.
    """
    only, stack, plan = args.only.replace(",", " ").split(), args.stack, prepared.plan
    upgrades = prepared.build_upgrades()
    show_upgrades(stack, upgrades)
    if not upgrades:
        hold_versions(prepared.space, {})  # what was held waits for nothing any more
        return FINE
    saved = bool(plan.workloads.get(BACKUP))
    if problems := check_upgrades(stack, upgrades, only, saved=saved, without_backup=args.without_backup):
        raise ConfigError(problems)
    if saved and not args.without_backup and run_backups(plan, prepared.host, console) != FINE:
        console.print("nothing was upgraded, as there is no backup")
        return UNWELL
    course = Course(stack, {each.name: each.before for each in upgrades})
    code = upgrade_stack(course, [each for each in upgrades if not only or each.name in only], plan)
    if code == FINE:
        console.print(f"stack {stack} has all versions that were wanted")
    return code
