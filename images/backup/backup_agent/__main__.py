"""Backs up the data of one workload: `python -m backup_agent COMMAND --document FILE`.

Exit codes: 0, 1 failed, 2 wrong use, 3 refused; the reason is on the standard error.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import logging
import re
import sys
from pathlib import Path
from typing import Any

from backup_agent import VERSION
from backup_agent.document import NAME, DocumentFile
from backup_agent.errors import BackupError
from backup_agent.manifest import ID

LATEST = "latest"
PORT = 9877


def parse_options(given: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="backup_agent", description=__doc__)
    parser.add_argument("--version", action="version", version=VERSION)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    texts = {
        "serve": "make backups by the schedule, with health and metrics over HTTP",
        "check": "see that the document is right",
        "run": "make a backup now",
        "list": "list the complete backups as JSON, newest first",
        "verify": "download a backup and compare every hash",
        "restore": "fill an empty directory",
        "append": "take a piece of a text that is no file of the volume",
        "store": "make a backup of the text whose pieces were taken",
        "fetch": "print the text of a backup",
    }
    every = {name: commands.add_parser(name, help=text) for name, text in texts.items()}
    for each in every.values():
        each.add_argument("--document", type=Path, required=True, help="the JSON document that says what is backed up")
    every["serve"].add_argument("--host", default="0.0.0.0", help="address to listen on")  # noqa: S104 - a container's
    every["serve"].add_argument("--port", type=int, default=PORT, help="port for health and metrics")
    for name in ("run", "verify", "store"):
        every[name].add_argument("--wait", type=float, default=0, help="seconds to wait for other work to end")
    every["verify"].add_argument("--id", type=parse_id_option, default=LATEST, help="a backup, else the newest one")
    every["restore"].add_argument("--id", type=parse_id_option, required=True, help="a backup's id, or latest")
    every["restore"].add_argument("--into", type=Path, required=True, help="the empty directory")
    for name in ("append", "store", "fetch", "list"):
        required = name != "list"
        every[name].add_argument("--name", required=required, type=parse_name, help="the name of a text")
    every["append"].add_argument("--text", required=True, help="the piece")
    every["append"].add_argument("--begin", action="store_true", help="it is the first piece")
    every["store"].add_argument("--sha256", required=True, help="of the whole text")
    every["fetch"].add_argument("--id", type=parse_id_option, default=LATEST, help="a backup, else the newest one")
    for name in ("list", "restore", "fetch"):
        every[name].add_argument("--from-stack", default="", help="the stack whose backups are meant, if another")
    return parser.parse_args(given)


def parse_id_option(text: str) -> str:
    """A backup's id, or latest."""
    if text != LATEST and not ID.match(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no id such as 20261130T031500Z, and not {LATEST}")
    return text


def parse_name(text: str) -> str:
    """The name of a text, which is a folder at the destination and in scratch."""
    if not re.match(NAME, text):
        raise argparse.ArgumentTypeError(f"{text!r} is no name such as pulumi-state")
    return text


def main(given: list[str] | None = None) -> int:
    """Run the command line; gives the exit code."""
    options = parse_options(given)
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format='level=%(levelname)s msg="%(message)s"')
    logging.getLogger("backup_agent").setLevel(logging.INFO)
    try:
        file = DocumentFile(options.document)
    except (OSError, ValueError) as error:
        print(f"{options.document}: {error}", file=sys.stderr)
        return 1
    if options.command == "check":
        return 0
    try:
        return _run_command(options, file)
    except BackupError as error:
        print(f"{'refused: ' if error.code == 3 else ''}{error}", file=sys.stderr)
        return error.code
    except OSError as error:
        print(error, file=sys.stderr)
        return 1


def _run_command(options: argparse.Namespace, file: DocumentFile) -> int:
    document = file.get()
    # the parts are imported by who needs them: each delivery checks a document, and some ask for little else
    if options.command == "serve":
        from backup_agent.serve import serve  # noqa: PLC0415

        serve(file, options.host, options.port)
    elif options.command == "run":
        from backup_agent.backup import run_backup  # noqa: PLC0415

        _print_result(run_backup(document, say, options.wait))
    elif options.command == "list":
        from backup_agent.refresh import list_backups  # noqa: PLC0415

        meant = _load_single().rename_document(document, options.name) if options.name else document
        listed, problems = list_backups(meant, options.from_stack)
        for problem in problems:
            print(problem, file=sys.stderr)
        print(json.dumps([dataclasses.asdict(each) for each in listed]))
    elif options.command == "append":
        _load_single().append_text(document, options.name, options.text, begin=options.begin)
    elif options.command == "store":
        _print_result(_load_single().store_text(document, options.name, options.sha256, say, options.wait))
    elif options.command == "fetch":
        print(_load_single().fetch_text(document, options.name, options.id, options.from_stack))
    elif options.command == "verify":
        from backup_agent.verify import verify_backup  # noqa: PLC0415

        _print_result(verify_backup(document, options.id, say, options.wait))
    else:
        from backup_agent.restore import restore_backup  # noqa: PLC0415

        _print_result(restore_backup(document, options.id, options.into, say, options.from_stack))
    return 0


def _load_single() -> Any:
    from backup_agent import single  # noqa: PLC0415

    return single


def say(line: str) -> None:
    """A line of progress."""
    print(line, flush=True)


def _print_result(result: Any) -> None:
    print(json.dumps(dataclasses.asdict(result)), flush=True)


if __name__ == "__main__":
    sys.exit(main())
