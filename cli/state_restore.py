"""`observability state-restore`: the Pulumi state and the secrets of a stack from a copy beside its backups.

For a backend that has no state of the stack: another machine's, or this one's after it was lost.
"""

from __future__ import annotations

import argparse

from rich.console import Console
from rich.markup import escape

from cli import lifecycle, render, state
from cli.arguments import FINE, UNWELL
from cli.backups import Opened, list_agents
from cli.locks import refuse_locked
from cli.state_copy import StateCopy, fetch_copy
from cli.workspace import ROOT, Workspace
from model.errors import ConfigError, Problem


def check_empty(space: Workspace) -> None:
    """Nothing, unless the stack has a state already.

    Raises:
        ConfigError: it has.
    """
    if urns := state.list_urns(state.export_deployment(space)):
        message = (
            f"has a state already, with {len(urns)} resources, which would be lost; a copy is for a backend without"
            " one. Remove the stack first (make down), or name another backend in PULUMI_BACKEND_URL"
        )
        raise ConfigError([Problem(f"stack {space.stack}", message)])


def write_copy(space: Workspace, copy: StateCopy) -> None:
    """Writes a copy to the stack's backend, encrypted as that encrypts.

    Raises:
        ConfigError: it is of another stack.
        RuntimeError: what is there afterwards is not what was written.
        subprocess.CalledProcessError: it could not be written.
    """
    if copy.stack != space.stack:
        message = f"is not {copy.stack}, whose state this is: the names of all resources have the stack's in them"
        raise ConfigError([Problem(f"stack {space.stack}", message)])
    state.store_secrets(space, copy.secrets)
    state.import_deployment(space, copy.deployment)
    if differs := state.compare(copy.deployment, state.export_deployment(space)):
        raise RuntimeError(f"the state is there, but not as it was in {', '.join(differs[:5])}")


def run_command(args: argparse.Namespace) -> int:
    """Restores the state of the stack in `args`. Returns its exit code."""
    console = Console(highlight=False, soft_wrap=True)
    first = render.plan_file(ROOT / f"Pulumi.{args.stack}.yaml", args.stack)
    list_agents(first)  # before anything is fetched
    opened = Opened(*lifecycle.connect_stack(args.stack, lifecycle.fetch_prerequisites(first)))
    refuse_locked(opened.space.backend, opened.space.stack)
    check_empty(opened.space)
    try:
        copy = fetch_copy(opened, args.backup)
        write_copy(opened.space, copy)
    except RuntimeError as error:
        console.print(f"[red]{escape(str(error))}[/]")
        return UNWELL
    resources, count = len(state.list_urns(copy.deployment)), len(copy.secrets)
    console.print(f"The state of {copy.saved} is there: {resources} resources, {count} secrets in the configuration.")
    if copy.settings != (ROOT / f"Pulumi.{args.stack}.yaml").read_text(encoding="utf-8"):
        console.print(f"Pulumi.{args.stack}.yaml is not what it was then: see what it changes before anything else")
    console.print(f"Next: make preview STACK={args.stack}; where its data is lost: make restore STACK={args.stack}")
    return FINE
