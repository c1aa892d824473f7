"""A reader who does what a page says: pastes its YAML into a checkout, and runs its commands without an engine."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from cli import capacity, describe, init, render, routes
from cli.render import plan_file
from model.plan import Plan
from tests.support import calling
from tests.support.pages import ROOT
from tests.support.yaml_files import read_yaml, write_yaml

OFFLINE = ("routes", "capacity", "render", "describe", "init")
"""Commands that need no engine: their output is the real one."""
PLANNING = ("up", "preview", "refresh")
"""Commands that plan before they look for an engine: what is refused is refused by all of them."""
LOOKING = ("cat", "grep", "ls")
"""Programs that look at files."""
NAMED = re.compile(r"# (?P<path>\S+\.yaml)\b")
"""The first line of a block that is a file, or a part of one."""
METRICS = """\
# TYPE http_requests_total counter
http_requests_total{method="GET",path="/",status="200"} 7
"""
"""What a service of the reader's exposes where the page does not show it."""
FILES: Mapping[str, str] = {
    "configs/systems/shop/dashboards/orders.json": json.dumps(
        {"uid": "orders", "title": "Orders", "panels": [{"type": "text", "title": "Orders"}]}
    ),
    "configs/systems/shop/rules/orders.yaml": "groups: [{name: orders, rules: [{record: shop:up:sum, expr: sum(up)}]}]",
}
"""Files that a reader has already where a page speaks of them."""


def merge_documents(into: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    """A document with another one pasted in: sections become one, lists go on."""
    result = dict(into)
    for key, value in more.items():
        present = result.get(key)
        if isinstance(present, dict) and isinstance(value, dict):
            result[key] = merge_documents(present, value)
        elif isinstance(present, list) and isinstance(value, list):
            result[key] = [*present, *value]
        else:
            result[key] = value
    return result


@dataclass
class Reader:
    """A reader at a stack, in a checkout of their own; `answers` is what is behind addresses, as pages show it."""

    root: Path
    stack: str = "dev"
    answers: dict[str, str] = field(default_factory=dict)
    _before: dict[Path, str | None] = field(default_factory=dict)

    def start_stack(self, stack: str) -> None:
        """Goes to a stack, with all files as they are shipped."""
        self.stack = stack
        shutil.rmtree(self.root, ignore_errors=True)
        shutil.copytree(ROOT / "configs", self.root / "configs")
        for path in ROOT.glob("Pulumi*.yaml"):
            shutil.copy(path, self.root)
        for name, text in FILES.items():
            (self.root / name).parent.mkdir(parents=True, exist_ok=True)
            (self.root / name).write_text(text, encoding="utf-8")

    def paste_text(self, text: str) -> None:
        """Puts YAML where it belongs: into the file that its first line names, else the stack's or its system's own."""
        document = read_yaml(text)
        path = self._find_file(text, document)
        present = path.read_text(encoding="utf-8") if path.exists() else None
        self._before = {path: present}
        path.write_text(write_yaml(merge_documents(read_yaml(present or "") or {}, document)), encoding="utf-8")

    def undo_paste(self) -> None:
        """Takes out again what was pasted last."""
        for path, text in self._before.items():
            path.unlink() if text is None else path.write_text(text, encoding="utf-8")

    def _find_file(self, text: str, document: Mapping[str, Any]) -> Path:
        if named := NAMED.match(text):
            path = self.root / named["path"]
            if settings := re.fullmatch(r"Pulumi\.(.+)\.yaml", path.name):
                self.stack = settings[1]
            elif self._find_system(self.stack) != path.stem:
                every = (file.name.split(".")[1] for file in sorted(self.root.glob("Pulumi.*.yaml")))
                self.stack = next(stack for stack in every if self._find_system(stack) == path.stem)
            return path
        if "config" in document:
            return self.root / f"Pulumi.{self.stack}.yaml"
        return self.root / "configs" / "systems" / f"{self._find_system(self.stack)}.yaml"

    def _find_system(self, stack: str) -> str:
        document = read_yaml((self.root / f"Pulumi.{stack}.yaml").read_text(encoding="utf-8"))
        return str(document["config"]["observability:system"])

    def plan_stack(self) -> Plan:
        """The plan of the stack as it is now.

        Raises:
            ConfigError: something in it is refused.
        """
        return plan_file(self.root / f"Pulumi.{self.stack}.yaml", self.stack, root=self.root)

    def call_program(
        self, arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> str | None:
        """What `observability ARGUMENTS` prints; None where it would need an engine."""
        command, stack = arguments[0], self._find_stack(arguments)
        if command in PLANNING:
            arguments = ["routes", "--stack", stack]  # which plans and has no more to say than a few lines
        elif command not in OFFLINE:
            return None
        if any(word.startswith("/") for word in arguments):
            raise ValueError(f"{arguments} may write outside of the reader's checkout")
        capsys.readouterr()
        self._patch_commands(monkeypatch)
        code = calling.call(monkeypatch, *arguments)
        if command in PLANNING and not code:
            return None
        return capsys.readouterr().out.replace(f"{self.root}/", "")

    def look_at_files(self, command: str) -> str:
        """What a command prints that looks at files of the checkout."""
        return subprocess.run(["bash", "-c", command], cwd=self.root, capture_output=True, text=True, check=True).stdout

    def _find_stack(self, arguments: list[str]) -> str:
        return arguments[arguments.index("--stack") + 1] if "--stack" in arguments else "dev"

    def _patch_commands(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Lets the commands work in the reader's checkout, on a machine where nothing else runs."""
        monkeypatch.setenv("COLUMNS", "120")
        monkeypatch.chdir(self.root)
        for module in (capacity, init, render, routes):
            monkeypatch.setattr(module, "ROOT", self.root)
        monkeypatch.setattr(describe, "read_source", lambda source: self.answers.get(source, METRICS))
        monkeypatch.setattr(init, "list_containers", list)
        monkeypatch.setattr(init, "find_health", lambda url: None)
        monkeypatch.setattr(init, "is_port_free", lambda number: True)
