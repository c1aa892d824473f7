"""Files of this repository that go into an image as they are, such as a program in Python."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import dataclass
from pathlib import Path

from toolchain.cache import Inputs, compute_tree_digest
from toolchain.context import PROJECT, Context

LIBRARIES = frozenset({".venv", "node_modules"})
"""Folders in which people install what a program needs, to try it where it stands."""


@dataclass(frozen=True)
class OwnFiles:
    """The files below a folder of the project whose names end with `suffix`, and nothing that a run leaves there."""

    name: str
    folder: str
    suffix: str = ".py"

    def list_files(self) -> list[Path]:
        """The files, sorted."""
        folder = PROJECT / self.folder
        files = folder.rglob(f"*{self.suffix}")
        return sorted(file for file in files if not LIBRARIES.intersection(file.relative_to(folder).parts))

    def list_inputs(self, context: Context) -> Inputs:
        """What decides the contents: names and contents of the files."""
        total = hashlib.sha256()
        for file in self.list_files():
            total.update(f"{file.relative_to(PROJECT)}\0{compute_tree_digest(file)}\n".encode())
        return {"files": total.hexdigest()}

    def describe(self) -> str:
        """Where the contents come from, in words."""
        return f"files of {self.folder}"

    def find_path(self, context: Context) -> Path:
        """Where the files lie when they are there."""
        return context.cache.find_path(f"own-{self.name}", self.list_inputs(context))

    def ensure(self, context: Context) -> Path:
        """The directory in whose files/ they are, in folders as in the project's."""

        def make(draft: Path) -> None:
            for file in self.list_files():
                at = draft / "files" / file.relative_to(PROJECT / self.folder)
                at.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file, at)

        return context.cache.ensure(f"own-{self.name}", self.list_inputs(context), make)
