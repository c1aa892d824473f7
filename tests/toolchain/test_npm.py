"""Packages of npm: npm installs what the lock file says, by the user's own settings, and runs nothing of it."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.toolchain.conftest import MakeContext
from toolchain import npm
from toolchain.cache import Inputs
from toolchain.context import Context
from toolchain.errors import ToolchainError
from toolchain.npm import OPTIONS, PROGRAM, NpmPackages

NODE = """#!/bin/sh
echo "$@" "$npm_config_registry" > called
mkdir -p node_modules/a
[ "$npm_config_registry" != http://none ] || { echo "npm error code EINTEGRITY"; exit 1; }
"""
"""Stands for the program: says how it was called."""


@dataclass(frozen=True)
class FakeNode:
    """Node.js in a folder."""

    folder: Path
    version: str = "1"

    def list_inputs(self, context: Context) -> Inputs:
        """Its version."""
        return {"version": self.version}

    def ensure(self, context: Context) -> Path:
        """The folder."""
        return self.folder


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> NpmPackages:
    """Packages with a lock file, and a Node.js that installs them."""
    program, folder = tmp_path / "node" / PROGRAM, tmp_path / "npm" / "few"
    program.parent.mkdir(parents=True)
    program.write_text(NODE)
    program.chmod(0o755)
    folder.mkdir(parents=True)
    lock = {"packages": {"": {"dependencies": {"a": "1.0.0"}}}}
    for name in ("package.json", "package-lock.json"):
        (folder / name).write_text(json.dumps(lock))
    monkeypatch.setattr(npm, "HERE", tmp_path)
    monkeypatch.setattr(npm, "NODE", FakeNode(tmp_path / "node"))
    return NpmPackages("few")


def build_path() -> str:
    """A PATH with the tools of the fake."""
    return str(Path(shutil.which("mkdir") or "/bin/mkdir").parent)


def test_npm_installs_what_is_locked(make_context: MakeContext, packages: NpmPackages) -> None:
    """By `npm ci`, which changes no lock, without scripts, and with the environment of whoever calls."""
    context = make_context(npm_config_registry="http://own", PATH=build_path())
    made = packages.ensure(context)
    assert (made / "node_modules/a").is_dir() and made == packages.find_path(context)
    _, *words = (made / "called").read_text().split()
    assert words == ["ci", *OPTIONS, "http://own"] and "--ignore-scripts" in words
    assert (made / "package-lock.json").read_text() == (packages.folder / "package-lock.json").read_text()
    assert packages.describe() == "npm a@1.0.0"


def test_a_failure_is_npms_own_words(make_context: MakeContext, packages: NpmPackages) -> None:
    """Nothing is kept of it."""
    context = make_context(npm_config_registry="http://none", PATH=build_path())
    with pytest.raises(ToolchainError, match="EINTEGRITY"):
        packages.ensure(context)
    assert not packages.find_path(context).exists()


def test_another_node_is_another_result(
    context: Context, packages: NpmPackages, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What npm leaves out for a machine, and how it lays out the rest, is its version's to say."""
    before = packages.find_path(context)
    monkeypatch.setattr(npm, "NODE", FakeNode(tmp_path / "node", "2"))
    assert packages.find_path(context) != before
