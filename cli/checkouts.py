"""Renderings of a stack by the code of a checkout: of the working tree, or of any commit.

The code of a commit renders that commit's stacks, so that versions of the program can be compared with each other.
"""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from model.errors import ConfigError, Problem

_TIMEOUT = 300
"""Seconds that a rendering may take."""
_LONGEST = 20_000
"""Characters of a failure that are read."""
_STACK = re.compile(r"Pulumi\.([A-Za-z0-9_-]{1,100})\.yaml")


@dataclass(frozen=True)
class Rendering:
    """What a checkout renders of a stack, in `folder`: documents, what `capacity` says; or why that failed."""

    folder: Path
    documents: Mapping[str, str] = field(default_factory=dict)
    capacity: Mapping[str, Any] = field(default_factory=dict)
    failure: str = ""
    absent: bool = False
    """Whether there is no such stack."""


def find_base(root: Path, name: str) -> str:
    """The commit where the work in `root` left `name`; what others added to that since is no difference.

    Raises:
        ConfigError: there is no such commit.
    """
    try:
        commit = _ask_git(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
    except subprocess.CalledProcessError:
        words = "is no commit of this clone; give another one, such as origin/main, or get it: git fetch origin"
        raise ConfigError([Problem(f"--base {name}", words)]) from None
    try:
        return _ask_git(root, "merge-base", "HEAD", commit)
    except subprocess.CalledProcessError:
        return commit  # of a shallow clone, or of another history


def extract_commit(root: Path, commit: str, folder: Path) -> None:
    """Writes the files of a commit to a folder; the clone itself is only read.

    Raises:
        subprocess.CalledProcessError: git cannot read the commit.
    """
    command = ["git", "archive", "--format=tar", commit]
    packed = subprocess.run(command, cwd=root, capture_output=True, check=True).stdout
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        archive.extractall(folder, filter="data")


def list_stacks(*trees: Path) -> list[str]:
    """The stacks that any of some checkouts has a file of."""
    names = (_STACK.fullmatch(path.name) for tree in trees for path in tree.glob("Pulumi.*.yaml"))
    return sorted({match[1] for match in names if match})


def render_stack(tree: Path, stack: str, folder: Path) -> Rendering:
    """Renders a stack by the code of a checkout into a folder. What fails is said, and nothing raises."""
    folder.mkdir(parents=True)
    if not (tree / f"Pulumi.{stack}.yaml").is_file():
        return Rendering(folder, absent=True)
    failure, _ = _run_program(tree, "render", "--stack", stack, "--output", str(folder))
    if failure:
        return Rendering(folder, failure=failure)
    documents = {
        str(path.relative_to(folder)): path.read_text(encoding="utf-8", errors="replace")
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
    return Rendering(folder, documents, _read_capacity(tree, stack))


def _read_capacity(tree: Path, stack: str) -> dict[str, Any]:
    failure, text = _run_program(tree, "capacity", "--stack", stack, "--json")
    try:
        return {} if failure else dict(json.loads(text))
    except (ValueError, TypeError):
        return {}


def _run_program(tree: Path, *words: str) -> tuple[str, str]:
    """Runs a command of a checkout. Returns why it failed, which is empty where it did not, and what it printed."""
    env = {**os.environ, "PYTHONPATH": str(tree), "NO_COLOR": "1", "COLUMNS": "160"}
    command = [sys.executable, "-P", "-m", "cli", *words]
    try:
        done = subprocess.run(
            command, cwd=tree, env=env, capture_output=True, text=True, errors="replace", check=False, timeout=_TIMEOUT
        )
    except subprocess.TimeoutExpired:
        return f"`{words[0]}` did not end within {_TIMEOUT} seconds", ""
    if not done.returncode:
        return "", done.stdout
    said = (done.stdout + done.stderr).strip()[-_LONGEST:].replace(str(tree), "")
    return said or f"`{words[0]}` ended with exit status {done.returncode}", ""


def _ask_git(root: Path, *words: str) -> str:
    return subprocess.run(["git", *words], cwd=root, capture_output=True, text=True, check=True).stdout.strip()
