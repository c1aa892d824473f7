"""The command line: help, exit codes, completion, and the launcher that the Makefile calls."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from cli import arguments
from cli.arguments import COMMANDS, EXIT_CODES
from cli.workspace import ROOT

LAUNCHER = ROOT / "bin" / "observability"


@pytest.mark.parametrize("words", [[], *([name] for name in COMMANDS)], ids=lambda words: " ".join(words) or "all")
def test_every_help_lists_the_exit_codes(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """`--help` of the program and of each command ends with code 0 and shows what the codes mean."""
    with pytest.raises(SystemExit) as ended:
        arguments.parse_arguments([*words, "--help"])
    assert ended.value.code == 0
    text = capsys.readouterr().out
    assert EXIT_CODES in text and text.startswith(f"usage: observability {' '.join(words)}".rstrip())


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    """The program's help has a line for each command."""
    with pytest.raises(SystemExit):
        arguments.parse_arguments(["--help"])
    text = capsys.readouterr().out
    assert all(re.search(rf"^    {name}\b", text, re.MULTILINE) for name in COMMANDS)


@pytest.mark.parametrize(
    "words",
    [[], ["destroy"], ["up", "--purge"], ["secret"], ["rotate"], ["up", "--json"], ["completion", "fish"]],
    ids=" ".join,
)
def test_wrong_arguments_end_with_2(words: list[str]) -> None:
    """No command, an unknown one, an option of another command and an absent name are wrong input."""
    with pytest.raises(SystemExit) as ended:
        arguments.parse_arguments(words)
    assert ended.value.code == arguments.REFUSED


def test_the_makefile_calls_every_command() -> None:
    """Each command that works on a stack has a target of the same name, which calls the launcher."""
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert "OPS := bin/observability\n" in text
    called = set(re.findall(r"^\t@\$\(OPS\) ([a-z-]+) --stack \$\(STACK\)", text, re.MULTILINE))
    assert called == {name for name, command in COMMANDS.items() if command.on_stack}


def offered(folder: Path, root: Path, *words: str) -> set[str]:
    """What bash offers for the last of these words, with the completion script sourced."""
    script = folder / "completion.bash"
    script.write_text(arguments.render_completion("bash", root), encoding="utf-8")
    line = " ".join(f"'{word}'" for word in ("observability", *words))
    text = (
        f"source {script}; COMP_WORDS=({line}); COMP_CWORD={len(words)}; _shtab_observability; echo ${{COMPREPLY[@]}}"
    )
    done = subprocess.run(["bash", "-c", text], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_bash_completes_commands_and_options(tmp_path: Path) -> None:
    """Commands by their first letters, and the options of the command that stands there."""
    assert offered(tmp_path, ROOT, "ref") == {"refresh"}
    assert {"--json", "--stack"} <= offered(tmp_path, ROOT, "verify", "--")


def test_bash_completes_the_stacks_of_the_checkout(tmp_path: Path) -> None:
    """`--stack` offers the names of the stack files, also of a checkout with a blank and a quote in its path."""
    root = tmp_path / "a checkout's"
    root.mkdir()
    for name in ("Pulumi.yaml", "Pulumi.one.yaml", "Pulumi.other.yaml", "Pulumi.two.yaml"):
        (root / name).touch()
    assert offered(tmp_path, root, "up", "--stack", "o") == {"one", "other"}


def test_zsh_has_a_completion_too() -> None:
    """Its script names the program, its commands and the function that offers the stacks."""
    text = arguments.render_completion("zsh", ROOT)
    assert text.startswith("#compdef observability") and "alert-test" in text and "_observability_stacks()" in text


def test_the_launcher_works_from_anywhere(tmp_path: Path) -> None:
    """Through a link and in a folder that has a package of the same name, the checkout's own program runs."""
    (tmp_path / "ops").mkdir()
    (tmp_path / "ops" / "__init__.py").write_text("raise SystemExit(77)")
    link = tmp_path / "observability"
    link.symlink_to(LAUNCHER)
    done = subprocess.run([link, "render", "--stack", "dev", "--output", "out"], cwd=tmp_path, check=False)
    assert done.returncode == 0 and (tmp_path / "out").is_dir()


def test_the_launcher_says_where_the_environment_is_missing(tmp_path: Path) -> None:
    """Without .venv it ends with 1 and the command that makes one."""
    copy = tmp_path / "bin" / "observability"
    copy.parent.mkdir()
    copy.write_bytes(LAUNCHER.read_bytes())
    copy.chmod(0o755)
    done = subprocess.run([copy, "up"], capture_output=True, text=True, check=False)
    assert done.returncode == 1 and f"make -C {tmp_path} .venv/.ready" in done.stderr
