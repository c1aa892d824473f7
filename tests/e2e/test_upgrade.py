"""A stack that an older version of this program deployed, taken over by this one.

It needs the repository's history, which a shallow clone (as in CI) does not have; hence a make target of its own.
"""

from __future__ import annotations

import io
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.test_no_change import unchanged
from tests.support.keeping import Remembered
from tests.support.running import ROOT, SKIPPED, Engine, RunningStack

VERSION = "cbab54fd"
"""The last commit without the setting `versions`. Much older ones need libraries of their time."""


@pytest.fixture
def older(tmp_path: Path) -> Path:
    """A checkout of the older version."""
    done = subprocess.run(["git", "archive", VERSION], cwd=ROOT, capture_output=True, check=False)
    if done.returncode:
        pytest.fail(
            f"commit {VERSION} is not in this clone: {done.stderr.decode().strip()}; get its history with: "
            "git fetch --unshallow"
        )
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
        archive.extractall(tmp_path / "older", filter="data")
    return tmp_path / "older"


@pytest.fixture
def stack(engine: Engine, older: Path, tmp_path: Path) -> Iterator[RunningStack]:
    """A stack that the older version deployed."""
    running = RunningStack(tmp_path, "upgraded", engine, ports=29080, source=older)
    run = running.up()
    print(f"make up of {VERSION}: {run.seconds:.1f} s")
    yield running
    running.run("down", "--purge")


def test_an_older_stack_is_taken_over(stack: RunningStack) -> None:
    """`make up` of this version lands on the state and the containers of the older one, and the data is there."""
    before = Remembered(stack)
    started = stack.identities()
    settings = stack.stack_file.read_text()
    for path in stack.root.iterdir():  # its folder for state and its environment stay
        if path.name != ".venv":
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    shutil.copytree(ROOT, stack.root, ignore=SKIPPED, dirs_exist_ok=True)
    stack.stack_file.write_text(settings)
    stack.edit_system(lambda system: system.pop("ports", None))
    run = stack.up()
    before.kept()
    stayed = started.items() & stack.identities().items()
    print(f"make up of this version: {run.seconds:.1f} s; {len(stayed)} of {len(started)} services not restarted")
    again = stack.up()
    print(f"second make up: {again.seconds:.1f} s")
    assert unchanged(again.text), again.text[-3000:]
