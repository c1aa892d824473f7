"""The program `observability`, as bin/observability and `python -m cli` call it."""

from __future__ import annotations

import argparse
import subprocess
import sys
from importlib import import_module

from cli import arguments
from cli.arguments import INTERRUPTED, REFUSED, UNWELL
from cli.runs import LockedError, end_with_make
from model.errors import ConfigError
from stack.memory import spare_collections

MODULES = {
    "capacity": "cli.capacity",
    "completion": "cli.arguments",
    "describe": "cli.describe",
    "init": "cli.init",
    "open": "cli.forward",
    "render": "cli.render",
    "routes": "cli.routes",
    "tour": "cli.tour",
}
"""Where a command is that is none of a stack's life; it is spared what only those import, such as the engine's SDK."""


def main() -> int:
    """Runs one command; problems of the configuration are printed without a stack trace. Returns its exit code.

    Raises:
        SystemExit: the arguments are wrong (2), or the engine or Pulumi does not answer (1).
    """
    spare_collections()
    args = arguments.parse_arguments()
    end_with_make()
    try:
        return int(import_module(MODULES.get(args.command, "cli.lifecycle")).run_command(args))
    except ConfigError as error:
        _print_failure(args, str(error))
        return REFUSED
    except LockedError as error:
        _print_failure(args, str(error))
        return UNWELL
    except subprocess.CalledProcessError as error:
        command = " ".join(map(str, error.cmd[:3]))
        _print_failure(args, "failed:", f" {command} (exit status {error.returncode})\n{error.stderr or ''}")
        return UNWELL
    except KeyboardInterrupt:
        _print_failure(args, "", "interrupted; `make up` continues from here")
        return INTERRUPTED


def _print_failure(args: argparse.Namespace, text: str, more: str = "") -> None:
    """Prints a text in red where the output has colours, and more behind it."""
    from rich.console import Console  # noqa: PLC0415 - most runs have nothing to say, and it takes longer than them
    from rich.text import Text  # noqa: PLC0415

    console = Console(highlight=False, soft_wrap=True, stderr=args.json)
    console.print(Text.assemble((text, "red"), more.rstrip()))


if __name__ == "__main__":
    sys.exit(main())
