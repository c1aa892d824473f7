"""A copy of a SQLite database that is in use, by SQLite's online backup: https://www.sqlite.org/backup.html."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from backup_agent.errors import Failed, describe_write_error
from backup_agent.scan import COMPANIONS, Vanished

_WAIT_SECONDS = 30.0
"""How long a writer may keep the database locked."""


def copy_database(source: Path, target: Path) -> None:
    """Write to `target` the database as it is at one moment, and see that it is a whole one.

    Raises:
        Vanished: there is no such database.
        Failed: it cannot be copied, or it is damaged.
    """
    if not source.exists():
        raise Vanished(f"{source.name} is gone")
    try:
        _copy_online(source, target)
    except sqlite3.OperationalError as error:
        if not _wants_to_write(error):
            raise Failed(f"the database {source} cannot be copied: {error}") from None
        _copy_idle(source, target)
    except sqlite3.DatabaseError as error:
        raise Failed(f"the database {source} cannot be copied: {error}") from None
    _check(source, target)


def _copy_online(source: Path, target: Path) -> None:
    target.unlink(missing_ok=True)
    address = f"file:{quote(str(source))}?mode=ro"
    with (
        closing(sqlite3.connect(address, uri=True, timeout=_WAIT_SECONDS)) as reading,
        closing(sqlite3.connect(target)) as writing,
    ):
        reading.backup(writing)  # all pages in one step: writers wait, and it never begins again


def _wants_to_write(error: sqlite3.OperationalError) -> bool:
    """Whether a reader would first have to write: nobody has the database open, and its last writer was ended."""
    return error.sqlite_errorname.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN"))


def _copy_idle(source: Path, target: Path) -> None:
    """Copy the files of a database that nobody has open, and have SQLite recover the copy."""
    copy = target.with_name(f"{target.name}.files")
    files = [Path(f"{source}{ending}") for ending in COMPANIONS if ending != "-shm"]
    before = [_describe(file) for file in files]
    try:
        for file in files:
            if file.exists():
                shutil.copyfile(file, f"{copy}{str(file)[len(str(source)) :]}")
        if [_describe(file) for file in files] != before:
            raise Vanished(f"{source.name} has changed while it was copied")
        with closing(sqlite3.connect(copy)) as reading, closing(sqlite3.connect(target)) as writing:
            reading.backup(writing)
    except sqlite3.DatabaseError as error:
        raise Failed(f"the database {source} cannot be copied: {error}") from None
    except OSError as error:
        raise describe_write_error(error, str(target.parent)) from None
    finally:
        for ending in COMPANIONS:
            Path(f"{copy}{ending}").unlink(missing_ok=True)


def _describe(file: Path) -> tuple[int, ...]:
    try:
        state = file.stat()
    except FileNotFoundError:
        return ()
    return (state.st_ino, state.st_size, state.st_mtime_ns)


def _check(source: Path, target: Path) -> None:
    try:
        with closing(sqlite3.connect(target)) as copied:
            answer = copied.execute("PRAGMA quick_check(1)").fetchone()[0]
            copied.execute("PRAGMA journal_mode=DELETE")  # the copy is one file, without a log beside it
    except sqlite3.DatabaseError as error:
        answer = str(error)
    if answer != "ok":
        raise Failed(f"the database {source} is damaged: {answer}")
