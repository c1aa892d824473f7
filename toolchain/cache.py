"""A cache of finished things, each under a name and a key of all that went into it.

An artefact is made in a directory of its own and renamed when complete, so what is there is whole.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

KEY_LENGTH = 16
"""Hexadecimal digits of the key in a directory's name: 64 bits, plenty for some dozens of recipes."""

Inputs = Mapping[str, object]
"""All that decides what an artefact holds; values are JSON."""


def find_root(environ: Mapping[str, str]) -> Path:
    """Where the cache lies: OBSERVABILITY_CACHE, else the user's cache directory."""
    if named := environ.get("OBSERVABILITY_CACHE"):
        return Path(named).expanduser().absolute()
    base = environ.get("XDG_CACHE_HOME") or str(Path(environ.get("HOME", "~")).expanduser() / ".cache")
    return Path(base) / "observability"


def compute_key(inputs: Inputs) -> str:
    """The key of `inputs`: equal inputs give an equal key, any other value another one."""
    text = json.dumps(inputs, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:KEY_LENGTH]


def compute_tree_digest(*paths: Path, skip: tuple[str, ...] = ()) -> str:
    """sha256 over names, modes and contents of all files in `paths`, save those whose name ends with one of `skip`."""
    total = hashlib.sha256()
    for top in paths:
        files = (
            sorted(p for p in top.rglob("*") if p.is_file() and not p.name.endswith(skip)) if top.is_dir() else [top]
        )
        for file in files:
            name = file.relative_to(top).as_posix() if top.is_dir() else file.name
            executable = bool(file.stat().st_mode & 0o100)
            total.update(f"{name}\0{executable}\0{hashlib.sha256(file.read_bytes()).hexdigest()}\n".encode())
    return total.hexdigest()


class Cache:
    """The cache at `root`; safe for several processes and threads at a time."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def find_path(self, name: str, inputs: Inputs) -> Path:
        """Where the artefact lies when it is complete; it need not be there."""
        return self.root / "artefacts" / f"{name}-{compute_key(inputs)}"

    def ensure(self, name: str, inputs: Inputs, make: Callable[[Path], None]) -> Path:
        """Give the artefact's directory, calling `make` with an empty one to fill if it is absent."""
        final = self.find_path(name, inputs)
        if final.is_dir():
            return final
        with self.lock(final.name):
            if final.is_dir():
                return final
            self._make(final, inputs, make)
        return final

    def _make(self, final: Path, inputs: Inputs, make: Callable[[Path], None]) -> None:
        # The lock is ours, so other drafts are those of killed makers. Each has a name of its own: what a killed
        # maker started may still write for a moment, and must not write into ours.
        for left in final.parent.glob(f".draft-{final.name}.*"):
            shutil.rmtree(left, ignore_errors=True)
        draft = final.with_name(f".draft-{final.name}.{os.getpid()}")
        draft.mkdir(parents=True)
        try:
            make(draft)
            (draft / "recipe.json").write_text(json.dumps(inputs, sort_keys=True, indent=1) + "\n")
        except BaseException:
            shutil.rmtree(draft, ignore_errors=True)
            raise
        draft.rename(final)

    @contextmanager
    def lock(self, name: str) -> Iterator[None]:
        """Hold the lock `name` against other processes and threads; it ends with its holder."""
        path = self.root / "locks" / f"{name}.lock"
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)
