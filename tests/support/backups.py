"""Data, a scratch directory and a destination for the backup agent, whose rclone is the real one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from backup_agent.backup import Report, run_backup
from backup_agent.document import Document, parse_document
from backup_agent.restore import Restored, restore_backup
from backup_agent.verify import LATEST, Verified, verify_backup
from tests.support.systems import ROOT

ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT / "images" / "backup")}
OLD = 3600
"""Seconds since the last change of a file that nobody writes any more."""


class Stand:
    """One workload's data with an agent beside it.

    Attributes:
        data, scratch, destination: the directories.
        values: the document, as the stack's program writes it; a test may change it.
        lines: what the agent said.
    """

    def __init__(self, folder: Path, **values: Any) -> None:
        self.folder = folder
        self.data, self.scratch, self.destination = (folder / name for name in ("data", "scratch", "destination"))
        for path in (self.data, self.scratch, self.destination):
            path.mkdir(parents=True, exist_ok=True)
        self.set_passphrase("correct horse battery staple")
        self.values: dict[str, Any] = {
            **build_values(),
            "data": str(self.data),
            "scratch": str(self.scratch),
            "destination": {"type": "directory", "path": str(self.destination), "prefix": "p"},
            "secrets": {"passphrase": str(folder / "passphrase")},
            **values,
        }
        self.lines: list[str] = []

    def set_passphrase(self, text: str) -> None:
        """Write the passphrase's file."""
        (self.folder / "passphrase").write_text(f"{text}\n")

    @property
    def document(self) -> Document:
        """The document of the values as they are now."""
        return parse_document(json.dumps(self.values).encode())

    def write(self, path: str, content: bytes | str, age: float = OLD) -> Path:
        """Write a file of the data that has last been changed `age` seconds ago."""
        target = self.data / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content.encode() if isinstance(content, str) else content)
        now = time.time()
        os.utime(target, (now - age, now - age))
        return target

    def run(self) -> Report:
        """Make a backup."""
        return run_backup(self.document, self.lines.append)

    def verify(self, name: str = LATEST) -> Verified:
        """Verify a backup."""
        return verify_backup(self.document, name, self.lines.append)

    def restore(self, name: str = LATEST, into: str = "restored", from_stack: str = "") -> tuple[Restored, Path]:
        """Restore into a directory, which is made where it is absent."""
        target = self.folder / into
        target.mkdir(exist_ok=True)
        return restore_backup(self.document, name, target, self.lines.append, from_stack), target

    def start(self, *words: str, **options: Any) -> subprocess.Popen[str]:
        """Begin a command of the program in a process of its own."""
        path = self.write_document()
        command = [sys.executable, "-m", "backup_agent", words[0], "--document", str(path), *words[1:]]
        return subprocess.Popen(
            command,
            env={**ENVIRONMENT, "TMPDIR": str(self.folder)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **options,
        )

    def call(self, *words: str, **options: Any) -> tuple[int, str, str]:
        """Run a command of the program to its end: exit code, output, errors."""
        with self.start(*words, **options) as process:
            output, errors = process.communicate(timeout=120)
            return process.returncode, output, errors

    def write_document(self) -> Path:
        """Write the document's file."""
        path = self.folder / "backup.json"
        path.write_text(json.dumps(self.values))
        return path

    def list_stored(self, part: str = "") -> list[Path]:
        """Files at the destination, largest first."""
        files = [path for path in (self.destination / part).rglob("*") if path.is_file()]
        return sorted(files, key=lambda path: path.stat().st_size, reverse=True)


def build_values() -> dict[str, Any]:
    """The part of a document that no directory stands in."""
    return {
        "format": 1,
        "stack": "dev",
        "workload": "prometheus",
        "volume": "prometheus-data",
        "order": ["wal", "chunks_head"],
        "exclude": ["lock", "queries.active"],
        "sqlite": ["grafana.db"],
        "schedule": "15 3 * * *",
        "verify": "45 4 * * 0",
        "keep": {"daily": 7, "weekly": 4, "monthly": 6},
    }


def read_tree(folder: Path) -> Mapping[str, tuple[int, float, bytes]]:
    """Permissions, time of change and content of every file below a folder."""
    return {
        str(path.relative_to(folder)): (path.stat().st_mode, path.stat().st_mtime_ns, path.read_bytes())
        for path in folder.rglob("*")
        if path.is_file() and not path.is_symlink()
    }
