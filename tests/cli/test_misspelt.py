"""Misspelt variables on make's command line."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from cli.misspelt import find_misspelt, list_known
from tests.support.systems import ROOT

KNOWN = list_known((ROOT / "Makefile").read_text())


def test_what_the_makefile_reads_is_known() -> None:
    """Whether it has a default there or not."""
    assert {"STACK", "PURGE", "NAME", "URL", "BASE", "WITHOUT_BACKUP", "SYSTEMS", "TESTS"} <= set(KNOWN)


@pytest.mark.parametrize(
    ("given", "name"),
    [("STAK=prod", "STACK"), ("STACKS=prod", "STACK"), ("stack=prod", "STACK"), ("STACK=x PRUGE=1", "PURGE")],
)
def test_a_near_miss_is_refused_with_the_right_name(given: str, name: str) -> None:
    """Or the command would run for the default stack."""
    assert find_misspelt(given, ["up"], KNOWN).endswith(f"did you mean {name}?")


@pytest.mark.parametrize(
    ("given", "goals"),
    [
        ("", []), (r"STACK=prod NAME=a\ b", ["secret"]), ("severity=critical service=api", ["routes"]),
        ("CFLAGS=-O2", ["up"]), ("URL=http://h/?stak=x", ["init"]),
    ],
)  # fmt: skip
def test_others_are_left_alone(given: str, goals: list[str]) -> None:
    """Those that are right, labels of alerts, whatever is near to none, and what stands in a value."""
    assert find_misspelt(given, goals, KNOWN) == ""


@pytest.mark.parametrize(("variable", "code"), [("STAK=prod", 2), ("STACK=prod", 0), ("URL=http://h/?a=b&c='d'", 0)])
def test_make_refuses_before_anything_runs(tmp_path: Path, variable: str, code: int) -> None:
    """Whatever else stands in the values."""
    shutil.copy(ROOT / "Makefile", tmp_path)
    for folder in ("cli", "toolchain"):
        (tmp_path / folder).symlink_to(ROOT / folder)
    run = subprocess.run(["make", "-n", "help", variable], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert run.returncode == code, run.stderr
    assert ("STAK: there is no such variable; did you mean STACK?" in run.stderr) == bool(code)
