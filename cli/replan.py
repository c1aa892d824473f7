"""Plans every input of a folder and says which are accepted: `python -m cli.replan FOLDER [--system NAME]`.

An input is NAME.system.yaml, NAME.settings.yaml (the content of a Pulumi.<stack>.yaml) or both. Nothing is deployed, no
engine or cluster is asked, and secrets that are not set are no problem.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cli.stack_file import read_config
from cli.workspace import ROOT
from model.errors import ConfigError, Problem
from stack.assemble import IMAGES, SYSTEMS, ConfigValue, assemble_plan
from targets.platforms import PLATFORMS

SYSTEM, SETTINGS = ".system.yaml", ".settings.yaml"
WIDTH = 160
"""Characters of a problem that are shown."""


@dataclass(frozen=True)
class Verdict:
    """What came of an input: nothing is wrong with it, or these problems are."""

    name: str
    problems: tuple[Problem, ...] = ()

    @property
    def word(self) -> str:
        """The verdict in one word."""
        return "refused" if self.problems else "accepted"


def list_inputs(folder: Path) -> list[str]:
    """Names of the inputs of a folder, sorted."""
    ends = (SYSTEM, SETTINGS)
    return sorted({path.name.removesuffix(end) for end in ends for path in folder.glob(f"*{end}")})


def judge_input(folder: Path, name: str, system: str | None = None) -> Verdict:
    """What comes of planning an input.

    Args:
        folder: where its files are.
        name: what they are called.
        system: a shipped system, for an input without one of its own whose settings name none.
    """
    try:
        with tempfile.TemporaryDirectory() as made:
            root = Path(made)
            config = _prepare_input(folder, name, system, root)
            assemble_plan(name, config, platforms=PLATFORMS, root=root, need_secrets=False)
    except ConfigError as error:
        return Verdict(name, error.problems)
    return Verdict(name)


def _prepare_input(folder: Path, name: str, system: str | None, root: Path) -> Mapping[str, ConfigValue]:
    """Makes a project's folder of an input's files, and gives the configuration of its stack."""
    shutil.copytree(ROOT / SYSTEMS, root / SYSTEMS)
    shutil.copy(ROOT / IMAGES, root / IMAGES)
    own, settings = folder / f"{name}{SYSTEM}", folder / f"{name}{SETTINGS}"
    config = read_config(settings) if settings.is_file() else {}
    if own.is_file():
        shutil.copy(own, root / SYSTEMS / f"{name}.yaml")
        system = name
    return {**({"system": ConfigValue(system)} if system else {}), **config}


def print_verdicts(folder: Path, system: str | None = None) -> int:
    """Prints the verdict on each input, with the first words of every problem, and how many there are of each."""
    verdicts = [judge_input(folder, name, system) for name in list_inputs(folder)]
    for item in verdicts:
        print(f"{item.name}: {item.word}")
        for problem in item.problems:
            text = str(problem)
            print(f"  - {text if len(text) <= WIDTH else text[: WIDTH - 3] + '...'}")
    refused = sum(1 for item in verdicts if item.problems)
    print(f"{len(verdicts)} inputs: {len(verdicts) - refused} accepted, {refused} refused")
    return 0 if verdicts else 1


def main(arguments: list[str]) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="cli.replan", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path, help="where the inputs are")
    parser.add_argument("--system", help="a shipped system for inputs without one")
    options = parser.parse_args(arguments)
    return print_verdicts(options.folder, options.system)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
