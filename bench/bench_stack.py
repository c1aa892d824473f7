"""A stack for measurements: a copy of the checkout, deployed under a name, ports and state of its own, then removed."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any

import docker
import yaml

from cli import engine
from cli.render import plan_file
from cli.workspace import PROJECT, ROOT, Workspace
from model.places import derive_section_key
from model.plan import Plan
from stack.registry import COMPONENTS

NAME = "bench"
OFFSET = 30_000
"""Added to every published port, so that a stack that runs on this machine is left alone."""
_SKIPPED = shutil.ignore_patterns(".git", ".venv", "build", "__pycache__", ".*_cache")
_PEAK = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""
"""Prints the largest resident set, in KiB, of what it has waited for: https://man7.org/linux/man-pages/man2/getrusage.2.html."""
_SHOWN = 3000
"""Characters of a failed command's output that its error repeats."""


class BenchStack:
    """A context manager; inside it, `up` and `down` deploy and remove the copy, which may be edited.

    Args:
        source: the stack whose settings it has.
        change: settings that it has instead, without the namespace.

    Attributes:
        root: the copy of the checkout.
        plan: what the unedited copy deploys.
        space: the copy's Pulumi workspace.
    """

    def __init__(self, source: str = "dev", change: Mapping[str, Any] | None = None) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="observability-bench-"))
        self.root, self._state = self._folder / "checkout", self._folder / "state"
        shutil.copytree(ROOT, self.root, ignore=_SKIPPED)
        (self.root / ".venv").symlink_to(Path(sys.executable).parents[1])
        document = yaml.safe_load((ROOT / f"Pulumi.{source}.yaml").read_text(encoding="utf-8"))
        target = (change or {}).get("target")
        settings = move_ports(document["config"], plan_file(ROOT / f"Pulumi.{source}.yaml", source, target=target))
        settings |= {f"{PROJECT}:{key}": value for key, value in (change or {}).items()}
        path = self.root / f"Pulumi.{NAME}.yaml"
        path.write_text(yaml.safe_dump({"config": settings}, sort_keys=False), encoding="utf-8")
        self.plan = plan_file(path, NAME)
        env = {key: value for key, value in engine.build_tool_env().items() if not key.startswith("PULUMI_ACCESS")}
        self._env = {**env, "OBSERVABILITY_STATE": str(self._state)}
        self._env.pop("PULUMI_BACKEND_URL", None)
        pulumi_env = {
            **self._env,
            "PULUMI_BACKEND_URL": f"file://{self._state / 'backend'}",
            "PULUMI_CONFIG_PASSPHRASE_FILE": str(self._state / "passphrase"),
            "PULUMI_SKIP_UPDATE_CHECK": "true",
        }
        self.space = Workspace(NAME, self._state / "work" / NAME, pulumi_env, local=True)

    @cached_property
    def client(self) -> docker.DockerClient:
        """The engine's client."""
        return docker.from_env(timeout=120)

    def __enter__(self) -> BenchStack:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.down()
        finally:
            shutil.rmtree(self._folder)

    def run_command(self, *args: str) -> str:
        """`observability ARGS` in the copy; returns what it prints.

        Raises:
            RuntimeError: it failed; the message ends with what it printed last.
        """
        command = [sys.executable, "-m", "cli", *args, "--stack", NAME]
        done = subprocess.run(
            command, cwd=self.root, env=self._env, text=True, capture_output=True, check=False, stdin=subprocess.DEVNULL
        )
        if done.returncode:
            output = (done.stdout + done.stderr)[-_SHOWN:]
            raise RuntimeError(f"observability {' '.join(args)} failed with status {done.returncode}:\n{output}")
        return done.stdout

    def measure_peak(self, *args: str) -> int:
        """The most bytes of memory that one of the processes of `observability ARGS` had at once.

        Raises:
            subprocess.CalledProcessError: it failed.
        """
        command = [sys.executable, "-c", _PEAK, sys.executable, "-m", "cli", *args, "--stack", NAME]
        done = subprocess.run(command, cwd=self.root, env=self._env, text=True, capture_output=True, check=True)
        return 1024 * int(done.stdout.split()[-1])

    def up(self) -> dict[str, float]:
        """Deploys the copy; returns the seconds of each phase by its name."""
        return parse_phases(self.run_command("up"))

    def down(self) -> None:
        """Removes the stack with its data."""
        self.run_command("down", "--purge")

    def edit_system(self, change: Callable[[dict[str, Any]], object]) -> None:
        """Edits the copy's system file."""
        path = self.root / f"configs/systems/{self.plan.system.name}.yaml"
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
        change(document)
        path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")

    def add_alert(self, name: str) -> None:
        """Adds an alert that never fires to the copy's system."""
        texts = {"summary": name, "description": name, "example": {"fires": {"up": "1"}, "silent": {"up": "1"}}}
        alert = {"name": name, "expr": "vector(0) > 1", "severity": "info", **texts}
        self.edit_system(lambda system: system.setdefault("alerts", []).append(alert))


def move_ports(config: dict[str, Any], plan: Plan) -> dict[str, Any]:
    """A stack's configuration with every port that its plan publishes, and the base URL's, raised by OFFSET."""
    result = dict(config)
    for component in COMPONENTS:
        published = {p.publish for w in plan.workloads.get(component.name, ()) for p in w.ports if p.publish}
        if not published:
            continue
        several = "publish" in component.settings.model_fields
        change = {"publish": False} if several else {"port": min(published) + OFFSET}
        key = f"{PROJECT}:{derive_section_key(component.name)}"
        result[key] = {**result.get(key, {}), **change}
    base = re.sub(r"(?<=:)\d+$", lambda match: str(int(match[0]) + OFFSET), plan.settings.base_url)
    result[f"{PROJECT}:baseUrl"] = base
    return result


def parse_phases(printed: str) -> dict[str, float]:
    """Seconds by phase from the closing line of `up`: `prerequisites 1.0 s · pulumi up 2.5 s · total 3.5 s`.

    Raises:
        ValueError: there is no such line.
    """
    for line in reversed(printed.splitlines()):
        if matches := re.findall(r"(?:^|· )([a-z ]+) (\d+\.\d) s", line):
            return {name: float(seconds) for name, seconds in matches}
    raise ValueError("the command printed no phase times")
