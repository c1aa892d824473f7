"""Copies of databases that are in use."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest

from backup_agent.errors import Failed
from backup_agent.scan import Vanished
from backup_agent.sqlite_copy import copy_database

WRITER = """
import os, sqlite3, sys
made = sqlite3.connect(sys.argv[1], isolation_level=None)
made.execute(f"PRAGMA journal_mode={sys.argv[2]}")
made.execute("PRAGMA cache_size=1")
made.execute("CREATE TABLE pairs (a BLOB, b BLOB)")
made.execute("INSERT INTO pairs VALUES (1, 1)")
made.execute("BEGIN IMMEDIATE")
for _ in range(200):
    made.execute("INSERT INTO pairs VALUES (randomblob(2000), 2)")
os.kill(os.getpid(), 9)
"""


def count(path: Path) -> int:
    """Rows of the copy, which must be a whole database in one file."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as opened:
        assert opened.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        assert opened.execute("SELECT count(*) FROM pairs WHERE a != b").fetchone()[0] == 0
        return int(opened.execute("SELECT count(*) FROM pairs").fetchone()[0])


@pytest.mark.parametrize("mode", ["DELETE", "WAL"])
def test_a_database_that_is_written_is_copied_whole(tmp_path: Path, mode: str) -> None:
    """Copies made while transactions run have what was committed, and no half transaction."""
    source, ended = tmp_path / "source.db", threading.Event()
    counts: list[int] = []
    with closing(sqlite3.connect(source)) as made:
        made.execute(f"PRAGMA journal_mode={mode}")
        made.execute("CREATE TABLE pairs (a INTEGER, b INTEGER)")
        made.commit()

    def write() -> None:
        with closing(sqlite3.connect(source, timeout=30)) as opened:
            while not ended.is_set():
                with opened:
                    opened.execute("INSERT INTO pairs VALUES (1, 2)")
                    opened.execute("UPDATE pairs SET b = a")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        while not counts or counts[-1] < 20:
            copy_database(source, tmp_path / "copy.db")
            counts.append(count(tmp_path / "copy.db"))
    finally:
        ended.set()
        writer.join()
    assert counts == sorted(counts)
    assert not [path.name for path in tmp_path.iterdir() if path.name.startswith("copy.db-")]


@pytest.mark.parametrize("mode", ["DELETE", "WAL"])
def test_a_transaction_of_a_killed_writer_is_not_copied(tmp_path: Path, mode: str) -> None:
    """Who reads it first would have to write; the copy is recovered, and the data is left as it is."""
    source = tmp_path / "data" / "source.db"
    source.parent.mkdir()
    ended = subprocess.run([sys.executable, "-c", WRITER, str(source), mode], check=False)
    assert ended.returncode == -9 and len(list(source.parent.iterdir())) > 1
    before = {path.name: path.read_bytes() for path in source.parent.iterdir()}
    source.parent.chmod(0o555)
    copy_database(source, tmp_path / "copy.db")
    with closing(sqlite3.connect(tmp_path / "copy.db")) as opened:
        assert opened.execute("SELECT b FROM pairs").fetchall() == [(1,)]
    if mode == "DELETE":
        assert {path.name: path.read_bytes() for path in source.parent.iterdir()} == before
    assert not list(tmp_path.glob("copy.db.files*"))


def test_a_damaged_database_is_no_backup(tmp_path: Path) -> None:
    """It is said, and so is one that is gone."""
    source = tmp_path / "source.db"
    with closing(sqlite3.connect(source)) as made:
        made.execute("CREATE TABLE pairs (a BLOB)")
        made.executemany("INSERT INTO pairs VALUES (?)", [(os.urandom(500),) for _ in range(200)])
        made.execute("CREATE INDEX byte ON pairs (a)")
        made.commit()
    content = bytearray(source.read_bytes())
    content[8192:12288] = b"x" * 4096
    source.write_bytes(content)
    with pytest.raises(Failed, match=r"source.db is damaged"):
        copy_database(source, tmp_path / "copy.db")
    source.write_bytes(b"no database at all" * 1000)
    with pytest.raises(Failed, match="not a database"):
        copy_database(source, tmp_path / "copy.db")
    with pytest.raises(Vanished):
        copy_database(tmp_path / "none.db", tmp_path / "copy.db")
