"""`observability backup`: the data of a running stack, and what else is needed to go on with it elsewhere."""

from __future__ import annotations

import argparse

from rich.console import Console

from cli.arguments import UNWELL
from cli.backups import run_backups
from cli.running import open_running
from cli.state_copy import save_state


def run_command(args: argparse.Namespace) -> int:
    """Backs up every part, and the state. Returns the exit code: 1 where one of them has no backup of now."""
    console = Console(highlight=False, soft_wrap=True)
    space, plan, host = open_running(args.stack)
    done = run_backups(plan, host, console)
    return done if save_state(space, plan, host, console) else UNWELL
