"""The commands of a stack's life: they ask Pulumi, and the engine or cluster on which the stack runs."""

from __future__ import annotations

import argparse
import functools
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, redirect_stdout
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape

from cli import alert_test, engine, last_run, render, secrets, table
from cli.arguments import FINE, UNWELL
from cli.hosts import Host, open_host
from cli.left import drop_hints, list_left
from cli.locks import refuse_locked
from cli.previewed import Changes
from cli.program import serve_program
from cli.pulled import build_refusal
from cli.report import build_report, compose_report, wait_targets
from cli.running import open_running
from cli.stack_file import build_location, find_location, read_location, read_settings
from cli.tour import describe_doctor, list_next_steps
from cli.waiting import say_waiting
from cli.workspace import ROOT, Workspace, describe_machine, drop_secrets, forget_stack, keep_secrets, open_workspace
from model.errors import ConfigError, Problem
from model.plan import Plan
from model.settings import KubernetesSettings

console = Console(highlight=False, soft_wrap=True)


class Phases:
    """Names and durations (seconds) of what a command did, for the closing line."""

    def __init__(self) -> None:
        self.times: list[tuple[str, float]] = []

    def run(self, name: str, work: Callable[[], Any]) -> Any:
        """Runs `work`, announcing and timing it."""
        announce_phase(name)
        began = time.monotonic()
        result = work()
        self.times.append((name, time.monotonic() - began))
        return result

    def format_total(self) -> str:
        """All phases in one line."""
        parts = " · ".join(f"{name} {seconds:.1f} s" for name, seconds in self.times)
        return f"{parts} · total {sum(seconds for _, seconds in self.times):.1f} s"


def announce_phase(name: str) -> None:
    """Prints what a command does next, as that may take a while."""
    console.print(f"[bold]== {name}[/]")


def get_prerequisites(images: Sequence[str]) -> dict[str, Any]:
    """Gets what `up` needs onto the machine, `images` by name. Returns what this machine adds to a stack's settings."""
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder) / "result.json"
        command = [sys.executable, "-m", "toolchain", "up-prerequisites", f"--only={','.join(images)}"]
        subprocess.run([*command, "--result", result], cwd=ROOT, check=True)
        answer = json.loads(result.read_text(encoding="utf-8"))
    overlay: dict[str, Any] = {}
    if answer.get("registryMirror"):
        overlay["docker"] = {"registryMirror": answer["registryMirror"]}
    if answer.get("registryMirror") and "grafana" not in answer["digests"]:
        overlay["grafana"] = {"image": "dashboard-viewer"}
    return overlay


def get_cluster_prerequisites(settings: KubernetesSettings, images: Sequence[str]) -> dict[str, Any]:
    """Gets the provider, and a cluster: the one that the settings name, that of KUBECONFIG, or one of our own."""
    only = f"--only={','.join(images)}"
    env = {**os.environ, **({"KUBECONFIG": settings.kubeconfig} if settings.kubeconfig else {})}
    toolchain = [sys.executable, "-m", "toolchain"]
    subprocess.run([*toolchain, "ensure", "kubernetes", only], cwd=ROOT, check=True)
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder) / "result.json"
        context = [f"--context={settings.context}"] if settings.context else []
        command = [*toolchain, "cluster", only, *context, "--result", str(result)]
        subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL, env=env)
        answer = json.loads(result.read_text(encoding="utf-8"))
    overlay: dict[str, Any] = {"kubernetes": {"kubeconfig": answer["kubeconfig"]}}
    if answer["built"] and "grafana" not in answer["built"]:
        overlay["grafana"] = {"image": "dashboard-viewer"}
    return overlay


def fetch_prerequisites(plan: Plan) -> dict[str, Any]:
    """Gets what a deployment of the plan needs. Returns what this machine adds to the stack's settings."""
    images = render.list_images(plan)
    if plan.settings.target == "kubernetes":
        return get_cluster_prerequisites(plan.settings.kubernetes, images)
    return get_prerequisites(images)


def connect_stack(stack: str, overlay: dict[str, Any] | None = None) -> tuple[Workspace, Plan, Host]:
    """The stack's workspace with what its platform says of itself, its plan with its secrets, and where it runs.

    Raises:
        ConfigError: something in its files is wrong.
    """
    space = open_workspace(stack, engine.build_tool_env(), overlay)
    settings = read_settings(space.directory, stack)
    host = open_host(stack, build_location(settings))
    description = host.describe(settings)
    for remark in description.remarks:
        console.print(f"   [yellow]{escape(remark)}[/]")
    describe_machine(space, description.settings)
    return space, render.plan_workspace(space), host


def up(stack: str, rotation: secrets.Rotation | None = None) -> int:
    """Deploys the stack, with another value of a secret where it is given, and waits until all is well.

    Shows where everything is. Returns 1 where something is not well.
    """
    phases = Phases()
    first = render.plan_file(ROOT / f"Pulumi.{stack}.yaml", stack)  # mistakes are reported before anything is fetched
    overlay = phases.run("prerequisites", lambda: fetch_prerequisites(first))
    space, plan, host = connect_stack(stack, overlay)
    try:
        report = roll_out(space, plan, host, phases, rotation, added=overlay)
    except subprocess.CalledProcessError:
        console.print(f"Next: {describe_doctor(stack)}")
        raise
    table.print_report(report, console)
    print_failures(host)
    for line in list_next_steps(plan) if report.good else (f"Next: {describe_doctor(stack)}",):
        console.print(line)
    console.print(phases.format_total())
    return 0 if report.good else 1


def roll_out(
    space: Workspace,
    plan: Plan,
    host: Host,
    phases: Phases,
    rotation: secrets.Rotation | None = None,
    *,
    added: Mapping[str, Any] | None = None,
) -> table.Report:
    """Deploys a plan, with another value of a secret where it is given, and waits until all is well. Says how it is.

    `added` is what this machine adds to the settings of a stack that has no backend of its own.

    Raises:
        PullError: an image cannot be had.
        ConfigError: the host is in the way of a run.
        LockedError: another run came first.
        subprocess.CalledProcessError: Pulumi failed.
    """
    run_preflight(host, plan)
    for line in phases.run("recovery", lambda: [*host.recover(space), *host.restore(plan)]):
        console.print(f"   {line}")
    if not space.local:  # else the toolchain has seen to all of them
        refused = phases.run("images", lambda: host.pull_images(plan))
        if refused:
            raise build_refusal(plan.stack, refused, added or {})
    renewed = rotation.apply(space) if rotation else ()
    replace = _list_replacements((*renewed, *_find_mended(space, plan, host)))
    digest = phases.run("pulumi up", lambda: _deploy(space, plan, host, replace))
    health = phases.run("health", lambda: host.wait_healthy(180))
    scraped, unknown = phases.run("targets", lambda: wait_targets(host, plan, 90))
    host.order_certificate(plan)
    unseen = phases.run("view", lambda: host.list_unseen(plan, 60 if scraped else 0))
    report = compose_report(plan, health, scraped, [*unknown, *unseen])
    if report.good:
        last_run.write_digest(space.memory, digest)
        _save_state(space, plan, host)
    return report


def _save_state(space: Workspace, plan: Plan, host: Host) -> None:
    if "backup" in plan.workloads:
        from cli.state_copy import save_state  # noqa: PLC0415 - few stacks have backups, and every command would wait

        save_state(space, plan, host, console, changed=True)


def _find_mended(space: Workspace, plan: Plan, host: Host) -> list[str]:
    """The resources that are made again although Pulumi may show no difference for them; says why."""
    mended = host.find_urns_to_replace(space, plan)
    for urn, why in mended.items():
        console.print(f"   {escape(urn.rpartition('::')[2])} {escape(why)}")
    return list(mended)


def _list_replacements(urns: Sequence[str]) -> list[str]:
    return [arg for urn in urns for arg in ("--replace", urn)]


def _deploy(space: Workspace, plan: Plan, host: Host, replace: Sequence[str]) -> str:
    """Runs `pulumi up`, and gives the digest of what the platform has right after it.

    While it runs nothing is known of that. What changes later, as during the wait for health, is not in the digest, so
    the next run reads it back.
    """
    arguments = (*_list_refresh_arguments(space, plan, host), *replace)
    last_run.drop_digest(space.memory)
    with _serve_program(space, plan) as program:
        run_pulumi(space, "up", "--yes", "--skip-preview", "--stack", space.stack, *arguments, *program)
    return host.compute_digest(plan)


def _serve_program(space: Workspace, plan: Plan) -> AbstractContextManager[tuple[str, ...]]:
    modules = ("stack.stack", f"targets.{plan.settings.target}.register")
    return serve_program(ROOT / "__main__.py", space.env, modules)


def _list_refresh_arguments(space: Workspace, plan: Plan, host: Host) -> tuple[str, ...]:
    arguments = last_run.list_refresh_arguments(space.memory, host.compute_digest(plan))
    if arguments:
        console.print(f"   {last_run.UNCHANGED}")
    return arguments


def run_pulumi(space: Workspace, *args: str, say: Callable[[str], object] | None = None) -> None:
    """Runs Pulumi on the stack; with `say` each line that it prints is handed on instead.

    Raises:
        LockedError: another run came first.
        subprocess.CalledProcessError: it failed for another reason.
    """
    try:
        space.run_pulumi(*args, say=say)
    except subprocess.CalledProcessError:
        refuse_locked(space.backend, space.stack)
        raise


def print_failures(host: Host) -> None:
    """The last words of everything that is not well."""
    for name, said in host.read_last_log_lines():
        console.print(f"[red]{name}[/] last said:")
        console.print(said, markup=False)


def run_preflight(host: Host, plan: Plan) -> None:
    """Asks the host whether a run is possible at all.

    Raises:
        ConfigError: it is not.
    """
    if refused := host.check_preflight(plan):
        raise ConfigError(Problem(f"target {plan.settings.target}", text) for text in refused)


def check(stack: str, *, as_json: bool = False) -> int:
    """Shows how a running stack is, without changing anything, even where its files have become wrong meanwhile."""
    announce: Callable[[str], None] = (lambda _: None) if as_json else announce_phase
    announce("stack")
    space = open_workspace(stack, engine.build_tool_env())
    location, base_url = find_location(space.directory, stack)
    host = open_host(stack, location)
    report = build_report(space, base_url, host, announce=announce)
    if as_json:
        print(json.dumps(table.describe_report(report)))
    else:
        table.print_report(report, console)
    return FINE if report.good else UNWELL


def try_receivers(stack: str, receiver: str, severity: str) -> int:
    """Sends a marked alert to one receiver of a running stack, or to all, and shows what came of it."""
    _, plan, host = open_running(stack)
    return alert_test.run_alert_test(plan, host.list_alertmanagers(), receiver, severity, console)


def preview(stack: str, *, as_json: bool) -> int:
    """Shows what `up` would change; as JSON, that alone is on the standard output."""
    with redirect_stdout(sys.stderr if as_json else sys.stdout):
        space, plan, host = connect_stack(stack)
        run_preflight(host, plan)
        how = [*_list_refresh_arguments(space, plan, host)]
        if not how:  # where all is as the last run left it, it left nothing to mend
            how += _list_replacements(_find_mended(space, plan, host))
    with _serve_program(space, plan) as program:
        if as_json:
            space.run_pulumi("preview", "--json", "--stack", stack, *how, *program)
            return FINE
        changes = Changes(functools.partial(print, flush=True), console.print)
        space.run_pulumi("preview", "--diff", "--stack", stack, *how, *_list_colours(), *program, say=changes.take)
    table.print_warnings(plan.warnings, console)
    return FINE


def refresh(stack: str) -> int:
    """Reads the real state of every resource and shows what differs."""
    space, plan, host = connect_stack(stack)
    run_preflight(host, plan)
    run_pulumi(space, "refresh", "--yes", "--skip-preview", "--diff", "--stack", stack)
    return 0


def down(stack: str, *, purge: bool) -> int:
    """Removes the stack; data volumes stay unless `purge` is set.

    Of its files only what says where it runs needs to be right: whoever removes it may have broken the rest.

    Raises:
        ConfigError: containers of others use its network or its volumes; nothing was removed.
        subprocess.CalledProcessError: Pulumi could not remove all of it.
    """
    space = open_workspace(stack, engine.build_tool_env())
    host = open_host(stack, read_location(space.directory, stack))
    for line in host.recover(space):
        console.print(f"   {line}")
    if uses := host.list_uses(data=purge):
        raise ConfigError(Problem(f"stack {stack}", use) for use in uses)
    generated = space.read_outputs().keys() - {"urls", "baseUrl", "ready", "caCertificate"}
    if not purge:
        keep_secrets(space, generated)
    last_run.drop_digest(space.memory)
    say = drop_hints(functools.partial(print, flush=True))
    try:
        run_pulumi(space, "destroy", "--yes", "--skip-preview", "--stack", stack, *_list_colours(), say=say)
    except subprocess.CalledProcessError:
        for line in host.explain_stuck():
            console.print(line, markup=False)
        raise
    volumes = host.list_volumes()
    if purge:
        host.purge_volumes()
        drop_secrets(space, {*generated, *secrets.list_generated(space)})
    stored = secrets.list_stored_names(space) if space.local else ()  # else the file is people's own
    forget_stack(space)
    for line in list_left(space, volumes, stored, purge=purge):
        console.print(line, markup=False)
    return 0


def _list_colours() -> tuple[str, ...]:
    """Pulumi's arguments where its lines come by way of this process."""
    return ("--color=always",) if console.is_terminal else ()


def change_secret(stack: str, name: str, *, remove: bool) -> int:
    """Stores a secret, read from standard input so that it appears in no argument and no history, or removes it."""
    change = secrets.remove_secret if remove else secrets.store_secret
    change(open_workspace(stack, engine.build_tool_env()), name, console)
    return FINE


def list_secrets(stack: str, *, as_json: bool) -> int:
    """Lists the stack's secrets, and never a value. Returns 1 where one is missing."""
    return secrets.show_secrets(open_workspace(stack, engine.build_tool_env()), console, as_json=as_json)


def rotate(stack: str, name: str) -> int:
    """Gives a secret another value and deploys it; what is generated anew is shown by `make password` alone."""
    rotation = secrets.prepare_rotation(open_workspace(stack, engine.build_tool_env()), name, console)
    code = up(stack, rotation)
    if code == 0:
        console.print(f"{name} has another value. {rotation.secret.after_rotation}".rstrip())
    return code


def print_passwords(stack: str) -> int:
    """Prints the generated passwords, each with its user and its pages. Returns 1 where there are none."""
    return secrets.show_passwords(open_workspace(stack, engine.build_tool_env()), console)


COMMANDS: Mapping[str, Callable[[argparse.Namespace], int]] = {
    "up": lambda args: up(args.stack),
    "verify": lambda args: check(args.stack, as_json=args.json),
    "preview": lambda args: preview(args.stack, as_json=args.json),
    "refresh": lambda args: refresh(args.stack),
    "down": lambda args: down(args.stack, purge=args.purge),
    "password": lambda args: print_passwords(args.stack),
    "secret": lambda args: change_secret(args.stack, args.name, remove=args.remove),
    "secrets": lambda args: list_secrets(args.stack, as_json=args.json),
    "rotate": lambda args: rotate(args.stack, args.name),
    "alert-test": lambda args: try_receivers(args.stack, args.receiver, args.severity),
}
"""What each command runs."""


def run_command(args: argparse.Namespace) -> int:
    """Runs the command of `args`, which is one of COMMANDS. Returns its exit code."""
    console.stderr = args.json
    with say_waiting(None if args.json else console.print):
        return COMMANDS[args.command](args)
