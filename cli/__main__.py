"""The program `observability`, as bin/observability and `python -m cli` call it."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

MODULES = {
    "backup": "cli.backup",
    "backups": "cli.backups",
    "capacity": "cli.capacity",
    "completion": "cli.arguments",
    "describe": "cli.describe",
    "diff": "cli.diff",
    "doctor": "cli.doctor",
    "drift": "cli.drift",
    "drill": "cli.drill",
    "init": "cli.init",
    "mcp": "cli.mcp",
    "open": "cli.forward",
    "pictures": "cli.pictures",
    "render": "cli.render",
    "restore": "cli.restore",
    "routes": "cli.routes",
    "state-move": "cli.state",
    "state-restore": "cli.state_restore",
    "tour": "cli.tour",
    "upgrade": "cli.upgrade",
}
"""Where a command is that is none of a stack's life; it is spared what only those import, such as the engine's SDK."""


def main() -> int:
    """Runs one command and returns its exit code; Ctrl-C ends it in one line, also while its modules are imported.

    Raises:
        SystemExit: the arguments are wrong (2), or the engine or Pulumi does not answer (1).
    """
    try:
        return _run()
    except KeyboardInterrupt:
        print("interrupted; run it again to go on", file=sys.stderr)  # by nothing that is still to be imported
        return 130  # what shells give a process that Ctrl-C ended: 128 + SIGINT


def _run() -> int:
    """Runs one command; problems of the configuration are printed without a stack trace."""
    import subprocess  # noqa: PLC0415 - as all that follow: see main

    from cli import arguments  # noqa: PLC0415
    from cli.runs import LockedError, end_with_make, take_interrupts  # noqa: PLC0415
    from model.errors import ConfigError  # noqa: PLC0415
    from stack.memory import spare_collections  # noqa: PLC0415

    spare_collections()
    args = arguments.parse_arguments()
    end_with_make()
    take_interrupts()
    try:
        return int(import_module(MODULES.get(args.command, "cli.lifecycle")).run_command(args))
    except ConfigError as error:
        _print_failure(args, str(error))
        return arguments.REFUSED
    except LockedError as error:
        _print_failure(args, str(error))
        return arguments.UNWELL
    except subprocess.CalledProcessError as error:
        command = " ".join(map(str, error.cmd[:3]))
        _print_failure(args, "failed:", f" {command} (exit status {error.returncode})\n{error.stderr or ''}")
        return arguments.UNWELL


def _print_failure(args: argparse.Namespace, text: str, more: str = "") -> None:
    """Prints a text in red where the output has colours, and more behind it."""
    from rich.console import Console  # noqa: PLC0415 - most runs have nothing to say, and it takes longer than them
    from rich.text import Text  # noqa: PLC0415

    console = Console(highlight=False, soft_wrap=True, stderr=args.json)
    console.print(Text.assemble((text, "red"), more.rstrip()))


if __name__ == "__main__":
    sys.exit(main())
