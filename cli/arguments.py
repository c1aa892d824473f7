"""The command line of `observability`: its commands, their options, help and completion.

Exit codes are the same for every command, see EXIT_CODES. With --json, standard output holds one JSON document alone,
and messages for people go to standard error.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PROGRAM = "observability"
FINE, UNWELL, REFUSED, DRIFTED, UNREAD, INTERRUPTED = 0, 1, 2, 3, 4, 130
"""Exit codes, in the order of EXIT_CODES; 130 is what shells give a process that Ctrl-C ended (128 + SIGINT)."""
EXIT_CODES = f"""exit codes:
  {FINE:<4} success, and all that was checked is well
  {UNWELL:<4} something is wrong with the stack, or a tool failed
  {REFUSED:<4} wrong input: an unknown option, or a mistake in the stack's or the system's file
  {DRIFTED:<4} drift: something is not as declared
  {UNREAD:<4} drift: something could not be compared, and the rest is as declared
  {INTERRUPTED:<4} interrupted"""
SHELLS = ("bash", "zsh")
_JSON: Mapping[str, Any] = {"action": "store_true", "help": "print one JSON document, for programs"}


@dataclass(frozen=True)
class Command:
    """A command: what it does in one line, and its options by their flag, as arguments of `add_argument`."""

    summary: str
    options: Mapping[str, Mapping[str, Any]]
    on_stack: bool = True


def parse_past(text: str) -> str:
    """A length of time, as Grafana's addresses have it: minutes, hours or days.

    Raises:
        argparse.ArgumentTypeError: it is written in another way.
    """
    if re.fullmatch(r"[1-9]\d*[mhd]", text) is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of minutes, hours or days, such as 30m, 6h or 7d")
    return text


COMMANDS: Mapping[str, Command] = {
    "up": Command("deploy the stack, wait until it is healthy and show its addresses", {}),
    "preview": Command("show what `up` would change", {"--json": _JSON}),
    "refresh": Command("compare the recorded state with what really runs", {}),
    "verify": Command("show health, targets and addresses of the running stack", {"--json": _JSON}),
    "doctor": Command("say what is wrong with the stack, in the order in which to mend it", {"--json": _JSON}),
    "drift": Command(
        "compare what runs with what is declared, and change nothing",
        {
            "--json": _JSON,
            "--notify": {
                "type": parse_past,
                "metavar": "LASTING",
                "help": "have Alertmanager say it for so long, such as 25h: longer than until the next run",
            },
        },
    ),
    "open": Command("show the addresses of the stack's pages, and make them reachable from this machine", {}),
    "pictures": Command(
        "write pictures of the stack's dashboards",
        {
            "--dashboard": {"default": "", "help": "their uids, separated by commas; all of them when absent"},
            "--output": {"type": Path, "help": "folder to write to; build/pictures/<stack> when absent"},
            "--past": {"default": "1h", "type": parse_past, "help": "how far they go back from now (default: 1h)"},
            "--screen": {"action": "store_true", "help": "only what is seen without scrolling"},
            "--theme": {"default": "dark", "choices": ["dark", "light"], "help": "of the pages (default: dark)"},
        },
    ),
    "tour": Command("switch a fault of a stand-in on, and show the alert come and go", {}),
    "down": Command(
        "remove the stack; data volumes stay",
        {"--purge": {"action": "store_true", "help": "remove data volumes too"}},
    ),
    "backup": Command("back up the data of the running stack now", {}),
    "backups": Command("show the backups at the destination, and what has none", {"--json": _JSON}),
    "restore": Command(
        "fill the volumes of a stack that does not run from its backups",
        {
            "--from": {
                "dest": "backup",
                "required": True,
                "metavar": "ID",
                "help": "latest, or the ID of a backup: of each part the newest that is not younger",
            },
            "--from-stack": {"default": "", "metavar": "STACK", "help": "whose backups; its own when absent"},
            "--without": {"default": "", "help": "parts that begin empty, separated by commas"},
        },
    ),
    "drill": Command("restore the newest backups into a stack of its own, compare what both answer, and remove it", {}),
    "upgrade": Command(
        "bring images to the versions of the checkout, one after the other, with a backup first",
        {
            "--list": {"action": "store_true", "help": "show what there is to upgrade, and change nothing"},
            "--only": {"default": "", "help": "names of images, separated by commas; all of them when absent"},
            "--without-backup": {"action": "store_true", "help": "make no backup first"},
        },
    ),
    "state-move": Command(
        "move the state and the secrets of the stack to another Pulumi backend",
        {
            "--to": {"required": True, "metavar": "URL", "help": "such as s3://bucket, as pulumi login takes it"},
            "--secrets-provider": {
                "default": "",
                "metavar": "KEY",
                "help": "what encrypts its secrets there, such as awskms://alias/pulumi; a passphrase when absent",
            },
        },
    ),
    "state-restore": Command(
        "write the state and the secrets of the stack from a backup to a backend that has none",
        {"--from": {"dest": "backup", "default": "latest", "metavar": "ID", "help": "the ID of a backup"}},
    ),
    "password": Command("print the generated passwords", {}),
    "secret": Command(
        "store a secret, read from standard input, or remove one",
        {
            "--name": {"required": True, "help": "its configuration key, such as slack-webhook"},
            "--remove": {"action": "store_true", "help": "take it out of the stack's configuration"},
        },
    ),
    "secrets": Command("list the secrets, their state and age; never a value", {"--json": _JSON}),
    "rotate": Command(
        "give a secret another value and deploy it",
        {"--name": {"required": True, "help": "its configuration key, such as grafana-admin-password"}},
    ),
    "mcp": Command(
        "print what an AI client needs to ask the running stack, and try it",
        {
            "--client": {"default": "", "help": "one of mcp.clients; the first when absent"},
            "--show-token": {"action": "store_true", "help": "print the client's token, which is a secret"},
        },
    ),
    "routes": Command(
        "show who is notified of an alert, and why",
        {
            "--labels": {"default": "", "help": "labels of the alert, such as 'severity=critical team=shop'"},
            "--json": _JSON,
        },
    ),
    "alert-test": Command(
        "send a marked alert to receivers and show what each answered",
        {
            "--receiver": {"default": "", "help": "one receiver; all of them when absent"},
            "--severity": {"default": "warning", "choices": ["critical", "warning", "info"], "help": "of the alert"},
        },
    ),
    "render": Command(
        "write every document of the stack to a folder, or a Compose file; needs no engine",
        {
            "--output": {"type": Path, "help": "folder to write to; build/<render or compose>/<stack> when absent"},
            "--format": {
                "default": "documents",
                "choices": ["documents", "compose"],
                "help": "what to write: documents (the default), or a Compose file with them",
            },
        },
    ),
    "diff": Command(
        "say what the working tree changes in what is deployed, as Markdown; needs no engine",
        {
            "--base": {"default": "main", "help": "commit to compare with, where this work left it (default: main)"},
            "--all-stacks": {"action": "store_true", "help": "every stack of the checkout, in place of one"},
            "--prometheus": {
                "action": "append",
                "default": [],
                "metavar": "[STACK=]URL",
                "help": "say how often changed alerts would have fired; a login is read from ~/.netrc",
            },
            "--previews": {"type": Path, "help": "folder with Pulumi's own previews, <stack>.txt, to add"},
            "--json": _JSON,
        },
    ),
    "capacity": Command("show how much memory and disk the stack will need", {"--json": _JSON}),
    "init": Command(
        "write the files of a new stack that watches one service, from the URL of its metrics",
        {
            "url": {"help": "where its metrics are: http://localhost:9464/metrics"},
            "--name": {"default": "", "help": "what the service is called; its container's name when absent"},
        },
    ),
    "describe": Command(
        "read what a service exposes, and print its YAML",
        {
            "source": {"help": "the URL of its metrics, a file with them, or - for standard input"},
            "--name": {"default": "api", "help": "what the service is called (default: api)"},
        },
        on_stack=False,
    ),
    "completion": Command(
        "print a completion script for a shell: source <(observability completion bash)",
        {"shell": {"choices": SHELLS, "help": "the shell that will read it"}},
        on_stack=False,
    ),
}
"""Every command by its name, in the order of the help."""


def build_parser() -> argparse.ArgumentParser:
    """The parser of the whole command line; `json` and `stack` are there for every command."""
    made = argparse.ArgumentParser(
        prog=PROGRAM,
        description="A monitoring stack for any system, from YAML alone.",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.set_defaults(json=False, stack="dev")
    below = made.add_subparsers(dest="command", required=True, metavar="COMMAND", title="commands")
    for name, command in COMMANDS.items():
        _add_command(below.add_parser(name, **_build_help_texts(command)), command)
    return made


def _build_help_texts(command: Command) -> dict[str, Any]:
    return {
        "help": command.summary,
        "description": f"{command.summary[0].upper()}{command.summary[1:]}.",
        "epilog": EXIT_CODES,
        "formatter_class": argparse.RawDescriptionHelpFormatter,
    }


def _add_command(made: argparse.ArgumentParser, command: Command) -> None:
    if command.on_stack:
        stack = made.add_argument(
            "--stack", default="dev", help="name of the environment, Pulumi.<stack>.yaml; default: dev"
        )
        stack.complete = {shell: f"_{PROGRAM}_stacks" for shell in SHELLS}  # type: ignore[attr-defined]
    for flag, options in command.options.items():
        made.add_argument(flag, **options)


def parse_arguments(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The arguments of one call, of this process unless they are given.

    Raises:
        SystemExit: with code 2 for wrong input, with 0 after --help.
    """
    return build_parser().parse_args(arguments)


def render_completion(shell: str, root: Path) -> str:
    """The completion script of a shell, which offers the stacks that have a file below `root`.

    Format: https://docs.iterative.ai/shtab/use/.
    """
    import shtab  # noqa: PLC0415 - of all commands, this one alone needs it

    names = f"ls {_quote_path(root)} | sed -n 's/^Pulumi\\.\\([^.]*\\)\\.yaml$/\\1/p'"
    offer = {"bash": f'compgen -W "$({names})" -- "$1"', "zsh": f'compadd -- "${{(@f)$({names})}}"'}
    return shtab.complete(build_parser(), shell=shell, preamble=f"_{PROGRAM}_stacks() {{ {offer[shell]}; }}")


def _quote_path(path: Path) -> str:
    return "'" + str(path).replace("'", "'\\''") + "'"


def run_command(args: argparse.Namespace) -> int:
    """Prints the completion script of the shell in `args`. Returns its exit code."""
    print(render_completion(args.shell, Path(__file__).resolve().parents[1]))
    return FINE
