"""The program: what it imports for a command, and how it ends."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cli import __main__ as program
from cli import arguments, lifecycle, render
from model.errors import ConfigError, Problem
from tests.support.calling import call, fails

ROOT = Path(__file__).resolve().parents[2]


def test_configuration_errors_are_printed_without_a_trace(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A wrong setting ends with status 2 and its own words."""
    monkeypatch.setattr(lifecycle, "up", fails(ConfigError([Problem("Pulumi.dev.yaml: systm", "must match ^[a-z]+$")])))
    assert call(monkeypatch, "up") == 2
    assert "Pulumi.dev.yaml: systm: must match ^[a-z]+$" in capsys.readouterr().out


def test_failed_command_is_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A failing pulumi ends with status 1 and one line: it has said the rest itself."""
    monkeypatch.setattr(
        lifecycle, "up", fails(subprocess.CalledProcessError(255, ["pulumi", "up", "--yes", "--stack"]))
    )
    assert call(monkeypatch, "up") == 1
    assert "failed: pulumi up --yes (exit status 255)" in capsys.readouterr().out


def test_a_captured_failure_is_shown(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """What a command said that printed nothing by itself is printed, as of a lock in a backend elsewhere."""
    refused = subprocess.CalledProcessError(1, ["pulumi", "stack", "import"], stderr="the stack is [locked]\n")
    monkeypatch.setattr(lifecycle, "up", fails(refused))
    assert call(monkeypatch, "up") == 1
    assert capsys.readouterr().out == "failed: pulumi stack import (exit status 1)\nthe stack is [locked]\n"


def test_an_interrupt_is_no_trace(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Ctrl-C ends a command with the status that shells give it, and says how to go on."""
    monkeypatch.setattr(lifecycle, "up", fails(KeyboardInterrupt()))
    assert call(monkeypatch, "up") == arguments.INTERRUPTED == 130
    assert capsys.readouterr().err == "interrupted; run it again to go on\n"


def test_an_interrupt_of_an_import_is_no_trace(tmp_path: Path) -> None:
    """Half of a short command's time goes there."""
    (tmp_path / "argparse.py").write_text("raise KeyboardInterrupt")
    env = {"PYTHONPATH": f"{tmp_path}:{ROOT}"}
    command = [sys.executable, "-P", "-m", "cli", "verify"]
    done = subprocess.run(command, env=env, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "interrupted; run it again to go on\n")


def test_unknown_command_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A word that is no command ends with argparse's status."""
    with pytest.raises(SystemExit) as error:
        call(monkeypatch, "destroy")
    assert error.value.code == 2


@pytest.mark.parametrize(
    ("function", "more", "folder"),
    [("write_documents", [], "render"), ("write_compose", ["--format", "compose"], "compose")],
)
def test_render_goes_to_the_build_folder(
    function: str, more: list[str], folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without --output, documents go to build/render/<stack>, and a Compose file to build/compose/<stack>."""
    values: list[Any] = []

    def rendered(*args: Any) -> int:
        values.extend(args)
        return 0

    monkeypatch.setattr(render, function, rendered)
    assert call(monkeypatch, "render", "--stack", "prod", *more) == 0
    assert values == ["prod", ROOT / "build" / folder / "prod"]


@pytest.mark.parametrize("command", arguments.COMMANDS)
def test_each_command_has_a_module(command: str) -> None:
    """A word of the command line leads to a `run_command`, which knows it."""
    assert (program.MODULES.keys() | lifecycle.COMMANDS.keys()) >= {command}


def test_what_needs_no_engine_does_not_import_its_sdk(tmp_path: Path) -> None:
    """`render` is what a pull request runs for each stack: the SDKs of engine and cluster take longer than its work."""
    code = (
        "import sys; from cli.__main__ import main; "
        f"sys.argv = ['x', 'render', '--stack', 'prod', '--output', {str(tmp_path)!r}]; main(); "
        "print(sorted({'docker', 'kubernetes', 'rich', 'pulumi'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
