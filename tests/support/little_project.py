"""A little project with stacks and commits, whose program only copies documents: for commands that compare commits."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

PROGRAM = """\
import argparse, json, pathlib, shutil
parser = argparse.ArgumentParser()
parser.add_argument("command")
parser.add_argument("--stack")
parser.add_argument("--output", type=pathlib.Path)
parser.add_argument("--json", action="store_true")
args = parser.parse_args()
source = pathlib.Path(__file__).parents[1] / "stacks" / args.stack
if (source / "wrong").exists():
    raise SystemExit("1 problem in the configuration: " + (source / "wrong").read_text())
if args.command == "render":
    shutil.copytree(source, args.output, dirs_exist_ok=True)
else:
    print(json.dumps({"expected": {"series": len(list(source.rglob("*")))}}))
"""
RULE = "groups: [{{name: api, rules: [{{alert: Slow, expr: x > {bound}, for: 5m}}]}}]\n"
RULES = "prometheus/rules/api.yml"


@dataclass(frozen=True)
class Project:
    """A clone with a first commit on the branch main."""

    root: Path

    def git(self, *words: str) -> str:
        """Runs git as somebody."""
        who = ["-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false"]
        command = ["git", *who, *words]
        return subprocess.run(command, cwd=self.root, capture_output=True, text=True, check=True).stdout.strip()

    def write(self, name: str, text: str) -> None:
        """Writes a file of the working tree."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def write_rule(self, bound: float, stack: str = "dev") -> None:
        """Gives a stack's only alert another threshold."""
        self.write(f"stacks/{stack}/{RULES}", RULE.format(bound=bound))

    def commit(self) -> str:
        """Commits all that there is. Returns its name."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", "x")
        return self.git("rev-parse", "HEAD")


def make_project(root: Path) -> Project:
    """A project with the stacks dev and prod, and the program that renders them."""
    root.mkdir()
    project = Project(root)
    project.git("init", "--quiet", "--initial-branch=main")
    project.write("cli/__init__.py", "")
    project.write("cli/__main__.py", PROGRAM)
    for stack in ("dev", "prod"):
        project.write(f"Pulumi.{stack}.yaml", "config: {}\n")
        project.write_rule(1, stack)
    project.commit()
    return project
