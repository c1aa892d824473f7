"""Backups of one text that is handed over in pieces: what is no volume of the stack, such as its Pulumi state.

The agent of a volume makes them, under another name and in a folder of scratch of its own.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path

from backup_agent.backup import Report, run_backup
from backup_agent.document import Document
from backup_agent.errors import Failed, describe_write_error
from backup_agent.restore import restore_backup

FILE = "content"
Say = Callable[[str], None]


def rename_document(document: Document, name: str) -> Document:
    """The document for backups of a text by this name, to the same destination."""
    scratch = Path(document.scratch) / name
    own = {"workload": name, "volume": name, "data": str(scratch / "data"), "scratch": str(scratch)}
    return document.model_copy(update={**own, "order": (), "exclude": (), "sqlite": ()})


def append_text(document: Document, name: str, text: str, *, begin: bool) -> None:
    """Take a piece of a text; with `begin` it is the first one.

    Raises:
        Failed: it cannot be written.
    """
    data = Path(rename_document(document, name).data)
    try:
        if begin:
            shutil.rmtree(data, ignore_errors=True)
        data.mkdir(parents=True, exist_ok=True, mode=0o700)
        with (data / FILE).open("a", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise describe_write_error(error, str(data)) from None


def store_text(document: Document, name: str, digest: str, say: Say, wait: float = 0) -> Report:
    """Make a backup of the text whose pieces were taken, if it is the one with this SHA-256 in hexadecimal digits.

    Raises:
        Failed: pieces are missing, or there is no backup, and why.
        Refused: another piece of work is under way for longer than `wait` seconds.
    """
    own = rename_document(document, name)
    data = Path(own.data)
    try:
        there = hashlib.sha256((data / FILE).read_bytes()).hexdigest() if (data / FILE).exists() else "nothing"
        if there != digest:
            raise Failed(f"the text {name} did not come whole: its SHA-256 is {there}, and should be {digest}")
        return run_backup(own, say, wait)
    finally:
        shutil.rmtree(data, ignore_errors=True)


def fetch_text(document: Document, name: str, backup: str, from_stack: str = "") -> str:
    """The text of a backup: of an id, or of the newest one (`latest`).

    Raises:
        Failed: it is damaged, or cannot be read.
        Refused: there is no such backup.
    """
    own = rename_document(document, name)
    into = Path(own.scratch) / "fetched"
    shutil.rmtree(into, ignore_errors=True)
    into.mkdir(parents=True, mode=0o700)
    try:
        restore_backup(own, backup, into, lambda _: None, from_stack)
        return (into / FILE).read_text(encoding="utf-8")
    finally:
        shutil.rmtree(into, ignore_errors=True)
